"""Checks what somebody shows for themselves, as often as the throttle allows: a password, or a provider's code."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import Request

from api.accounts.attempts import TooManyFailures
from api.accounts.audit import address_of
from api.accounts.throttle import CannotCount
from api.errors import LoginUnavailable, TooManyFailedLogins
from api.parts import Parts

Result = TypeVar("Result")

log = logging.getLogger(__name__)


async def throttled(
    request: Request, parts: Parts, check: Callable[[], Awaitable[Result]], *, account: str = "", kind: str = ""
) -> Result:
    """What `check` returns, as LoginThrottle.attempt() has it. Failures of one `kind` hold no other back.

    Raises TooManyFailedLogins and LoginUnavailable before it is called.
    """
    try:
        return await parts.login_throttle.attempt(f"{kind} {address_of(request)}".lstrip(), check, account)
    except TooManyFailures as error:
        raise TooManyFailedLogins(error.retry_after_seconds) from error
    except CannotCount as error:
        log.error("logins are refused: %s", error)  # noqa: TRY400  The reason is in its words.
        raise LoginUnavailable from error

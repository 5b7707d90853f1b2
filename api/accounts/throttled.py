"""Compares a password, as often as the throttle allows: at a login, and before a password is changed."""

import logging
from collections.abc import Awaitable, Callable

from fastapi import Request

from api.accounts.attempts import TooManyFailures
from api.accounts.audit import address_of
from api.accounts.throttle import CannotCount
from api.errors import LoginUnavailable, TooManyFailedLogins
from api.parts import Parts

log = logging.getLogger(__name__)


async def throttled(request: Request, parts: Parts, account: str, check: Callable[[], Awaitable[bool]]) -> bool:
    """Whether `check` passes. Raises TooManyFailedLogins and LoginUnavailable before it is called."""
    try:
        return await parts.login_throttle.attempt(address_of(request), check, account)
    except TooManyFailures as error:
        raise TooManyFailedLogins(error.retry_after_seconds) from error
    except CannotCount as error:
        log.error("logins are refused: %s", error)  # noqa: TRY400  The reason is in its words.
        raise LoginUnavailable from error

"""What a browser comes back from the provider with: its own sign-in, somebody whom the provider knows, an account."""

import logging

from fastapi import Request
from sqlalchemy import Connection

from api.accounts import audit
from api.accounts.audit import address_of
from api.accounts.oidc.accounts import Rules, SignedIn, add_code, sign_in
from api.accounts.oidc.browser import flow_in_cookie, redirect_uri
from api.accounts.oidc.errors import SignInDenied, SignInExpired, SignInFailed, TooManySignIns
from api.accounts.oidc.flow import Flow
from api.accounts.oidc.provider import Answer, Person, Provider
from api.accounts.throttled import throttled
from api.errors import TooManyFailedLogins
from api.parts import Parts

MAX_PARAMETER_LENGTH = 4_096

log = logging.getLogger(__name__)


def returned_flow(request: Request, parts: Parts) -> Flow:
    """The one that began in this browser, and has come back. Raises SignInExpired and SignInDenied."""
    flow, asked = flow_in_cookie(request, parts), request.query_params
    if not flow.has_state(asked.get("state", "")):
        raise SignInExpired
    if "error" in asked or not 0 < len(asked.get("code", "")) <= MAX_PARAMETER_LENGTH:
        # Words of a stranger's choosing, as far as we know.
        log.warning("the identity provider answered %s", ascii(asked.get("error", "without a code"))[:100])
        raise SignInDenied
    return flow


async def person_of(request: Request, parts: Parts, provider: Provider, flow: Flow) -> Person:
    """Each bad code counts as a failed login of its address: a stranger's are not sent on to the provider for long."""
    asked = request.query_params
    answer = Answer(asked["code"], asked.get("iss"), redirect_uri(request, parts))
    try:
        return await throttled(request, parts, lambda: provider.person(answer, flow), kind="oidc")
    except TooManyFailedLogins as error:
        raise TooManySignIns(error.retry_after_seconds) from error


async def admit(request: Request, parts: Parts, person: Person, digest: str) -> None:
    """Finds or makes their account, and keeps the page's code for it. Raises SignInFailed and DatabaseUnavailable."""
    rules = Rules.of(parts.settings)

    def work(connection: Connection) -> SignedIn | SignInFailed:
        result = sign_in(connection, person, rules)
        if isinstance(result, SignedIn):
            add_code(connection, result.account.id, digest)
        return result

    result = await parts.database.write(work)
    if isinstance(result, SignInFailed):
        audit.strangers_log.warning(
            "refused sign-in from %s",
            address_of(request),
            extra={"actor": ascii(person.email)[1:255], "why": result.code},
        )
        raise result
    if result.change:
        audit.record(
            request, result.change, result.account.email, account=result.account.email, role=result.account.role
        )

"""Who is calling: the token or API key in a request's headers, and whose it is."""

import base64
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers

from api.accounts.errors import ScopeMissing, SessionNeeded
from api.accounts.keys import PREFIX, caller_of_key
from api.accounts.sessions import caller_of_session
from api.accounts.store import Account, Caller, Scope
from api.errors import AdminsOnly, NotAuthenticated
from api.parts import Parts, PartsDep

STANDARD_ALPHABET = str.maketrans("-_", "+/")

# auto_error=False: the refusal is ours, in the one error shape; this only tells /docs about the scheme.
bearer = HTTPBearer(auto_error=False, description="The access_token of POST /login, or an API key of POST /keys.")


async def identify(request: Request, parts: Parts) -> Caller:
    """The caller of `request`, noted there for nginx's log. Raises NotAuthenticated and DatabaseUnavailable."""
    credential = token_in(request.headers)
    picture = await parts.directory.now()
    if credential.startswith(PREFIX):
        caller = caller_of_key(credential, picture)
    else:
        caller = caller_of_session(parts.tokens.verify(credential), picture)
    parts.activity.note(caller)
    request.state.caller = caller
    return caller


def need_scope(caller: Caller, scope: Scope) -> None:
    """Raises ScopeMissing. A session has every scope."""
    if scope not in caller.scopes:
        raise ScopeMissing(scope)


async def authenticate(request: Request, parts: PartsDep, _: Annotated[object, Depends(bearer)]) -> Caller:
    """Somebody who may chat; the dependency of a router, as the next two."""
    caller = await identify(request, parts)
    need_scope(caller, "chat")
    return caller


async def authenticate_session(request: Request, parts: PartsDep, _: Annotated[object, Depends(bearer)]) -> Caller:
    """Somebody who has logged in: a key that is lost must not make others, or change a password."""
    caller = await identify(request, parts)
    if caller.session is None:
        raise SessionNeeded
    return caller


SessionDep = Annotated[Caller, Depends(authenticate_session)]


async def own_account(caller: Caller, parts: Parts) -> Account:
    """Raises NotAuthenticated if it has just been deleted."""
    account = (await parts.directory.now()).accounts.get(caller.account_id)
    if account is None:
        raise NotAuthenticated
    return account


async def authenticate_admin(caller: SessionDep) -> Caller:
    """An administrator who has logged in."""
    if not caller.is_admin:
        raise AdminsOnly
    return caller


def token_in(headers: Headers) -> str:
    """The token or key, from the first of these headers that is present. Raises NotAuthenticated.

    `Authorization: Bearer …`, as nearly all clients send it; `X-Api-Key`, as Anthropic's do; the password in
    `Authorization: Basic …`, for clients that take credentials in their URL, and in `Proxy-Authorization: Basic …`, for
    the `ollama` command, which can name a proxy's credentials and no others.
    """
    if "Authorization" in headers:
        return _token(headers["Authorization"], "bearer", "basic")
    if "X-Api-Key" in headers:
        return headers["X-Api-Key"].strip()
    if "Proxy-Authorization" in headers:
        return _token(headers["Proxy-Authorization"], "basic")
    raise NotAuthenticated


def _token(header: str, *schemes: str) -> str:
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() not in schemes:
        raise NotAuthenticated
    return password_of(credentials.strip()) if scheme.lower() == "basic" else credentials.strip()


def password_of(credentials: str) -> str:
    """The password of Basic credentials (RFC 7617); the user name is ignored. Raises NotAuthenticated.

    Clients that encode them by hand leave out the padding, use the alphabet for URLs, or add a line's end.
    """
    standard = credentials.rstrip("=").translate(STANDARD_ALPHABET)
    try:
        decoded = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True).decode()
    except ValueError as error:
        raise NotAuthenticated from error
    return decoded.partition(":")[2].strip()

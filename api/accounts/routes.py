"""POST /login: a password for a token. GET /_caller: nginx's question before it reads a large body."""

import json
from collections.abc import Awaitable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, StrictStr

from api.accounts import audit
from api.accounts.bodies import read_strangers_json
from api.accounts.identify import identify
from api.accounts.picture import Picture
from api.accounts.proxied import came_through_a_proxy
from api.accounts.store import Account, comparable
from api.accounts.throttled import throttled
from api.errors import ApiError, NotAuthenticated, WeakPassword
from api.http.slashes import meant
from api.ollama.dialects import dialect_of, error_body
from api.openapi import errors, json_body
from api.parts import Parts, PartsDep
from api.settings import MAX_PASSWORD_LENGTH

WRONG = "Wrong email or password."

router = APIRouter(tags=["login"])


class LoginRequest(BaseModel):
    email: StrictStr = Field(min_length=1, max_length=320, examples=["admin@local"])
    password: StrictStr = Field(min_length=1, max_length=MAX_PASSWORD_LENGTH, examples=["changeme"])


class Token(BaseModel):
    access_token: str = Field(description="A JSON Web Token.")
    token_type: Literal["bearer"] = "bearer"  # noqa: S105


class Oidc(BaseModel):
    name: str


class LoginMethods(BaseModel):
    password: Literal[True] = True
    oidc: Oidc | None = Field(
        None, description="Where it is set up: sign-in by OpenID Connect, which begins at `/login/oidc`."
    )


async def _credentials(request: Request, parts: PartsDep) -> LoginRequest:
    return await read_strangers_json(request, parts, LoginRequest)


@router.post(
    "/login",
    responses=errors(
        *(400, 401, 403, 413, 415, 422, 429, 503),
        _401=WRONG,
        _403="A web page whose origin CORS_ORIGINS does not list. In place of 401 from beyond this machine, while "
        "ADMIN_PASSWORD is weak: it does not log in there.",
        _415="Not application/json, or compressed.",
        _503="Failed logins cannot be counted, accounts cannot be read, or too many passwords are being checked.",
    ),
    openapi_extra=json_body(LoginRequest),
)
async def login(request: Request, parts: PartsDep, body: Annotated[LoginRequest, Depends(_credentials)]) -> Token:
    """A token for an account, valid for ACCESS_TOKEN_EXPIRE_MINUTES."""
    address = comparable(body.email)
    picture = await parts.directory.now()
    account = picture.by_address.get(address)
    members_only = _members_only(request, parts)

    def check() -> Awaitable[bool]:
        return _is_password_of(account, picture, body, parts, members_only=members_only)

    # Counted apart from logins on this machine, which may have the proxy's address too.
    if not await throttled(request, parts, check, account=address, kind="beyond" if members_only else ""):
        audit.record_failed_login(request, account.email if account else None)
        raise WeakPassword if members_only else NotAuthenticated(WRONG)
    assert account is not None  # noqa: S101  Nobody's password is right.
    audit.record(request, "login", account.email)
    return Token(access_token=parts.tokens.issue(account))


def _members_only(request: Request, parts: Parts) -> bool:
    """Whether ADMIN_PASSWORD is too weak for where the request comes from. Members' passwords never are."""
    settings = parts.settings
    return settings.has_weak_password and came_through_a_proxy(request.headers, behind_nginx=settings.behind_nginx)


async def _is_password_of(
    account: Account | None, picture: Picture, body: LoginRequest, parts: Parts, *, members_only: bool
) -> bool:
    """Takes as long whoever it is. Raises DatabaseUnavailable where only the settings' account can log in."""
    may_log_in = account is not None and not account.disabled and not account.is_the_settings
    stored = account.password_hash if account is not None and may_log_in else None
    matches = await parts.passwords.matches(stored, body.password) and stored is not None
    if parts.settings_account.are_credentials(body.email, body.password):
        return not members_only
    if account is None or not account.is_the_settings:
        picture.refuse_unless_current()
    return matches


@router.head("/login/methods", include_in_schema=False)
@router.get("/login/methods")
async def login_methods(parts: PartsDep) -> LoginMethods:
    """How one can log in here. No token needed."""
    return LoginMethods(oidc=Oidc(name=parts.provider.name) if parts.provider else None)


@router.get("/_caller", include_in_schema=False)
async def caller(request: Request, parts: PartsDep) -> Response:
    """204, or what nginx shall answer instead: it drops the body of a refusal. See @large_body in nginx/nginx.conf."""
    try:
        await identify(request, parts)
    except ApiError as error:
        path = meant(request.headers.get("X-LocalChat-Path", ""))
        refusal = json.dumps(error_body(dialect_of(path), error.status, error.detail))
        return Response(status_code=error.status, headers={**error.headers, "X-LocalChat-Refusal": refusal})
    return Response(status_code=204)

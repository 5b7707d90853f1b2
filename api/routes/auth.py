"""POST /login: a password for a token."""

import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from api.auth import Accounts, Tokens
from api.bodies import check, parse_json, read_body
from api.errors import NotAuthenticated, TooManyFailedLogins
from api.login_failures import LoginFailures, TooManyFailures
from api.routes.responses import errors, json_body
from api.schemas import LoginRequest, Token

MAX_BODY_MB = 1

log = logging.getLogger(__name__)
router = APIRouter(tags=["login"])


async def _credentials(request: Request) -> LoginRequest:
    return check(parse_json(await read_body(request, MAX_BODY_MB)), LoginRequest)


@router.post(
    "/login",
    responses=errors(400, 401, 413, 422, 429, _401="Wrong e-mail address or password."),
    openapi_extra=json_body(LoginRequest),
)
async def login(request: Request, body: Annotated[LoginRequest, Depends(_credentials)]) -> Token:
    """A token for an account, valid for ACCESS_TOKEN_EXPIRE_MINUTES."""
    accounts: Accounts = request.app.state.accounts
    tokens: Tokens = request.app.state.tokens
    failures: LoginFailures = request.app.state.login_failures
    address = request.client.host if request.client else "unknown"
    try:
        passed = failures.attempt(address, lambda: accounts.are_credentials(body.email, body.password))
    except TooManyFailures as error:
        raise TooManyFailedLogins(error.retry_after_seconds) from error
    if not passed:
        log.warning("failed login from %s", address)
        raise NotAuthenticated("Wrong e-mail address or password.")
    return Token(access_token=tokens.issue(body.email))

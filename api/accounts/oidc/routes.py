"""GET /login/oidc, to the provider; GET /login/oidc/callback, back from it; POST /login/oidc/token, for the token.

The page gets a code in the part of the URL after #, which no server and no log sees, and the browser a new cookie: only
both together, and only once, are worth a token. So nobody signs somebody else in with a link.
"""

import secrets

from fastapi import APIRouter, Request, Response
from pydantic import Field, StrictStr

from api.accounts import audit
from api.accounts.bodies import read_strangers_json
from api.accounts.keys import digest_of
from api.accounts.oidc.accounts import redeem_code
from api.accounts.oidc.browser import FAILED, SIGNED_IN, flow_in_cookie, is_secure, redirect, redirect_uri, refuse
from api.accounts.oidc.callback import admit, person_of, returned_flow
from api.accounts.oidc.errors import SignInExpired, SignInFailed
from api.accounts.oidc.flow import Flow, set_cookie
from api.accounts.oidc.provider import Provider
from api.accounts.routes import Token
from api.accounts.schemas import Sent
from api.errors import ApiError, NotFound
from api.openapi import Responses, errors, json_body
from api.parts import Parts, PartsDep

NOT_SET_UP = "Sign-in by OpenID Connect is not set up here (OIDC_ISSUER)."

REDIRECTS: Responses = {
    303: {
        "description": f"To the provider, or to the page: `{SIGNED_IN}<code>`, `{FAILED}<why>`. `why` is one of "
        "`denied`, `disabled`, `email-missing`, `email-taken`, `expired`, `failed`, `not-allowed`, `too-many`, "
        "`unavailable`. A client that does not ask for text/html gets an error as JSON instead."
    }
}
UNAVAILABLE = "The provider is unreachable, or its answer cannot be used."

router = APIRouter(tags=["login"])


class SignInCode(Sent):
    code: StrictStr = Field(max_length=100, description="What follows `/#/signed-in/` in the page's address.")


@router.get(
    "/login/oidc",
    status_code=303,
    response_class=Response,
    responses={**REDIRECTS, **errors(404, 502, 503, _404=NOT_SET_UP, _502=UNAVAILABLE)},
)
async def begin(request: Request, parts: PartsDep) -> Response:
    """Sends the browser to the OpenID Connect provider. No token needed."""
    provider = _provider(parts)
    flow = Flow.begin(parts.settings.signing_key)
    try:
        url = await provider.sign_in_url(flow, redirect_uri(request, parts))
    except SignInFailed as error:
        return refuse(request, error, parts)
    return redirect(url, flow, request, parts)


@router.get(
    "/login/oidc/callback",
    status_code=303,
    response_class=Response,
    responses={
        **REDIRECTS,
        **errors(
            *(400, 403, 404, 429, 502, 503),
            _400=SignInExpired.detail,
            _403="The provider or the settings do not let this person in, or the account is disabled.",
            _404=NOT_SET_UP,
            _502=UNAVAILABLE,
        ),
    },
)
async def finish(request: Request, parts: PartsDep) -> Response:
    """Where the provider sends the browser back to: makes the account at the first sign-in."""
    provider = _provider(parts)
    try:
        flow = returned_flow(request, parts)
        person = await person_of(request, parts, provider, flow)
        code, flow = secrets.token_urlsafe(32), Flow.begin(parts.settings.signing_key)
        await admit(request, parts, person, _digest(code, flow))
    except ApiError as error:
        return refuse(request, error, parts)
    return redirect(SIGNED_IN + code, flow, request, parts)


@router.post(
    "/login/oidc/token",
    responses=errors(
        *(400, 403, 404, 413, 415, 422, 503),
        _400="The code was used, is older than a minute, or belongs to another browser.",
        _403="A web page whose origin CORS_ORIGINS does not list.",
        _404=NOT_SET_UP,
        _415="Not application/json, or compressed.",
    ),
    openapi_extra=json_body(SignInCode),
)
async def token(request: Request, response: Response, parts: PartsDep) -> Token:
    """The token for the code that the page got, once and within a minute, from the same browser: by its cookie."""
    _provider(parts)
    body = await read_strangers_json(request, parts, SignInCode)
    digest = _digest(body.code, flow_in_cookie(request, parts))
    account = await parts.database.write(lambda connection: redeem_code(connection, digest))
    if account is None or account.disabled:
        raise SignInExpired
    set_cookie(response, None, secure=is_secure(request, parts))
    audit.record(request, "login", account.email, method="oidc")
    return Token(access_token=parts.tokens.issue(account))


def _provider(parts: Parts) -> Provider:
    """Raises NotFound."""
    if parts.provider is None:
        raise NotFound(NOT_SET_UP)
    return parts.provider


def _digest(code: str, flow: Flow) -> str:
    return digest_of(f"{code} {flow.id}")

"""GET /login/oidc, to the provider; GET /login/oidc/callback, back from it; POST /login/oidc/token, for the token.

The page gets a code in the part of the URL after #, which no server and no log sees, and the browser a new cookie: only
both together, and only once, are worth a token. So nobody signs somebody else in with a link.
"""

import logging
import secrets

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field, StrictStr
from sqlalchemy import Connection

from api.accounts import audit
from api.accounts.audit import address_of
from api.accounts.bodies import read_strangers_json
from api.accounts.keys import digest_of
from api.accounts.oidc.accounts import Rules, SignedIn, add_code, redeem_code, sign_in
from api.accounts.oidc.errors import SignInDenied, SignInExpired, SignInFailed, TooManySignIns
from api.accounts.oidc.flow import Flow, cookie_name, set_cookie
from api.accounts.oidc.provider import Answer, Person, Provider
from api.accounts.oidc.setup import CALLBACK_PATH
from api.accounts.routes import Token
from api.accounts.schemas import Sent
from api.accounts.throttled import throttled
from api.errors import ApiError, NotFound, TooManyFailedLogins
from api.ollama.dialects import error_response
from api.openapi import Responses, errors, json_body
from api.parts import Parts, PartsDep

SIGNED_IN = "/#/signed-in/"
FAILED = "/#/login?error="
MAX_PARAMETER_LENGTH = 4_096
NOT_SET_UP = "Sign-in by OpenID Connect is not set up here (OIDC_ISSUER)."

REDIRECTS: Responses = {
    303: {
        "description": f"To the provider, or to the page: `{SIGNED_IN}<code>`, `{FAILED}<why>`. `why` is one of "
        "`denied`, `disabled`, `email-missing`, `email-taken`, `expired`, `failed`, `not-allowed`, `too-many`, "
        "`unavailable`. A client that does not ask for text/html gets an error as JSON instead."
    }
}
UNAVAILABLE = "The provider is unreachable, or its answer cannot be used."

log = logging.getLogger(__name__)
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
        url = await provider.sign_in_url(flow, _redirect_uri(request, parts))
    except SignInFailed as error:
        return _failed(request, error, parts)
    return _to(url, flow, request, parts)


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
        flow = _flow(request, parts)
        person = await _throttled_person(request, parts, provider, flow)
        code, flow = secrets.token_urlsafe(32), Flow.begin(parts.settings.signing_key)
        await _sign_in(request, parts, person, _digest(code, flow))
    except ApiError as error:
        return _failed(request, error, parts)
    return _to(SIGNED_IN + code, flow, request, parts)


@router.post(
    "/login/oidc/token",
    responses=errors(
        *(400, 403, 404, 413, 415, 422, 503),
        _400="The code was used, is older than a minute, or belongs to another browser.",
        _403="A web page whose origin CORS_ORIGINS does not list, or a weak ADMIN_PASSWORD from beyond this machine.",
        _404=NOT_SET_UP,
        _415="Not application/json, or compressed.",
    ),
    openapi_extra=json_body(SignInCode),
)
async def token(request: Request, response: Response, parts: PartsDep) -> Token:
    """The token for the code that the page got, once and within a minute, from the same browser: by its cookie."""
    _provider(parts)
    body = await read_strangers_json(request, parts, SignInCode)
    digest = _digest(body.code, _cookie(request, parts))
    account = await parts.database.write(lambda connection: redeem_code(connection, digest))
    if account is None or account.disabled:
        raise SignInExpired
    set_cookie(response, None, secure=_is_secure(request, parts))
    audit.record(request, "login", account.email, method="oidc")
    return Token(access_token=parts.tokens.issue(account))


def _provider(parts: Parts) -> Provider:
    """Raises NotFound."""
    if parts.provider is None:
        raise NotFound(NOT_SET_UP)
    return parts.provider


def _flow(request: Request, parts: Parts) -> Flow:
    """The one that began in this browser, and has come back. Raises SignInExpired and SignInDenied."""
    flow, asked = _cookie(request, parts), request.query_params
    if not flow.has_state(asked.get("state", "")):
        raise SignInExpired
    if "error" in asked or not 0 < len(asked.get("code", "")) <= MAX_PARAMETER_LENGTH:
        # Words of a stranger's choosing, as far as we know.
        log.warning("the identity provider answered %s", ascii(asked.get("error", "without a code"))[:100])
        raise SignInDenied
    return flow


async def _throttled_person(request: Request, parts: Parts, provider: Provider, flow: Flow) -> Person:
    """Each bad code counts as a failed login of its address: a stranger's are not sent on to the provider for long."""
    asked = request.query_params
    answer = Answer(asked["code"], asked.get("iss"), _redirect_uri(request, parts))
    try:
        return await throttled(request, parts, lambda: provider.person(answer, flow), kind="oidc")
    except TooManyFailedLogins as error:
        raise TooManySignIns(error.retry_after_seconds) from error


async def _sign_in(request: Request, parts: Parts, person: Person, digest: str) -> None:
    """Raises SignInFailed and DatabaseUnavailable."""
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


def _cookie(request: Request, parts: Parts) -> Flow:
    """Raises SignInExpired."""
    cookie = request.cookies.get(cookie_name(secure=_is_secure(request, parts)), "")
    flow = Flow.read(cookie, parts.settings.signing_key)
    if flow is None:
        raise SignInExpired
    return flow


def _digest(code: str, flow: Flow) -> str:
    return digest_of(f"{code} {flow.id}")


def _to(url: str, flow: Flow, request: Request, parts: Parts) -> Response:
    response = RedirectResponse(url, status_code=303, headers={"Referrer-Policy": "no-referrer"})
    set_cookie(response, flow, secure=_is_secure(request, parts))
    return response


def _failed(request: Request, error: ApiError, parts: Parts) -> Response:
    """For a browser, the login screen with a reason that the page words; the sign-in is over."""
    if "text/html" in request.headers.get("Accept", ""):
        code = error.code if isinstance(error, SignInFailed) else "unavailable"
        response: Response = RedirectResponse(
            FAILED + code, status_code=303, headers={"Referrer-Policy": "no-referrer"}
        )
    else:
        response = error_response(error, request.url.path)
    set_cookie(response, None, secure=_is_secure(request, parts))
    return response


def _redirect_uri(request: Request, parts: Parts) -> str:
    """By the name in the browser's address bar, which is a known one (http/hosts.py). Raises NotFound without one."""
    if parts.settings.oidc_redirect_url:
        return parts.settings.oidc_redirect_url
    host = request.headers.get("Host", "")
    if not host:
        raise NotFound("Without a Host header there is no address to come back to: set OIDC_REDIRECT_URL.")
    return f"{_scheme(request, parts)}://{host}{CALLBACK_PATH}"


def _is_secure(request: Request, parts: Parts) -> bool:
    return _scheme(request, parts) == "https"


def _scheme(request: Request, parts: Parts) -> str:
    """The browser's. A client that says another than it used has an address that no provider knows."""
    if parts.settings.oidc_redirect_url:
        return parts.settings.oidc_redirect_url.partition(":")[0]
    if parts.settings.behind_nginx:
        return "https" if request.headers.get("X-LocalChat-Scheme") == "https" else "http"
    return str(request.url.scheme)

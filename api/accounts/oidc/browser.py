"""What is known of the browser that signs in: its cookie and address, and what it is answered."""

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from api.accounts.oidc.errors import SignInExpired, SignInFailed
from api.accounts.oidc.flow import Flow, cookie_name, set_cookie
from api.accounts.oidc.setup import CALLBACK_PATH
from api.errors import ApiError, NotFound
from api.ollama.dialects import error_response
from api.parts import Parts

SIGNED_IN = "/#/signed-in/"
FAILED = "/#/login?error="


def flow_in_cookie(request: Request, parts: Parts) -> Flow:
    """Raises SignInExpired."""
    cookie = request.cookies.get(cookie_name(secure=is_secure(request, parts)), "")
    flow = Flow.read(cookie, parts.settings.signing_key)
    if flow is None:
        raise SignInExpired
    return flow


def redirect(url: str, flow: Flow, request: Request, parts: Parts) -> Response:
    """With the cookie of `flow`."""
    response = RedirectResponse(url, status_code=303, headers={"Referrer-Policy": "no-referrer"})
    set_cookie(response, flow, secure=is_secure(request, parts))
    return response


def refuse(request: Request, error: ApiError, parts: Parts) -> Response:
    """For a browser, the login screen with a reason that the page words; the sign-in is over."""
    if "text/html" in request.headers.get("Accept", ""):
        code = error.code if isinstance(error, SignInFailed) else "unavailable"
        response: Response = RedirectResponse(
            FAILED + code, status_code=303, headers={"Referrer-Policy": "no-referrer"}
        )
    else:
        response = error_response(error, request.url.path)
    set_cookie(response, None, secure=is_secure(request, parts))
    return response


def redirect_uri(request: Request, parts: Parts) -> str:
    """By the name in the browser's address bar, which is a known one (http/hosts.py). Raises NotFound without one."""
    if parts.settings.oidc_redirect_url:
        return parts.settings.oidc_redirect_url
    host = request.headers.get("Host", "")
    if not host:
        raise NotFound("Without a Host header there is no address to come back to: set OIDC_REDIRECT_URL.")
    return f"{_scheme(request, parts)}://{host}{CALLBACK_PATH}"


def is_secure(request: Request, parts: Parts) -> bool:
    return _scheme(request, parts) == "https"


def _scheme(request: Request, parts: Parts) -> str:
    """The browser's. A client that says another than it used has an address that no provider knows."""
    if parts.settings.oidc_redirect_url:
        return parts.settings.oidc_redirect_url.partition(":")[0]
    if parts.settings.behind_nginx:
        return "https" if request.headers.get("X-LocalChat-Scheme") == "https" else "http"
    return str(request.url.scheme)

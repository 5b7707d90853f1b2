"""Every refusal, and the one handler that renders them: `{"detail": "<what is wrong, for a person>"}`.

Under the paths of another protocol (protocols.py) the same refusal has that protocol's shape.
"""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.protocols import Protocol, error_body, protocol_of

NOT_FOUND, METHOD_NOT_ALLOWED = 404, 405


class ApiError(Exception):
    """A refusal with a status. `detail` says what is wrong and, where it helps, what to do."""

    status = 500
    detail = "The server failed to handle this request; its log has the reason under this request's X-Request-ID."

    def __init__(self, detail: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail or self.detail)
        self.detail = detail or self.detail
        self.headers = dict(headers or {})


class AmbiguousBody(ApiError):
    status = 400


class NotAuthenticated(ApiError):
    status = 401
    detail = "A valid bearer token is needed: get one from POST /login, send it as 'Authorization: Bearer <token>'."

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, {"WWW-Authenticate": "Bearer"})


class AdminsOnly(ApiError):
    status = 403
    detail = "Only an administrator may do this."


class CloudModel(ApiError):
    status = 403

    def __init__(self, model: str) -> None:
        super().__init__(f"{model!r} runs in Ollama's cloud; what is asked here stays on this machine.")


class ModelNotFound(ApiError):
    status = 404

    def __init__(self, model: str) -> None:
        super().__init__(f"model '{model}' not found")


class UploadNotFound(ApiError):
    status = 404
    detail = "There is no such file."


class BodyTooLarge(ApiError):
    status = 413


class UnsupportedFile(ApiError):
    status = 415


class RangeNotInFile(ApiError):
    status = 416
    detail = "The file has no such range."

    def __init__(self, size_bytes: int) -> None:
        super().__init__(headers={"Content-Range": f"bytes */{size_bytes}"})


class InvalidBody(ApiError):
    status = 422


class TooManyFailedLogins(ApiError):
    status = 429

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            f"Too many failed logins from this address; try again in {retry_after_seconds} s.",
            {"Retry-After": str(retry_after_seconds)},
        )


class OllamaUnavailable(ApiError):
    status = 502
    detail = "Ollama cannot be reached, or broke off before its first byte."


class OllamaSilent(ApiError):
    status = 504
    detail = "Ollama stayed silent past the limit (OLLAMA_TIMEOUT_SECONDS)."


class DiskFull(ApiError):
    status = 507
    detail = "The disk for uploads is full; nothing was kept."


def render(error: ApiError, path: str) -> JSONResponse:
    """The response to a request for `path`."""
    return JSONResponse(error_body(protocol_of(path), error.status, error.detail), error.status, error.headers)


def describe(error: RequestValidationError) -> str:
    """`body.model: Field required; body.messages: Field required`."""
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())


async def _on_api_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)  # noqa: S101  Narrows the type Starlette hands over.
    return render(error, request.url.path)


async def _on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return render(InvalidBody(describe(error)), request.url.path)


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    protocol, status = protocol_of(request.url.path), error.status_code
    # What is not listed of Ollama is not there, whatever the method.
    if status == METHOD_NOT_ALLOWED and protocol is not Protocol.LOCALCHAT:
        return nothing_here(request.method, request.url.path)
    detail = (
        _nothing_at(request.method, request.url.path) if status in (NOT_FOUND, METHOD_NOT_ALLOWED) else error.detail
    )
    return JSONResponse(error_body(protocol, status, detail), status, dict(error.headers or {}))


def nothing_here(method: str, path: str) -> JSONResponse:
    """The 404 for what is not listed."""
    return JSONResponse(error_body(protocol_of(path), NOT_FOUND, _nothing_at(method, path)), NOT_FOUND)


def _nothing_at(method: str, path: str) -> str:
    return f"There is no {method} {path} here; see /docs."


def add_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(ApiError, _on_api_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)

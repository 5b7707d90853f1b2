"""Every refusal: a status, and what is wrong and what to do, for a person. dialects.py puts them into a shape."""

from collections.abc import Mapping


class ApiError(Exception):
    """A refusal with a status. `detail` says what is wrong and, where it helps, what to do."""

    status = 500
    detail = "The server failed to handle this request; its log has the reason under this request's X-Request-ID."

    def __init_subclass__(cls, *, status: int | None = None) -> None:
        cls.status = status or cls.status

    def __init__(self, detail: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail or self.detail)
        self.detail = detail or self.detail
        self.headers = dict(headers or {})


class AmbiguousBody(ApiError, status=400): ...


class NotAuthenticated(ApiError, status=401):
    detail = (
        "A valid bearer token is needed: get one from POST /login, send it as 'Authorization: Bearer <token>'. "
        "An API key works too."
    )

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, {"WWW-Authenticate": "Bearer"})


class CrossSiteLogin(ApiError, status=403):
    detail = (
        "This login was sent by a web page of another origin. If the page is yours, add its origin to CORS_ORIGINS; "
        "if it is LocalChat's own behind a reverse proxy, let the proxy pass the Host header on unchanged."
    )


class WeakPassword(ApiError, status=403):
    """Whoever failed to log in: the answer does not reveal whose address ADMIN_EMAIL is."""

    detail = (
        "Wrong email or password; or this is the account of ADMIN_EMAIL, whose password is good for this machine only, "
        "and this login came through a proxy or a public name. For that account, set ADMIN_PASSWORD to 10 or more "
        "characters in .env and run 'docker compose up -d'."
    )


class AdminsOnly(ApiError, status=403):
    detail = "Only an administrator may do this."


class CloudModel(ApiError, status=403):
    def __init__(self, model: str) -> None:
        super().__init__(f"{model!r} runs in Ollama's cloud; what is asked here stays on this machine.")


class CloudTool(ApiError, status=403):
    def __init__(self, kind: str) -> None:
        super().__init__(
            f"The tool {kind[:50]!r} is run by ollama.com; what is asked here stays on this machine. Leave it out "
            '(in Codex: web_search = "disabled"), or turn off the cloud of this Ollama (OLLAMA_NO_CLOUD=1).'
        )


class ModelNotFound(ApiError, status=404):
    def __init__(self, model: str) -> None:
        super().__init__(f"model '{model}' not found")


class NotFound(ApiError, status=404): ...


class UploadNotFound(NotFound):
    detail = "There is no such file."


class MethodNotAllowed(ApiError, status=405): ...


class BodyTooSlow(ApiError, status=408): ...


class BodyTooLarge(ApiError, status=413): ...


class FileTooLarge(BodyTooLarge):
    def __init__(self, max_mb: int) -> None:
        super().__init__(f"The file is larger than {max_mb} MB (MAX_UPLOAD_MB).")


class CompressedBody(ApiError, status=415):
    def __init__(self, encodings: str) -> None:
        advice = ""
        if "zstd" in encodings.lower():
            advice = " In Codex, set enable_request_compression = false under [features] in config.toml."
        super().__init__(
            f"The body is compressed (Content-Encoding: {encodings}); send it uncompressed.{advice}",
            {"Accept-Encoding": "identity"},  # RFC 7694: what a request may have
        )


class NotJson(ApiError, status=415):
    detail = "Send JSON, with the header 'Content-Type: application/json'."


class UnsupportedFile(ApiError, status=415): ...


class RangeNotInFile(ApiError, status=416):
    detail = "The file has no such range."

    def __init__(self, size_bytes: int) -> None:
        super().__init__(headers={"Content-Range": f"bytes */{size_bytes}"})


class UnknownHost(ApiError, status=421):
    def __init__(self, host: str) -> None:
        # nginx says the same in error-bodies.conf; a test compares the two.
        super().__init__(
            f"LocalChat does not answer to the host name '{host}'. If the name is yours, add it to "
            "ALLOWED_HOSTS in .env and run 'docker compose up -d'."
        )


class InvalidBody(ApiError, status=422): ...


class ClientLeft(InvalidBody):
    """The client disconnected mid-body; not our error, so it is not logged as one."""

    detail = "The client disconnected before its body was complete."


class TooManyFailedLogins(ApiError, status=429):
    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            f"Too many failed logins from this address or to this account; try again in {retry_after_seconds} s.",
            {"Retry-After": str(retry_after_seconds)},
        )
        self.retry_after_seconds = retry_after_seconds


class OllamaUnavailable(ApiError, status=502):
    detail = "Ollama is unreachable or closed the connection before responding."


class LoginUnavailable(ApiError, status=503):
    detail = (
        "Nobody can log in at the moment: failed attempts cannot be counted. The API's log says why "
        "(a full, read-only or damaged volume `state`, as a rule)."
    )


class OllamaSilent(ApiError, status=504):
    detail = "Ollama did not respond in time (OLLAMA_TIMEOUT_SECONDS)."


class DiskFull(ApiError, status=507):
    detail = "The disk for uploads is full; nothing was kept."

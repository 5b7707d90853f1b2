"""The API dialects that clients speak here, told apart by path, and how each of them words an error."""

from enum import Enum

from fastapi.responses import JSONResponse

from api.errors import ApiError

# From the wire: Anthropic's and OpenAI's API references, and Ollama's own errors in their shapes.
ERROR_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


class Dialect(Enum):
    LOCALCHAT = "localchat"
    OLLAMA = "ollama"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"


# nginx has the same in error-bodies.conf, for the errors that it makes itself; a test compares the two.
PREFIXES = {
    "/v1/messages": Dialect.ANTHROPIC,
    "/v1/": Dialect.OPENAI,
    "/api/": Dialect.OLLAMA,
}


def dialect_of(path: str) -> Dialect:
    """The dialect of a request for `path`, whether there is such a path or not."""
    return next((dialect for prefix, dialect in PREFIXES.items() if path.startswith(prefix)), Dialect.LOCALCHAT)


def error_body(dialect: Dialect, status: int, detail: str) -> dict[str, object]:
    """The error as the dialect's clients read it; `detail` is for a person."""
    # What a client sent may be quoted in it, half a surrogate pair too, which has no UTF-8.
    detail = detail.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    kind = ERROR_TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")  # noqa: PLR2004
    match dialect:
        case Dialect.LOCALCHAT:
            return {"detail": detail}
        case Dialect.OLLAMA:
            return {"error": detail}
        case Dialect.OPENAI:
            return {"error": {"message": detail, "type": kind, "param": None, "code": None}}
        case Dialect.ANTHROPIC:
            return {"type": "error", "error": {"type": kind, "message": detail}}


def error_response(error: ApiError, path: str) -> JSONResponse:
    """The answer to a request for `path`."""
    return JSONResponse(error_body(dialect_of(path), error.status, error.detail), error.status, error.headers)

"""The protocols that are spoken here, told apart by path, and how each of them words an error."""

from enum import Enum

# From the wire: Anthropic's and OpenAI's API references, and Ollama's own errors in their shapes.
ERROR_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


class Protocol(Enum):
    """Whose clients a path is for."""

    LOCALCHAT = "localchat"
    OLLAMA = "ollama"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"


# nginx has the same in error-bodies.conf, for the errors that it makes itself; a test compares the two.
PREFIXES = {
    "/v1/messages": Protocol.ANTHROPIC,
    "/v1/": Protocol.OPENAI,
    "/api/": Protocol.OLLAMA,
}


def protocol_of(path: str) -> Protocol:
    """The protocol of a request for `path`, whether there is such a path or not."""
    return next((protocol for prefix, protocol in PREFIXES.items() if path.startswith(prefix)), Protocol.LOCALCHAT)


def error_body(protocol: Protocol, status: int, detail: str) -> dict[str, object]:
    """The error as the protocol's clients read it; `detail` is for a person."""
    match protocol:
        case Protocol.LOCALCHAT:
            return {"detail": detail}
        case Protocol.OLLAMA:
            return {"error": detail}
        case Protocol.OPENAI:
            error = {"message": detail, "type": _type_of(status), "param": None, "code": None}
            return {"error": error}
        case Protocol.ANTHROPIC:
            return {"type": "error", "error": {"type": _type_of(status), "message": detail}}


def _type_of(status: int) -> str:
    return ERROR_TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")  # noqa: PLR2004

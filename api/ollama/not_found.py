"""What is said of a path or a method that is not listed: that it is refused on purpose, or what base URL is right."""

from collections.abc import Iterator

from fastapi.responses import JSONResponse

from api.errors import MethodNotAllowed, NotFound
from api.ollama.allowlist import REFUSED, find, find_allowed, methods_of
from api.ollama.dialects import Dialect, dialect_of, error_response

# What base URLs end in, depending on the client: nothing, OpenAI's /v1, Ollama's /api.
ENDINGS = ("/v1", "/api")


def not_found_response(method: str, path: str, allowed: str = "") -> JSONResponse:
    """A stranger gets it too: it says no more than the documentation. 405 where other methods are offered (`allowed`,
    or those of a row), except in another dialect."""
    refused = find(REFUSED, method, path)
    if refused:
        return error_response(NotFound(f"{method} {path} is not offered here: {refused.reason}."), path)
    for meant, base_url in _other_readings(path):
        if find_allowed(method, meant):
            advice = f"There is no {method} {path} here, but {method} {meant}: the client's base URL has to {base_url}."
            return error_response(NotFound(advice), meant)
    detail = f"There is no {method} {path} here; see /docs."
    allowed = ", ".join(methods_of(path)) or allowed
    if allowed and dialect_of(path) is Dialect.LOCALCHAT:
        return error_response(MethodNotAllowed(detail, {"Allow": allowed}), path)
    return error_response(NotFound(detail), path)


def _other_readings(path: str) -> Iterator[tuple[str, str]]:
    """The path with another base URL, and what that URL has to be."""
    for ending in ENDINGS:
        yield ending + path, f"end in {ending}"
        if path.startswith(f"{ending}/"):
            yield path.removeprefix(ending), f"be without its {ending}"

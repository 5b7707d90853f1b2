"""What an endpoint may answer, for /openapi.json."""

from typing import Any

from pydantic import BaseModel

from api import schemas

Responses = dict[int | str, dict[str, Any]]

REASONS = {
    400: "A key is there twice, or differs from a known one by case alone.",
    401: "No token, or a bad or expired one.",
    403: "The model runs in Ollama's cloud.",
    404: "There is no such file.",
    413: "The body is too large.",
    415: "A type of file that is not accepted.",
    416: "The file has no such range.",
    422: "The body is not such a request.",
    429: "Too many failed attempts from this address.",
    502: "Ollama cannot be reached, or broke before its first byte.",
    504: "Ollama stayed silent past the limit.",
    507: "The disk is full; nothing was kept.",
}


def errors(*statuses: int, **reasons: str) -> Responses:
    """Our own errors, in their one shape. A reason other than the usual one: `_401="Wrong password."`."""
    return {
        status: {"description": reasons.get(f"_{status}", REASONS[status]), "model": schemas.Error}
        for status in statuses
    }


def from_ollama(status: int, description: str) -> Responses:
    """An error that Ollama makes and words itself."""
    return {status: {"description": description, "model": schemas.OllamaError}}


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads its JSON body by itself, after it knows the caller."""
    schema = model.model_json_schema(ref_template=REF)
    # What it refers to is among the components, because an answer refers to it too.
    schema.pop("$defs", None)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


REF = "#/components/schemas/{model}"

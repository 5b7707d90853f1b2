"""What /openapi.json says of an endpoint: its errors, its JSON body."""

from typing import Any

from pydantic import BaseModel, Field

from api.errors import OllamaUnavailable, RangeNotInFile, UploadNotFound

Responses = dict[int | str, dict[str, Any]]

REASONS = {
    400: "A duplicate key, or one that differs from a known one only in case.",
    401: "No token, or a bad or expired one.",
    403: "The model runs in Ollama's cloud, whatever it is called here.",
    404: UploadNotFound.detail,
    409: "It cannot be changed as it is now.",
    413: "The body is too large.",
    415: "The body is compressed.",
    416: RangeNotInFile.detail,
    422: "The body is not such a request.",
    429: "Too many failed attempts from this address.",
    502: OllamaUnavailable.detail,
    503: "Failed logins cannot be counted, so no login is allowed.",
    504: "Ollama did not respond in time.",
    507: "The disk is full, or the caller's quota is used up; nothing was kept.",
}


class Error(BaseModel):
    """Every error. One that comes from Ollama keeps Ollama's own body instead: `{"error": "..."}`."""

    detail: str = Field(examples=["What is wrong, for a person."])


def errors(*statuses: int, **reasons: str) -> Responses:
    """Our own errors, in their one shape. A reason other than the usual one: `_401="Wrong password."`."""
    return {status: {"description": reasons.get(f"_{status}", REASONS[status]), "model": Error} for status in statuses}


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads its JSON body itself, once it knows the caller."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    # What it refers to is among the components, because an answer refers to it too.
    schema.pop("$defs", None)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}

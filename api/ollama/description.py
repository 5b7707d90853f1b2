"""How /openapi.json describes the rows that are LocalChat's own: /chat and /models.

decide.py answers them, before FastAPI sees such a request. The dialects have descriptions of their own, by those who
make them.
"""

from fastapi import APIRouter

from api.ollama.schemas import ChatChunk, ChatRequest, Models, OllamaError
from api.openapi import Responses, errors, json_body

router = APIRouter()

ANSWER: Responses = {
    200: {
        "description": "With `stream: true` a line a chunk, as Ollama makes it; with `stream: false` one object.",
        "model": ChatChunk,
        "content": {"application/x-ndjson": {"schema": {"$ref": "#/components/schemas/ChatChunk"}}},
    }
}
MODEL_NOT_FOUND: Responses = {404: {"description": "Ollama has no such model.", "model": OllamaError}}


@router.post(
    "/chat",
    tags=["chat"],
    response_model=None,
    responses={**ANSWER, **errors(400, 401, 403, 413, 415, 422, 502, 504), **MODEL_NOT_FOUND},
    openapi_extra=json_body(ChatRequest),
)
async def chat() -> None:
    """Success is a line with `done: true`; a stream that ends without it failed."""


@router.get(
    "/models",
    tags=["models"],
    response_model=None,
    responses={200: {"description": "Ollama's own list.", "model": Models}, **errors(401, 502, 504)},
)
async def models() -> None:
    """Ollama's own list, as it is."""

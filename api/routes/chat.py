"""POST /chat: Ollama's chat, for callers with a token."""

from fastapi import Request, Response

from api.auth import authenticate
from api.bodies import check, parse_json, read_body, refuse_case_variants
from api.model_names import refuse_cloud_model
from api.relay import Relay
from api.routes.decisions import decision_router
from api.routes.responses import Responses, errors, from_ollama, json_body
from api.schemas import ChatChunk, ChatRequest, Message
from api.settings import Settings

router = decision_router("chat")

ANSWER: Responses = {
    200: {
        "description": "With `stream: true` a line a chunk, as Ollama makes it; with `stream: false` one object.",
        "model": ChatChunk,
        "content": {"application/x-ndjson": {"schema": {"$ref": "#/components/schemas/ChatChunk"}}},
    }
}


@router.post(
    "/chat",
    responses={**ANSWER, **errors(400, 401, 403, 413, 422, 502, 504), **from_ollama(404, "The model is not there.")},
    openapi_extra=json_body(ChatRequest),
)
async def chat(request: Request) -> Response:
    """Success is a line with `done: true`; a stream that ends without it failed."""
    # First: a stranger's body is not even read.
    authenticate(request)
    settings: Settings = request.app.state.settings
    relay: Relay = request.app.state.relay
    body = await read_body(request, settings.max_body_mb)
    return relay.to_ollama("POST", "/api/chat", body, _checked(body).model)


def _checked(body: bytes) -> ChatRequest:
    value = parse_json(body)
    refuse_case_variants(value, ChatRequest.model_fields)
    messages = value.get("messages") if isinstance(value, dict) else None
    for message in messages if isinstance(messages, list) else []:
        refuse_case_variants(message, Message.model_fields)
    chat_request = check(value, ChatRequest)
    refuse_cloud_model(chat_request.model)
    return chat_request

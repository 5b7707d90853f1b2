"""GET /models: what this Ollama has."""

from fastapi import Request, Response

from api.auth import authenticate
from api.relay import Relay
from api.routes.decisions import decision_router
from api.routes.responses import errors
from api.schemas import Models

router = decision_router("models")


@router.get(
    "/models",
    responses={200: {"description": "Ollama's own list.", "model": Models}, **errors(401, 502, 504)},
)
async def models(request: Request) -> Response:
    """Ollama's own list, as it is."""
    authenticate(request)
    relay: Relay = request.app.state.relay
    return relay.to_ollama("GET", "/api/tags")

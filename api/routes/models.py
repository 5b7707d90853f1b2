"""GET /models: what this Ollama has."""

from fastapi import APIRouter, Request, Response

from api.auth import CallerDep
from api.relay import Relay
from api.routes.responses import errors
from api.schemas import Models

router = APIRouter(tags=["models"])


@router.get(
    "/models",
    response_class=Response,
    responses={200: {"description": "Ollama's own list.", "model": Models}, **errors(401, 502, 504)},
)
async def models(request: Request, _: CallerDep) -> Response:
    """Ollama's own list, as it is."""
    relay: Relay = request.app.state.relay
    return relay.to_ollama("GET", "/api/tags")

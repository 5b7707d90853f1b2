"""GET /health: do API and Ollama answer? GET /live: does the API? The container's health check asks the second."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.errors import OllamaSilent, OllamaUnavailable
from api.ollama import Ollama
from api.schemas import Healthy, Unhealthy

router = APIRouter(tags=["health"])


@router.get(
    "/health", response_model=Healthy, responses={503: {"description": "Ollama does not answer.", "model": Unhealthy}}
)
async def health(request: Request) -> Response:
    """No token needed."""
    ollama: Ollama = request.app.state.ollama
    try:
        await ollama.check()
    except (OllamaUnavailable, OllamaSilent) as error:
        return JSONResponse(Unhealthy(ollama_url=ollama.url, detail=error.detail).model_dump(), 503)
    return JSONResponse(Healthy(ollama_url=ollama.url).model_dump())


# Ollama is left out on purpose: its outage must not restart the API.
@router.get("/live", include_in_schema=False)
async def live() -> dict[str, str]:
    return {"status": "ok"}

"""GET /health: do API and Ollama answer? GET /live: does the API? The container's health check asks the second."""

from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from api.errors import OllamaSilent, OllamaUnavailable
from api.parts import PartsDep

router = APIRouter(tags=["health"])


class Healthy(BaseModel):
    status: Literal["ok"] = "ok"
    ollama_url: str


class Unhealthy(BaseModel):
    status: Literal["unavailable"] = "unavailable"
    ollama_url: str
    detail: str


@router.head("/health", include_in_schema=False)
@router.get(
    "/health", response_model=Healthy, responses={503: {"description": "Ollama does not answer.", "model": Unhealthy}}
)
async def health(parts: PartsDep) -> Response:
    """No token needed."""
    url = parts.ollama.url
    try:
        await parts.ollama.check()
    except (OllamaUnavailable, OllamaSilent) as error:
        return JSONResponse(Unhealthy(ollama_url=url, detail=error.detail).model_dump(), 503)
    return JSONResponse(Healthy(ollama_url=url).model_dump())


# Ollama is left out on purpose: its outage must not restart the API.
@router.get("/live", include_in_schema=False)
async def live() -> dict[str, str]:
    return {"status": "ok"}

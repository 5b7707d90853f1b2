"""Ollama's own API, OpenAI's and Anthropic's, for their clients: decided here from one table, answered by Ollama."""

from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from api.auth import authenticate
from api.bodies import check, parse_json, read_body, refuse_body, refuse_case_variants
from api.errors import AdminsOnly, ModelNotFound
from api.model_names import canonical, is_name, refuse_cloud_model
from api.ollama import Ollama
from api.ollama_routes import ALLOWED, Body, OllamaRoute, Who
from api.pulls import Pulls
from api.relay import Relay
from api.routes.decisions import decision_router
from api.schemas import CopyRequest, ModelRequest, NamedModels, PullRequest
from api.settings import Settings

# Not in /openapi.json: these protocols have descriptions of their own, by those who make them.
router = decision_router(include_in_schema=False)

CHECKS: dict[Body, type[NamedModels]] = {Body.MODEL: ModelRequest, Body.COPY: CopyRequest, Body.PULL: PullRequest}
# What is checked, and so must not be there in another case. The rest is Ollama's business.
CHECKED_KEYS = {key for schema in CHECKS.values() for key in schema.model_fields}


def _endpoint(route: OllamaRoute) -> Callable[..., Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        caller = authenticate(request)
        if route.who is Who.ADMINS and not caller.is_admin:
            raise AdminsOnly
        if route.body is Body.NONE:
            refuse_body(request)
            return _carry(request, route.path)
        settings: Settings = request.app.state.settings
        body = await read_body(request, settings.max_body_mb)
        value = parse_json(body)
        refuse_case_variants(value, CHECKED_KEYS)
        names = check(value, CHECKS[route.body]).names()
        for name in names:
            refuse_cloud_model(name)
        if route.body is Body.PULL:
            pulls: Pulls = request.app.state.pulls
            pulls.keep(names[0])
        return _carry(request, route.path, body, names[0])

    return endpoint


def _carry(request: Request, path: str, body: bytes = b"", model: str = "") -> Response:
    relay: Relay = request.app.state.relay
    return relay.to_ollama(request.method, path, body, model)


async def _model(request: Request) -> Response:
    authenticate(request)
    refuse_body(request)
    model: str = request.path_params["model"]
    refuse_cloud_model(model)
    if not is_name(model):
        raise ModelNotFound(model)
    if "/" not in model:
        return _carry(request, f"/v1/models/{model}", model=model)
    # Ollama has no route for a name with a slash: its own entry, out of its own list.
    ollama: Ollama = request.app.state.ollama
    answer = await ollama.get("/v1/models")
    if answer.is_error:
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("Content-Type"))
    for entry in answer.json()["data"] or []:
        if canonical(entry["id"]) == canonical(model):
            return JSONResponse(entry)
    raise ModelNotFound(model)


for _route in ALLOWED:
    if _route.path == "/v1/models/:model":
        router.add_api_route("/v1/models/{model:path}", _model, methods=_route.methods.split())
    else:
        router.add_api_route(_route.path, _endpoint(_route), methods=_route.methods.split())

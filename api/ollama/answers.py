"""How a request that was found sound is answered. A row of the allow-list names one of these."""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from fastapi import Request, Response

from api.errors import ModelNotFound
from api.http.bodies import announced_bytes
from api.ollama.direct import answer_type
from api.ollama.model_names import canonical
from api.ollama.requests import Checked
from api.parts import Parts

if TYPE_CHECKING:
    from api.ollama.allowlist import Row


Answer = Callable[["Row", Request, Checked, Parts], Awaitable[Response]]


async def carry(row: "Row", request: Request, checked: Checked, parts: Parts) -> Response:
    """Ollama answers the client's own request."""
    return parts.relay.to_ollama(request.method, row.upstream, checked.body, checked.model)


async def look_up(row: "Row", request: Request, checked: Checked, parts: Parts) -> Response:
    """Ollama lists what it has. A body is ignored, as Ollama does, and not sent on: it was not checked."""
    return _get(row, request, row.upstream, checked, parts)


async def pull(row: "Row", _: Request, checked: Checked, parts: Parts) -> Response:
    """The client joins a pull that goes on when it leaves."""
    await parts.pulls.begin(checked.model)
    return parts.relay.post_to_ollama(row.upstream, checked.body, checked.model)


async def describe_model(row: "Row", request: Request, checked: Checked, parts: Parts) -> Response:
    """What /v1/models says of one model. Ollama has no route for a name with a slash: its entry, out of the list."""
    if "/" not in checked.model:
        return _get(row, request, f"/v1/models/{checked.model}", checked, parts)
    answer = await parts.ollama.get("/v1/models")
    if answer.is_error:
        content_type = answer_type(answer.headers.get("Content-Type", ""))
        return Response(answer.content, answer.status_code, {"Content-Type": content_type})
    for entry in answer.json()["data"] or []:
        if canonical(entry["id"]) == canonical(checked.model):
            # As ASCII: a name may have half a surrogate pair, which has no UTF-8.
            return Response(json.dumps(entry), media_type="application/json")
    raise ModelNotFound(checked.model)


def _get(row: "Row", request: Request, path: str, checked: Checked, parts: Parts) -> Response:
    if announced_bytes(request) or (request.method == "HEAD" and row.head_as_get):
        return parts.relay.get_from_ollama(path, checked.model)
    return parts.relay.to_ollama(request.method, path, b"", checked.model)

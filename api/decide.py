"""The one way that every request to Ollama takes."""

from fastapi import Request, Response

from api.accounts import audit
from api.accounts.identify import identify, need_scope
from api.accounts.store import Caller
from api.errors import AdminsOnly, ModelNotFound
from api.ollama.allowlist import Access, Row
from api.ollama.model_names import is_name, refuse_cloud_model
from api.ollama.requests import Checked
from api.parts import Parts


async def decide(row: Row, request: Request, parts: Parts) -> Response:
    """What becomes of a request that `row` allows. Raises ApiError."""
    caller = await identify(request, parts)  # First: a stranger's body is not even read.
    authorise(caller, row)
    checked = await read(request, row, parts)
    if row.runs_models and checked.models:
        await parts.cloud.refuse(checked.models, checked.cloud_tools)
    if row.access is Access.ADMINS:
        audit.record(request, f"model {row.path.rpartition('/')[2]}", model=" ".join(checked.models))
    return await row.answer(row, request, checked, parts)


def authorise(caller: Caller, row: Row) -> None:
    """Raises AdminsOnly, and ScopeMissing for an API key."""
    if row.access is Access.ADMINS and not caller.is_admin:
        raise AdminsOnly
    need_scope(caller, "models" if row.access is Access.ADMINS else "chat")


async def read(request: Request, row: Row, parts: Parts) -> Checked:
    """What the row says is checked. Raises what BodyReader and the checks raise, CloudModel and ModelNotFound."""
    if row.check is not None:
        return await parts.bodies.read(request, row.check)
    # Not request.url: an escaped `?` or `#` in a name would end its path.
    model = None if row.is_exact else row.model_in(request.scope["path"])
    if model is None:
        return Checked()
    refuse_cloud_model(model)
    if not is_name(model):
        raise ModelNotFound(model)
    return Checked(models=(model,))

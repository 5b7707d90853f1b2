"""GET, POST /keys and DELETE /keys/{key_id}: the caller's own API keys."""

from fastapi import APIRouter, Request, Response

from api.accounts import key_ring, people
from api.accounts.audit import caller_of
from api.accounts.bodies import read_json
from api.accounts.errors import KeyNotFound
from api.accounts.identify import SessionDep, own_account
from api.accounts.schemas import Keys, MadeKey, NewKey
from api.openapi import errors, json_body
from api.parts import PartsDep

router = APIRouter(tags=["keys"])


@router.head("/keys", include_in_schema=False)
@router.get("/keys", responses=errors(401, 403, 503))
async def list_keys(caller: SessionDep, parts: PartsDep) -> Keys:
    """Those of the caller, the newest first."""
    picture = await parts.directory.now()
    return Keys.of(caller.account_id, picture.keys.values())


@router.post(
    "/keys",
    status_code=201,
    responses=errors(
        *(400, 401, 403, 409, 413, 415, 422, 503),
        _403="An API key asks, or the scope `models` is for administrators.",
        _409=f"The account has {people.MAX_KEYS} keys.",
    ),
    openapi_extra=json_body(NewKey),
)
async def make_key(request: Request, caller: SessionDep, parts: PartsDep) -> MadeKey:
    """A credential for a program: it works until it is deleted, or until `expires_in_days` have gone by."""
    body = await read_json(request, NewKey)
    return await key_ring.make_key(await own_account(caller, parts), body, parts, caller_of(request))


@router.delete("/keys/{key_id}", status_code=204, responses=errors(401, 403, 404, 422, 503, _404=KeyNotFound.detail))
async def delete_key(key_id: str, request: Request, caller: SessionDep, parts: PartsDep) -> Response:
    """It works no longer from then on."""
    await key_ring.delete_key(await own_account(caller, parts), key_id, parts, caller_of(request))
    return Response(status_code=204)

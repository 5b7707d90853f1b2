"""/users: what administrators see and change of everybody's accounts."""

from fastapi import APIRouter, Request, Response

from api.accounts import administration
from api.accounts.audit import caller_of
from api.accounts.bodies import read_json
from api.accounts.errors import AccountNotFound, EmailTaken
from api.accounts.schemas import Invited, MadeUser, NewUser, User, UserChange, Users
from api.accounts.store import Account
from api.openapi import errors, json_body
from api.parts import Parts, PartsDep

SETTINGS = "It is the account of ADMIN_EMAIL, which is kept in .env."
NOT_FOUND = AccountNotFound.detail

router = APIRouter(tags=["people"])


async def _account(user_id: str, parts: Parts) -> Account:
    """Raises AccountNotFound."""
    account = (await parts.directory.now()).accounts.get(user_id)
    if account is None:
        raise AccountNotFound
    return account


@router.head("/users", include_in_schema=False)
@router.get("/users", responses=errors(401, 403, 503))
async def list_users(parts: PartsDep) -> Users:
    """Everybody, the oldest account first."""
    return Users.of((await parts.directory.now()).accounts.values())


@router.post(
    "/users",
    status_code=201,
    response_model_exclude_unset=True,
    responses=errors(400, 401, 403, 409, 413, 415, 422, 503, _409=EmailTaken.detail),
    openapi_extra=json_body(NewUser),
)
async def make_user(request: Request, parts: PartsDep) -> MadeUser:
    """With a password, or with an invitation to set one."""
    account, invitation = await administration.make_account(
        await read_json(request, NewUser), parts, caller_of(request)
    )
    return MadeUser.with_invitation(account, invitation)


@router.patch(
    "/users/{user_id}",
    responses=errors(400, 401, 403, 404, 409, 413, 415, 422, 503, _404=NOT_FOUND, _409=SETTINGS),
    openapi_extra=json_body(UserChange),
)
async def change_user(user_id: str, request: Request, parts: PartsDep) -> User:
    """A new password, or `disabled`, ends the account's sessions; a role counts from the next request on."""
    account = await _account(user_id, parts)
    change = await read_json(request, UserChange)
    return User.of(await administration.change_account(account, change, parts, caller_of(request)))


@router.post(
    "/users/{user_id}/invitation",
    status_code=201,
    responses=errors(401, 403, 404, 409, 422, 503, _404=NOT_FOUND, _409=SETTINGS),
)
async def invite_user(user_id: str, request: Request, parts: PartsDep) -> Invited:
    """A new link in place of an earlier one, for a forgotten password too. The old password works until it is used."""
    account = await _account(user_id, parts)
    return Invited(invitation=await administration.invite(account, parts, caller_of(request)))


@router.delete(
    "/users/{user_id}", status_code=204, responses=errors(401, 403, 404, 409, 422, 503, _404=NOT_FOUND, _409=SETTINGS)
)
async def delete_user(user_id: str, request: Request, parts: PartsDep) -> Response:
    """With its keys, sessions and files."""
    await administration.delete_account(await _account(user_id, parts), parts, caller_of(request))
    return Response(status_code=204)

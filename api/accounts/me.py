"""What callers see and change of their own account: GET /me, PUT /me/password, POST /logout."""

from fastapi import APIRouter, Request, Response

from api.accounts import audit, people
from api.accounts.bodies import read_json
from api.accounts.elsewhere import refuse_password_kept_elsewhere
from api.accounts.errors import WrongPassword
from api.accounts.identify import SessionDep, own_account
from api.accounts.password_rules import refuse_weak
from api.accounts.schemas import Me, PasswordChange
from api.accounts.store import comparable
from api.accounts.throttled import throttled
from api.openapi import errors, json_body
from api.parts import PartsDep

router = APIRouter(tags=["me"])


@router.head("/me", include_in_schema=False)
@router.get("/me", responses=errors(401, 403, 503))
async def me(caller: SessionDep, parts: PartsDep) -> Me:
    """The account of the caller."""
    return Me.of(await own_account(caller, parts))


@router.put(
    "/me/password",
    status_code=204,
    responses=errors(
        *(400, 401, 403, 409, 413, 415, 422, 429, 503),
        _403="The current password is wrong, or an API key asks.",
        _409="The password is kept elsewhere: in ADMIN_PASSWORD, or at the OpenID Connect provider.",
    ),
    openapi_extra=json_body(PasswordChange),
)
async def change_password(request: Request, caller: SessionDep, parts: PartsDep) -> Response:
    """All other sessions of the account end; API keys stay."""
    account = await own_account(caller, parts)
    refuse_password_kept_elsewhere(account)
    body = await read_json(request, PasswordChange)
    refuse_weak(body.new, account.email)
    old_hash = account.password_hash or ""
    if not await throttled(
        request, parts, lambda: parts.passwords.matches(old_hash, body.current), account=comparable(account.email)
    ):
        raise WrongPassword
    new_hash, session = await parts.passwords.hash(body.new), caller.session or ""
    if not await parts.database.write(
        lambda connection: people.change_password(connection, account.id, old_hash, new_hash, session)
    ):
        raise WrongPassword
    audit.record(request, "password changed")
    return Response(status_code=204)


@router.post(
    "/logout", status_code=204, responses=errors(401, 403, 422, 503, _422="`everywhere` is not true or false.")
)
async def logout(request: Request, caller: SessionDep, parts: PartsDep, *, everywhere: bool = False) -> Response:
    """Ends the session that asks, or all of the account's. API keys stay."""
    if everywhere:
        await parts.database.write(lambda connection: people.end_all_sessions(connection, caller.account_id))
    else:
        await parts.database.write(lambda connection: people.end_session(connection, caller))
    audit.record(request, "logout everywhere" if everywhere else "logout")
    return Response(status_code=204)

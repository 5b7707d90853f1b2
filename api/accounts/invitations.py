"""Invitations: a link with which somebody sets the password of an account, once. There is no mail server to send it."""

import secrets
import time

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api.accounts import audit, people
from api.accounts.bodies import read_strangers_json
from api.accounts.errors import InvitationNotFound
from api.accounts.keys import digest_of
from api.accounts.password_rules import refuse_weak
from api.accounts.picture import Picture
from api.accounts.schemas import NewPassword
from api.accounts.store import Account, Invitation
from api.openapi import errors, json_body
from api.parts import PartsDep

LIFETIME_SECONDS = 7 * 24 * 3600
PAGE_PATH = "/#/invitation/"  # The part after # stays in the browser: no log has it.

router = APIRouter(tags=["people"])


@router.post(
    "/invitations/{token}",
    status_code=204,
    responses=errors(
        *(400, 403, 404, 413, 415, 422, 503),
        _403="A web page whose origin CORS_ORIGINS does not list.",
        _404=InvitationNotFound.detail,
        _415="Not application/json, or compressed.",
    ),
    openapi_extra=json_body(NewPassword),
)
async def accept(token: str, request: Request, parts: PartsDep) -> Response:
    """Sets the password of the account that was invited. No token needed but the link's own."""
    digest = digest_of(token)
    account = _invited(await parts.directory.now(), digest)
    body = await read_strangers_json(request, parts, NewPassword)
    refuse_weak(body.password, account.email)
    password_hash = await parts.passwords.hash(body.password)
    await parts.database.write(lambda connection: people.accept(connection, digest, password_hash))
    audit.record(request, "invitation accepted", account.email)
    return Response(status_code=204)


def new_invitation(connection: Connection, account_id: str) -> str:
    """The path of the page that accepts it."""
    token = secrets.token_urlsafe(32)
    ends_at = int(time.time()) + LIFETIME_SECONDS
    people.invite(connection, Invitation(account_id, digest_of(token), ends_at))
    return PAGE_PATH + token


def _invited(picture: Picture, digest: str) -> Account:
    """Raises InvitationNotFound, and DatabaseUnavailable."""
    picture.refuse_unless_current()
    invitation = picture.invitations.get(digest)
    account = picture.accounts.get(invitation.account_id) if invitation else None
    if invitation is None or account is None or account.disabled or time.time() >= invitation.expires_at:
        raise InvitationNotFound
    return account

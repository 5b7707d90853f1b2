"""What is done to people's accounts: the same rules for an administrator's request and an operator's command."""

import asyncio
import time

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.accounts import audit, people
from api.accounts.audit import Actor
from api.accounts.elsewhere import refuse_password_kept_elsewhere, refuse_the_settings_account
from api.accounts.errors import EmailTaken
from api.accounts.invitations import new_invitation
from api.accounts.password_rules import refuse_weak
from api.accounts.schemas import NewUser, UserChange
from api.accounts.store import Account, comparable
from api.accounts.tokens import new_epoch
from api.parts import Parts


async def make_account(new: NewUser, parts: Parts, actor: Actor) -> tuple[Account, str | None]:
    """With its invitation, unless it has a password. Raises EmailTaken, InvalidBody and TooManyPasswords."""
    password_hash = None if new.password is None else await _hash(new.password, new.email, parts)
    if comparable(new.email) == comparable(parts.settings_account.email):
        raise EmailTaken
    account = Account(
        id=people.new_id(),
        email=new.email,
        comparable=comparable(new.email),
        name=new.name,
        role=new.role,
        password_hash=password_hash,
        disabled=False,
        created_at=int(time.time()),
        last_seen_at=None,
        managed_by="page",
        session_epoch=new_epoch(),
        kept_session=None,
    )

    def add(connection: Connection) -> str | None:
        people.add_account(connection, account)
        return None if password_hash else new_invitation(connection, account.id)

    try:
        invitation = await parts.database.write(add)
    except IntegrityError as error:
        raise EmailTaken from error
    audit.record_by(actor, "account made", account=account.email, role=account.role)
    return account, invitation


async def change_account(account: Account, change: UserChange, parts: Parts, actor: Actor) -> Account:
    """The account as it is then. Raises ManagedElsewhere, AccountNotFound, InvalidBody and TooManyPasswords."""
    refuse_the_settings_account(account)
    fields = change.model_fields_set
    changes: dict[str, object] = {name: getattr(change, name) for name in fields - {"password"}}
    if "password" in fields:
        refuse_password_kept_elsewhere(account)
        changes |= people.with_new_password(await _hash(change.password, account.email, parts))
    if changes.get("disabled"):
        # Or the old ones would come back with the account.
        changes |= people.ending_sessions()

    def write(connection: Connection) -> None:
        people.change_account(connection, account.id, changes)
        if "password" in fields:
            people.withdraw_invitation(connection, account.id)

    if changes:
        await parts.database.write(write)
        audit.record_by(actor, "account changed", account=account.email, changed=sorted(fields))
    return (await parts.directory.now()).accounts.get(account.id) or account


async def invite(account: Account, parts: Parts, actor: Actor) -> str:
    """A new link in place of an earlier one. Raises ManagedElsewhere."""
    refuse_the_settings_account(account)
    refuse_password_kept_elsewhere(account)
    invitation = await parts.database.write(lambda connection: new_invitation(connection, account.id))
    audit.record_by(actor, "invitation made", account=account.email)
    return invitation


async def delete_account(account: Account, parts: Parts, actor: Actor) -> None:
    """With its keys, sessions and files. Raises ManagedElsewhere and AccountNotFound."""
    refuse_the_settings_account(account)
    await parts.database.write(lambda connection: people.delete_account(connection, account.id))
    audit.record_by(actor, "account deleted", account=account.email)
    await asyncio.to_thread(parts.uploads.remove, account.id)


async def _hash(password: str, email: str, parts: Parts) -> str:
    """Raises InvalidBody for a weak one, and TooManyPasswords."""
    refuse_weak(password, email)
    return await parts.passwords.hash(password)

"""Changes to accounts, keys, sessions and invitations: each a function of a transaction."""

import secrets
import time

from sqlalchemy import Connection, Table, delete, func, insert, select, update

from api.accounts.errors import AccountNotFound, InvitationNotFound, KeyNotFound, TooManyKeys
from api.accounts.store import Account, ApiKey, Caller, Invitation
from api.accounts.tokens import new_epoch
from api.database.tables import account, api_key, invitation, revoked_session

MAX_KEYS = 100
# Of one account, not yet past their end: then all of its sessions end together. It bounds what a caller who logs in and
# out all day takes up in each worker's memory.
MAX_ENDED_SESSIONS = 500


def new_id() -> str:
    """Also a good name for a folder."""
    return secrets.token_hex(8)


def add_account(connection: Connection, new: Account) -> None:
    """Raises IntegrityError where the address is taken."""
    connection.execute(insert(account).values(vars(new)))


def change_account(connection: Connection, account_id: str, changes: dict[str, object]) -> None:
    """Raises AccountNotFound."""
    changed = connection.execute(update(account).where(account.c.id == account_id).values(changes))
    if changed.rowcount == 0:
        raise AccountNotFound


def delete_account(connection: Connection, account_id: str) -> None:
    """With its keys, ended sessions and invitation. Raises AccountNotFound."""
    if connection.execute(delete(account).where(account.c.id == account_id)).rowcount == 0:
        raise AccountNotFound


def change_password(connection: Connection, account_id: str, old_hash: str, new_hash: str, session: str) -> bool:
    """Ends all sessions but `session`. False where the password is no longer the one that was compared."""
    statement = update(account).where(account.c.id == account_id, account.c.password_hash == old_hash)
    values = {"password_hash": new_hash, "session_epoch": new_epoch(), "kept_session": session}
    return connection.execute(statement.values(values)).rowcount == 1


def with_new_password(new_hash: str) -> dict[str, object]:
    """The changes to an account whose password somebody else sets: all of its sessions end."""
    return {"password_hash": new_hash, **ending_sessions()}


def ending_sessions() -> dict[str, object]:
    return {"session_epoch": new_epoch(), "kept_session": None}


def end_session(connection: Connection, caller: Caller) -> None:
    now = int(time.time())
    connection.execute(delete(revoked_session).where(revoked_session.c.expires_at <= now))
    if _count(connection, revoked_session, caller.account_id) >= MAX_ENDED_SESSIONS:
        end_all_sessions(connection, caller.account_id)
        return
    connection.execute(delete(revoked_session).where(revoked_session.c.jti == caller.session))
    row = {"jti": caller.session, "account_id": caller.account_id, "expires_at": caller.session_ends_at}
    connection.execute(insert(revoked_session).values(row))


def end_all_sessions(connection: Connection, account_id: str) -> None:
    change_account(connection, account_id, ending_sessions())
    # Their epoch has ended anyway.
    connection.execute(delete(revoked_session).where(revoked_session.c.account_id == account_id))


def add_key(connection: Connection, new: ApiKey) -> None:
    """Raises TooManyKeys."""
    if _count(connection, api_key, new.account_id) >= MAX_KEYS:
        raise TooManyKeys(f"An account has at most {MAX_KEYS} API keys; delete one first.")
    connection.execute(insert(api_key).values({**vars(new), "scopes": " ".join(sorted(new.scopes))}))


def delete_key(connection: Connection, account_id: str, key_id: str) -> None:
    """Raises KeyNotFound."""
    own = delete(api_key).where(api_key.c.id == key_id, api_key.c.account_id == account_id)
    if connection.execute(own).rowcount == 0:
        raise KeyNotFound


def invite(connection: Connection, new: Invitation) -> None:
    """In place of an earlier invitation of the account."""
    withdraw_invitation(connection, new.account_id)
    connection.execute(insert(invitation).values(vars(new)))


def withdraw_invitation(connection: Connection, account_id: str) -> None:
    connection.execute(delete(invitation).where(invitation.c.account_id == account_id))


def accept(connection: Connection, digest: str, password_hash: str) -> None:
    """Once. Raises InvitationNotFound."""
    good = (invitation.c.digest == digest, invitation.c.expires_at > time.time())
    account_id = connection.scalar(select(invitation.c.account_id).where(*good))
    if account_id is None:
        raise InvitationNotFound
    withdraw_invitation(connection, account_id)
    change_account(connection, account_id, with_new_password(password_hash))


def _count(connection: Connection, table: Table, account_id: str) -> int:
    rows = select(func.count()).select_from(table).where(table.c.account_id == account_id)
    return connection.scalar(rows) or 0

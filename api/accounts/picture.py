"""All accounts, keys and revocations at one moment, in memory: callers are looked up there, not in the database."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row, select

from api.accounts.errors import DatabaseUnavailable
from api.accounts.store import SETTINGS_ID, Account, ApiKey, Invitation, comparable
from api.database import tables


@dataclass(frozen=True)
class Picture:
    """Never changed: a new one takes its place."""

    accounts: Mapping[str, Account]
    by_address: Mapping[str, Account]  # as comparable() has it
    keys: Mapping[str, ApiKey] = field(default_factory=dict)  # by digest
    invitations: Mapping[str, Invitation] = field(default_factory=dict)  # by digest
    ended_sessions: frozenset[str] = frozenset()
    # Otherwise it is the last one that could be read, and good for the settings' account only.
    is_current: bool = True

    def account_at(self, address: str) -> Account | None:
        """The account with a comparable() address. Raises DatabaseUnavailable."""
        return self._trusted(self.by_address.get(address))

    def owner(self, key: ApiKey) -> Account | None:
        """Raises DatabaseUnavailable."""
        return self._trusted(self.accounts.get(key.account_id))

    def refuse_unless_current(self) -> None:
        """Raises DatabaseUnavailable."""
        if not self.is_current:
            raise DatabaseUnavailable

    def _trusted(self, account: Account | None) -> Account | None:
        if account is None or not account.is_the_settings:
            self.refuse_unless_current()
        return account


def picture_of(accounts: Iterable[Account], settings_account: Account, **others: Any) -> Picture:  # noqa: ANN401
    """One in which the settings' account has the address that the settings say, and nobody else has it."""
    address = comparable(settings_account.email)
    by_id = {SETTINGS_ID: settings_account}
    for account in accounts:
        if account.is_the_settings:
            by_id[account.id] = replace(account, email=settings_account.email)
        else:
            by_id[account.id] = replace(account, disabled=True) if account.comparable == address else account
    by_address = {account.comparable: account for account in by_id.values() if account.comparable is not None}
    return Picture(by_id, {**by_address, address: by_id[SETTINGS_ID]}, **others)


def read_picture(connection: Connection, settings_account: Account) -> Picture:
    keys = [_key(row) for row in connection.execute(select(tables.api_key))]
    invitations = [Invitation(**row._asdict()) for row in connection.execute(select(tables.invitation))]
    ended = select(tables.revoked_session.c.jti).where(tables.revoked_session.c.expires_at > time.time())
    return picture_of(
        [Account(**row._asdict()) for row in connection.execute(select(tables.account))],
        settings_account,
        keys={key.digest: key for key in keys},
        invitations={invitation.digest: invitation for invitation in invitations},
        ended_sessions=frozenset(connection.execute(ended).scalars()),
    )


def _key(row: Row[Any]) -> ApiKey:
    values = row._asdict()
    return ApiKey(**{**values, "scopes": frozenset(values["scopes"].split())})

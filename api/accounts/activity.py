"""When accounts were last seen and keys last used: noted in memory, written once a minute by one task."""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress

from sqlalchemy import Connection, Table, bindparam, update

from api.accounts.errors import DatabaseUnavailable
from api.accounts.store import Caller
from api.database.database import Database
from api.database.tables import account, api_key

INTERVAL_SECONDS = 60

log = logging.getLogger(__name__)


class Activity:
    """That of one worker."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._accounts: dict[str, int] = {}
        self._keys: dict[str, int] = {}

    def note(self, caller: Caller) -> None:
        now = int(time.time())
        self._accounts[caller.account_id] = now
        if caller.key_id is not None:
            self._keys[caller.key_id] = now

    async def write_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            await self.write()

    async def write(self) -> None:
        accounts, self._accounts = self._accounts, {}
        keys, self._keys = self._keys, {}
        if accounts or keys:
            # Not kept for later: it is a hint, and the log has the reason.
            with suppress(DatabaseUnavailable):
                await self._database.write(lambda connection: _write(connection, accounts, keys))


def _write(connection: Connection, accounts: Mapping[str, int], keys: Mapping[str, int]) -> None:
    _set(connection, account, "last_seen_at", accounts)
    _set(connection, api_key, "last_used_at", keys)


def _set(connection: Connection, table: Table, column: str, times: Mapping[str, int]) -> None:
    if times:
        statement = update(table).where(table.c.id == bindparam("row")).values({column: bindparam("at")})
        rows = [{"row": row, "at": at - at % INTERVAL_SECONDS} for row, at in times.items()]
        connection.execute(statement, rows)

"""Keeps a worker's picture of the accounts current: what anybody has committed counts for the next request."""

import asyncio
import logging
import time
from dataclasses import replace
from functools import partial

from api.accounts.errors import DatabaseUnavailable
from api.accounts.picture import Picture, picture_of, read_picture
from api.accounts.store import Account
from api.database.changes import Changes, Unreadable, Version
from api.database.database import Database

log = logging.getLogger(__name__)

# For what lasts milliseconds: another process is just repairing the file after a crash.
ATTEMPTS, PAUSE_SECONDS = 5, 0.02
# A database that cannot be read is not tried again for each request.
RETRY_AFTER_SECONDS = 1


class Directory:
    """The accounts, as they are now."""

    def __init__(self, database: Database, changes: Changes, settings_account: Account) -> None:
        self._database = database
        self._changes = changes
        self._settings_account = settings_account
        self._picture: Picture | None = None
        self._version: Version | None = None
        self._failed_at = -float("inf")
        self._turn = asyncio.Lock()

    async def now(self) -> Picture:
        """The picture, with everything that was committed before this call."""
        try:
            if self._changes.version() == self._version and self._picture is not None:
                return self._picture
        except Unreadable:
            pass
        return await self._read()

    def close(self) -> None:
        self._changes.close()

    async def _read(self) -> Picture:
        async with self._turn:
            if time.monotonic() - self._failed_at < RETRY_AFTER_SECONDS:
                return self._last()
            try:
                # Asked before reading: what is committed while it is read shows as another version.
                version = await self._readable_version()
                if version != self._version or self._picture is None:
                    self._picture = await self._database.read(
                        partial(read_picture, settings_account=self._settings_account)
                    )
                    self._version = version
            except (Unreadable, DatabaseUnavailable) as error:
                log.error("only the account of ADMIN_EMAIL gets in: the database cannot be read: %s", error)  # noqa: TRY400
                self._failed_at = time.monotonic()
                return self._last()
            return self._picture

    async def _readable_version(self) -> Version:
        for _ in range(ATTEMPTS - 1):
            try:
                return self._changes.version()
            except Unreadable:
                await asyncio.sleep(PAUSE_SECONDS)
        return self._changes.version()

    def _last(self) -> Picture:
        """For the settings' account only."""
        if self._picture is None:
            return replace(picture_of([], self._settings_account), is_current=False)
        return replace(self._picture, is_current=False)

"""Reads and writes the database, in threads of its own: SQLite waits for locks and disks."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from api.accounts.errors import DatabaseUnavailable
from api.database.engine import open_engine

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class Database:
    """One worker's way to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = open_engine(path)
        self._reading = self._engine.execution_options(read_only=True)
        # Two, because a write may wait for other processes' writes, and a read for nobody.
        self._reader = ThreadPoolExecutor(1, "database-reader")
        self._writer = ThreadPoolExecutor(1, "database-writer")

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns. Raises DatabaseUnavailable."""

        def run() -> Result:
            with self._reading.begin() as connection:
                return work(connection)

        return await self._in(self._reader, run)

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """The same in a transaction that writes: all of it is kept, or nothing. Raises IntegrityError too."""

        def run() -> Result:
            with self._engine.begin() as connection:
                return work(connection)

        return await self._in(self._writer, run)

    def close(self) -> None:
        self._reader.shutdown()
        self._writer.shutdown()

    async def _in(self, thread: ThreadPoolExecutor, run: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, run)
        except IntegrityError:
            raise
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            log.error("the database %s cannot be used: %s", self._path, getattr(error, "orig", error))  # noqa: TRY400
            raise DatabaseUnavailable from error

"""Whether anybody has written to the database since: asked at each request, so it takes microseconds.

An interface, so that PostgreSQL's LISTEN and NOTIFY can take its place.
"""

import os
import sqlite3
from pathlib import Path
from typing import Protocol

from api.database.engine import connect

Version = tuple[int, int]


class Unreadable(Exception):
    """The database cannot be read at the moment."""


class Changes(Protocol):
    def version(self) -> Version:
        """Another one after each write of anybody. Raises Unreadable."""

    def close(self) -> None: ...


class SqliteChanges:
    """SQLite's own counter, which a connection reads in shared memory; and whether the file is still the same."""

    def __init__(self, path: Path) -> None:
        self._path = str(path.absolute())
        # Opened when it is first used: a connection must not be carried into a forked process.
        self._connection: sqlite3.Connection | None = None
        self._cursor: sqlite3.Cursor | None = None
        self._file = (0, 0)
        self._times_opened = 0

    def version(self) -> Version:
        try:
            now = os.stat(self._path)  # noqa: PTH116  Faster than Path.stat().
            if self._connection is None or self._file != (now.st_dev, now.st_ino):
                self._open(now)
            assert self._cursor is not None  # noqa: S101  _open() has just set it.
            (counter,) = self._cursor.execute("PRAGMA data_version").fetchone()
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise Unreadable(f"{self._path}: {error}") from error
        return self._times_opened, counter

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _open(self, found: os.stat_result) -> None:
        self.close()
        # No waiting for a lock: this is the event loop.
        self._connection = connect(Path(self._path), timeout_seconds=0)
        self._cursor = self._connection.cursor()
        self._file = (found.st_dev, found.st_ino)
        self._times_opened += 1

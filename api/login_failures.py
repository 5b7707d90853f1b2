"""Counts failed logins per address, in one file for all workers, so that a limit is the same whatever their number."""

import math
import sqlite3
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

WINDOW_SECONDS = 60
BUSY_TIMEOUT_SECONDS = 5  # A check takes tens of microseconds; a login waits for its turn rather than fail.


class LoginFailures:
    """At most `limit` failures a minute from one address; a success is never counted."""

    def __init__(self, path: Path, limit: int, now: Callable[[], float] = time.time) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._limit = limit
        self._now = now

    @cached_property
    def _db(self) -> sqlite3.Connection:
        """Opened when it is first used: a connection must not be carried into a forked process."""
        # Autocommit: a transaction is begun and ended by name. One event loop uses it, whatever its thread.
        db = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
        # A minute of counts is not worth an fsync for each login.
        db.execute("PRAGMA synchronous = OFF")
        db.execute("CREATE TABLE IF NOT EXISTS failure (address TEXT NOT NULL, at REAL NOT NULL)")
        return db

    def attempt(self, address: str, check: Callable[[], bool]) -> bool:
        """Whether `check` passes, counting it when not. Raises TooManyFailures above the limit.

        Check and count are one transaction: of many attempts at one moment, no more than `limit` are checked in vain.
        """
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._refuse_above_limit(address)
            passed = check()
            if not passed:
                self._db.execute("INSERT INTO failure VALUES (?, ?)", (address, self._now()))
        finally:
            self._db.execute("COMMIT")
        return passed

    def close(self) -> None:
        if "_db" in self.__dict__:
            self._db.close()

    def _refuse_above_limit(self, address: str) -> None:
        now = self._now()
        # A time to come is a clock that was set back: not a reason to lock anybody out.
        self._db.execute("DELETE FROM failure WHERE at <= ? OR at > ?", (now - WINDOW_SECONDS, now))
        rows = self._db.execute(
            "SELECT at FROM failure WHERE address = ? ORDER BY at DESC LIMIT ?", (address, self._limit)
        )
        times = [at for (at,) in rows]
        if len(times) >= self._limit:
            raise TooManyFailures(math.ceil(times[-1] + WINDOW_SECONDS - now))


class TooManyFailures(Exception):
    """The address has to wait `retry_after_seconds` for its next attempt."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"retry after {retry_after_seconds} s")
        self.retry_after_seconds = max(1, retry_after_seconds)

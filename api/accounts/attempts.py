"""The login attempts of the last minute, in a SQLite file that all workers share."""

import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

WINDOW_SECONDS = 60
# A count takes tens of microseconds; a login waits for its turn rather than fail.
BUSY_TIMEOUT_SECONDS = 1
# Longer than any comparison: an attempt that is still open then was a worker's that has died.
COMPARED_WITHIN_SECONDS = 5

SCHEMA = """
CREATE TABLE IF NOT EXISTS attempt (address TEXT NOT NULL, at REAL NOT NULL, failed INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS attempt_by_address ON attempt (address, at);
CREATE INDEX IF NOT EXISTS attempt_by_time ON attempt (at);
CREATE TABLE IF NOT EXISTS known (account TEXT NOT NULL, address TEXT NOT NULL, at REAL NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS known_by_account ON known (account, address);
"""
# How long an address is known after a login from it, and how many of an account's are.
KNOWN_SECONDS = 30 * 24 * 3600
MAX_KNOWN = 50
REMEMBERED_AGAIN_SECONDS = 24 * 3600


class TooManyFailures(Exception):
    """An address, or an account, has to wait `retry_after_seconds` for its next attempt."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"retry after {retry_after_seconds} s")
        self.retry_after_seconds = max(1, retry_after_seconds)


class Attempts:
    """Counts them. For one thread."""

    def __init__(self, path: Path, limit: int, now: Callable[[], float]) -> None:
        self.path = path
        self._limit = limit
        self._now = now
        # Opened when it is first used: a connection must not be carried into a forked process.
        self._db: sqlite3.Connection | None = None

    def begin(self, address: str, limit: int | None = None) -> int | None:
        """The number of a new attempt; None while too many others are open. Raises TooManyFailures."""
        limit = limit or self._limit
        with self._connected() as db:
            # Before the transaction: refusing only reads, and waits for no lock.
            _refuse_above_limit(db, address, limit, self._now())
            with db:
                db.execute("BEGIN IMMEDIATE")
                # Read under the lock: what another worker counted in between would be in the future otherwise.
                now = self._now()
                # A time to come is a clock that was set back: not a reason to lock anybody out.
                db.execute("DELETE FROM attempt WHERE at <= ? OR at > ?", (now - WINDOW_SECONDS, now))
                (count,) = db.execute("SELECT COUNT(*) FROM attempt WHERE address = ?", (address,)).fetchone()
                if count >= limit:
                    return None
                return db.execute("INSERT INTO attempt (address, at) VALUES (?, ?)", (address, now)).lastrowid

    def end(self, number: int, *, passed: bool) -> None:
        """A success is forgotten."""
        change = "DELETE FROM attempt" if passed else "UPDATE attempt SET failed = 1"
        with self._connected() as db:
            db.execute(f"{change} WHERE rowid = ?", (number,))

    def knows(self, account: str, address: str, seconds: float = KNOWN_SECONDS) -> bool:
        """Whether somebody has logged in to `account` from `address` in that time."""
        since = self._now() - seconds
        query = "SELECT 1 FROM known WHERE account = ? AND address = ? AND at > ?"
        with self._connected() as db:
            return db.execute(query, (account, address, since)).fetchone() is not None

    def remember(self, account: str, address: str) -> None:
        if self.knows(account, address, REMEMBERED_AGAIN_SECONDS):
            return
        with self._connected() as db, db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT OR REPLACE INTO known VALUES (?, ?, ?)", (account, address, self._now()))
            db.execute(
                "DELETE FROM known WHERE account = ? AND rowid NOT IN "
                "(SELECT rowid FROM known WHERE account = ? ORDER BY at DESC LIMIT ?)",
                (account, account, MAX_KNOWN),
            )

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
        self._db = None

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """After an error the next one connects anew: the file may have been repaired, or deleted."""
        try:
            self._db = self._db or self._open()
            yield self._db
        except sqlite3.Error:
            self.close()
            raise

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Autocommit: a transaction is begun by name. One thread uses it; another closes it.
        db = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            # A minute of counts is not worth an fsync for each login.
            db.execute("PRAGMA synchronous = OFF")
            # A tenth of the time of a journal that is made and deleted each time. Others may just be opening the file.
            with suppress(sqlite3.OperationalError):
                db.execute("PRAGMA journal_mode = WAL")
            db.executescript(SCHEMA)
        except sqlite3.Error:
            db.close()
            raise
        return db


def _refuse_above_limit(db: sqlite3.Connection, address: str, limit: int, now: float) -> None:
    """By the failure that has to be a minute old before there may be another."""
    decisive = db.execute(
        "SELECT at FROM attempt WHERE address = ? AND at > ? AND at <= ? AND (failed OR at <= ?) "
        "ORDER BY at DESC LIMIT 1 OFFSET ?",
        (address, now - WINDOW_SECONDS, now, now - COMPARED_WITHIN_SECONDS, limit - 1),
    ).fetchone()
    if decisive is not None:
        raise TooManyFailures(math.ceil(decisive[0] + WINDOW_SECONDS - now))

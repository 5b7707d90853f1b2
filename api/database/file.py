"""The SQLite file itself: locked for a migration, checked, copied."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from api.database.engine import connect


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time, of all that start together; a lock ends with its process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_empty(path: Path) -> bool:
    return not path.exists() or path.stat().st_size == 0


def create(path: Path) -> None:
    """An empty file for its owner only: it will hold password hashes."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    with closing(connect(path)) as connection:
        # Readers and the one writer do not wait for each other. The file remembers it.
        connection.execute("PRAGMA journal_mode = WAL")


def check(path: Path) -> None:
    """Raises sqlite3.Error for a damaged file."""
    with closing(connect(path)) as connection:
        (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if result != "ok":
        raise sqlite3.DatabaseError(" ".join(result.split()))


def copy(path: Path, to: Path) -> None:
    """`path` as it is at this moment, what is still in its write-ahead log included."""
    draft = to.with_name(f"{to.name}.partial")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_WRONLY, 0o600))
    with closing(connect(path)) as source, closing(connect(draft)) as target:
        source.backup(target)
    draft.replace(to)

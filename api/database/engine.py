"""How SQLite is opened. Queries know no dialect: what is SQLite's own is here, in file.py and in changes.py."""

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

# A write takes milliseconds.
BUSY_TIMEOUT_SECONDS = 2


def sqlite_path(url: str) -> Path:
    """The file of a DATABASE_URL. Raises ValueError for any other kind of database."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    is_file = parsed is not None and parsed.drivername == "sqlite" and parsed.database not in (None, "", ":memory:")
    if parsed is None or not is_file or parsed.query:
        raise ValueError("must be sqlite:////<absolute path of a file>; other databases are not supported yet")
    return Path(str(parsed.database))


def connect(path: Path, *, create: bool = False, timeout_seconds: float = BUSY_TIMEOUT_SECONDS) -> sqlite3.Connection:
    """Without `create`, a file that is gone is an error, and is not made anew, empty."""
    mode = "rwc" if create else "rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=timeout_seconds,
        isolation_level=None,  # Transactions are begun by name; DDL is part of them.
        check_same_thread=False,
    )
    # A revocation outlives a power cut.
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def open_engine(path: Path, *, migrating: bool = False) -> Engine:
    # No pool: a connection that is kept would go on writing to a file that was deleted or replaced.
    engine = create_engine("sqlite://", creator=lambda: connect(path, create=migrating), poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _: object) -> None:
        # Not in a migration: to alter a table Alembic may replace it, and the rows that refer to it would go.
        connection.execute(f"PRAGMA foreign_keys = {'OFF' if migrating else 'ON'}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and then writes would fail when another writer came in between.
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine

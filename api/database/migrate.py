"""Brings the database to the tables of this version: once, at the start, before the first worker.

All migrations run in one transaction, so one that fails changes nothing. During scripts/redeploy the old API works on
with the new tables: a migration only adds, and what is not needed any more goes a version later.
"""

import logging
import os
import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from api.database import file
from api.database.engine import open_engine

MIGRATIONS = Path(__file__).parent / "migrations"

log = logging.getLogger(__name__)


class DatabaseUnusable(Exception):
    """Says what is wrong with the database, and what to do."""


def migrate(path: Path, migrations: Path = MIGRATIONS) -> None:
    """Raises DatabaseUnusable. Nothing is written when there is nothing to do."""
    config = _config(migrations)
    if _revision(path) == _newest(config):
        return
    try:
        with file.locked(path):
            # Another process may have done it by now.
            if _revision(path) != _newest(config):
                _upgrade(path, config)
    except OSError as error:
        raise DatabaseUnusable(
            f"the database {path} cannot be made or changed: {error}. Make its folder (STATE_DIR) writable."
        ) from error


def refuse_unless_current(path: Path, migrations: Path = MIGRATIONS) -> None:
    """For a command, which uses the tables and makes none. Raises DatabaseUnusable."""
    config = _config(migrations)
    revision = _revision(path)
    _refuse_newer(path, config, revision)
    if revision != _newest(config):
        found = "is missing or empty" if revision is None else f"is from an earlier version ({revision})"
        raise DatabaseUnusable(f"the database {path} {found}. Start LocalChat, which prepares it, then try again.")


def _config(migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    return config


def _newest(config: Config) -> str | None:
    return ScriptDirectory.from_config(config).get_current_head()


def _revision(path: Path) -> str | None:
    """None for a database without tables. Raises DatabaseUnusable for a damaged one."""
    if file.is_empty(path):
        return None
    try:
        file.check(path)
        with open_engine(path).execution_options(read_only=True).connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except (sqlite3.Error, SQLAlchemyError, CommandError) as error:
        _refuse_read_only(path, error)
        raise DatabaseUnusable(
            f"the database {path} is damaged or cannot be read: {error}. Put a copy back in its place "
            f"({path.name}.before-… is one, from before a migration), or move it and {path.name}-wal away: "
            "then a new one is made, with the account of ADMIN_EMAIL only."
        ) from error


def _refuse_read_only(path: Path, error: Exception) -> None:
    """SQLite writes beside the file even to read it, so this looks like damage."""
    if not os.access(path, os.R_OK | os.W_OK) or not os.access(path.parent, os.W_OK | os.X_OK):
        raise DatabaseUnusable(
            f"the database {path} cannot be opened: {error}. Make it and its folder (STATE_DIR) writable."
        ) from error


def _upgrade(path: Path, config: Config) -> None:
    revision = _revision(path)
    _refuse_newer(path, config, revision)
    if revision is None:
        file.create(path)
        kept = ""
    else:
        before = path.with_name(f"{path.name}.before-{_newest(config)}")
        file.copy(path, before)
        kept = f" The database as it was is also in {before.name}."
    try:
        with open_engine(path, migrating=True).begin() as connection:
            _run(connection, config)
    except Exception as error:
        raise DatabaseUnusable(
            f"the database {path} could not be brought to this version, and is as it was: {error}.{kept} "
            "Go on with the version of LocalChat that you had, or make room on the disk if it is full."
        ) from error
    log.info("the database %s is at version %s.%s", path, _newest(config), kept)


def _refuse_newer(path: Path, config: Config, revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseUnusable(
            f"the database {path} (version {revision}) is from a newer LocalChat than this one. Update LocalChat, or "
            f"put the copy from before that update in its place: {path.name}.before-{revision}."
        )


def _run(connection: Connection, config: Config) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, "head")

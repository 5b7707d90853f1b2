"""The database at the start: made, brought to this version, refused with a remedy, or left alone."""

import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from shutil import copytree

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from api.database.engine import open_engine, sqlite_path
from api.database.migrate import MIGRATIONS, DatabaseUnusable, migrate, refuse_unless_current
from api.database.tables import metadata

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "0002"


def upgrade() -> None:
    op.create_table("more", sa.Column("id", sa.Text, primary_key=True))
    op.add_column("account", sa.Column("more", sa.Text))
"""
FAILS = NEXT + "    raise RuntimeError('planted')\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "localchat.sqlite"


@pytest.fixture
def with_next(tmp_path: Path) -> Callable[[str], Path]:
    """This version's migrations, and one more."""

    def make(script: str) -> Path:
        folder = tmp_path / "migrations"
        copytree(MIGRATIONS, folder, dirs_exist_ok=True)
        (folder / "versions" / "9999_next.py").write_text(script)
        return folder

    return make


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


def tables(path: Path) -> set[object]:
    return {name for (name,) in rows(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}


def add_a_member(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(
            "INSERT INTO account (id, email, name, role, disabled, created_at, managed_by, session_epoch) "
            "VALUES ('1', 'm@example.org', '', 'member', 0, 0, 'page', '')"
        )


def test_a_new_database_has_the_tables_of_this_version(path: Path) -> None:
    """As the queries expect them, and for its owner only."""
    migrate(path)
    with open_engine(path).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert rows(path, "PRAGMA journal_mode") == [("wal",)]


def test_a_database_of_this_version_is_left_alone(path: Path) -> None:
    """Not a byte is written, and no copy is made."""
    migrate(path)
    before = path.read_bytes()
    migrate(path)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.before-*"))


def test_an_older_one_is_brought_to_this_version(path: Path, with_next: Callable[[str], Path]) -> None:
    """Its rows stay, and a copy of it as it was is beside it."""
    migrate(path)
    add_a_member(path)
    migrate(path, with_next(NEXT))
    assert "more" in tables(path)
    assert rows(path, "SELECT id, more FROM account") == [("1", None)]
    copy = path.with_name("localchat.sqlite.before-9999")
    assert "more" not in tables(copy)
    assert rows(copy, "SELECT id FROM account") == [("1",)]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_migration_that_fails_changes_nothing(path: Path, with_next: Callable[[str], Path]) -> None:
    """Though it had made a table by then. The message has the reason and a way out; the old version goes on."""
    migrate(path)
    add_a_member(path)
    with pytest.raises(DatabaseUnusable, match=r"is as it was: planted.*before-9999.*Go on with the version"):
        migrate(path, with_next(FAILS))
    assert "more" not in tables(path)
    assert rows(path, "SELECT id FROM account") == [("1",)]
    migrate(path)


def test_processes_that_start_together_migrate_once(path: Path, with_next: Callable[[str], Path]) -> None:
    """Two APIs during a redeploy, or uvicorn's workers."""
    migrate(path)
    script = with_next(NEXT)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: migrate(path, script), range(8))) == [None] * 8


def test_a_newer_one_is_refused(path: Path, with_next: Callable[[str], Path]) -> None:
    """It is not touched; the message names the copy from before the update."""
    migrate(path)
    migrate(path, with_next(NEXT))
    before = path.read_bytes()
    with pytest.raises(DatabaseUnusable, match=r"from a newer LocalChat.*localchat\.sqlite\.before-9999"):
        migrate(path)
    assert path.read_bytes() == before


def overwritten(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1_000)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:6_000])


def with_a_page_overwritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4_096:8_192] = b"x" * 4_096
    path.write_bytes(content)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [overwritten, cut_off, with_a_page_overwritten, a_folder])
def test_a_damaged_one_is_refused(path: Path, damage: Callable[[Path], None]) -> None:
    """With both ways out: a copy, or a new one."""
    migrate(path)
    damage(path)
    with pytest.raises(DatabaseUnusable, match=r"localchat\.sqlite is damaged.*before-.*move it"):
        migrate(path)


def test_an_empty_file_becomes_a_new_database(path: Path) -> None:
    """A start that was killed may have left one."""
    path.parent.mkdir()
    path.touch()
    migrate(path)
    assert "account" in tables(path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """With the setting it comes from."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "localchat.sqlite", Path("/proc/nowhere/localchat.sqlite")):
        with pytest.raises(DatabaseUnusable, match="STATE_DIR"):
            migrate(path)


@pytest.mark.parametrize("url", ["postgresql://u:p@host/db", "sqlite://", "sqlite:///:memory:", "x", "sqlite+a:///b"])
def test_another_database_is_refused(url: str) -> None:
    """The message has the form that is wanted, and not the password."""
    with pytest.raises(ValueError, match="sqlite:////<absolute path of a file>") as refusal:
        sqlite_path(url)
    assert "u:p" not in str(refusal.value)


def test_the_url_names_a_file() -> None:
    assert sqlite_path("sqlite:////data/state/x.sqlite") == Path("/data/state/x.sqlite")


def test_a_command_leaves_an_earlier_database_to_the_start(path: Path, with_next: Callable[[str], Path]) -> None:
    """The running API may be of that version."""
    migrate(path)
    refuse_unless_current(path)
    with pytest.raises(DatabaseUnusable, match=r"from an earlier version \(\d{4}\)\. Start LocalChat"):
        refuse_unless_current(path, with_next(NEXT))
    assert "more" not in tables(path)

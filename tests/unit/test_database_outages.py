"""A database that goes, breaks or is locked while LocalChat runs: who still gets in, and what others are told."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from api import main
from api.accounts.directory import RETRY_AFTER_SECONDS
from api.database.migrate import migrate
from tests.support.fake_ollama import wait_until
from tests.unit.conftest import Serve
from tests.unit.people import PASSWORD, Person, add_person, make_key
from tests.unit.serving import Gateway


@pytest.fixture
def gateway(serve_with: Serve) -> Gateway:
    return serve_with(login_failures_per_minute=1_000)


def deleted(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def overwritten(path: Path) -> None:
    replace(path, b"this is no database" * 1_000)


def emptied(path: Path) -> None:
    replace(path, b"")


def a_folder(path: Path) -> None:
    deleted(path)
    path.mkdir()


def of_somebody_else(path: Path) -> None:
    deleted(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE account (something_else)")


def replace(path: Path, content: bytes) -> None:
    deleted(path)
    path.write_bytes(content)


OUTAGES = [deleted, overwritten, emptied, a_folder, of_somebody_else]


@pytest.mark.parametrize("break_", OUTAGES)
def test_the_settings_account_gets_in(gateway: Gateway, break_: Callable[[Path], None]) -> None:
    """With its session, its key and a new login; for all others it is 503, with what to do, and not 401."""
    person = add_person(gateway)
    own_key, others_key = (gateway.client_with(make_key(who)["key"]) for who in (gateway.client, person.session))
    break_(gateway.settings.database_path)
    assert gateway.log_in().status_code == 200
    for client in (gateway.client, own_key):
        assert client.get("/files/none").status_code == 404
    for client in (person.session, others_key):
        refusal = client.get("/files/none")
        assert (refusal.status_code, "ADMIN_EMAIL" in refusal.json()["detail"]) == (503, True)
    assert gateway.log_in(person.email, PASSWORD).status_code == 503
    assert gateway.log_in(password="wrong").status_code == 401


@pytest.mark.parametrize("break_", OUTAGES)
def test_what_would_change_it_is_refused(gateway: Gateway, break_: Callable[[Path], None]) -> None:
    """503, and nothing is made that looks like a database."""
    break_(gateway.settings.database_path)
    for method, path, body in [
        ("POST", "/users", {"email": "a@b"}),
        ("POST", "/keys", {"name": "x"}),
        ("POST", "/logout", None),
    ]:
        assert gateway.client.request(method, path, json=body).status_code == 503
    assert gateway.stranger.post("/invitations/x", json={"password": PASSWORD}).status_code == 503
    assert not is_good(gateway.settings.database_path)


def is_good(path: Path) -> bool:
    if not path.is_file():
        return False
    with closing(sqlite3.connect(path)) as db:
        try:
            db.execute("SELECT session_epoch FROM account")
        except sqlite3.Error:
            return False
    return True


def test_a_copy_that_is_put_back_counts_without_a_restart(gateway: Gateway, tmp_path: Path) -> None:
    """With whoever was in it."""
    before, copy = add_person(gateway, "before@example.org"), tmp_path / "copy.sqlite"
    with closing(sqlite3.connect(gateway.settings.database_path)) as db, closing(sqlite3.connect(copy)) as to:
        db.backup(to)
    after = add_person(gateway, "after@example.org")
    replace(gateway.settings.database_path, copy.read_bytes())
    wait_until(lambda: status_of(before) == 200, "the copy is read")
    assert status_of(after) == 401


def status_of(person: Person) -> int:
    return person.session.get("/me").status_code


def test_another_writer_is_waited_for(gateway: Gateway) -> None:
    """Reads are not held up at all; a write is refused when it takes too long, and nothing of it is kept."""
    # One whose 200 takes a database that was read; the settings' account would get it without.
    member = add_person(gateway).session
    with closing(sqlite3.connect(gateway.settings.database_path, isolation_level=None)) as other:
        # Read anew, because it has changed.
        other.execute("UPDATE account SET name = 'changed'")
        other.execute("BEGIN IMMEDIATE")
        assert member.get("/me").status_code == 200
        assert gateway.client.post("/keys", json={"name": "x"}).status_code == 503
    assert gateway.client.get("/keys").json() == {"keys": []}
    assert gateway.client.post("/keys", json={"name": "x"}).status_code == 201


def test_the_log_says_what_is_wrong(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """With the file's name."""
    overwritten(gateway.settings.database_path)
    assert gateway.client.get("/me").status_code == 200
    assert "localchat.sqlite: file is not a database" in caplog.text


def test_a_database_that_cannot_be_read_is_not_asked_for_each_request(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    """Or everybody would wait for a broken disk."""
    assert gateway.client.get("/me").status_code == 200
    overwritten(gateway.settings.database_path)
    started = time.monotonic()
    for _ in range(20):
        gateway.client.get("/me")
    asked = caplog.text.count("the database cannot be read")
    assert 1 <= asked <= 1 + (time.monotonic() - started) / RETRY_AFTER_SECONDS


def test_the_api_does_not_start_with_a_database_it_cannot_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with one message."""
    path = tmp_path / "localchat.sqlite"
    migrate(path)
    overwritten(path)
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    with pytest.raises(SystemExit, match=r"LocalChat does not start: the database .* is damaged"):
        main.app  # noqa: B018


def test_a_restarted_worker_takes_a_newer_database(gateway: Gateway) -> None:
    """During a redeploy: its master has seen to the database; what a new version added does not matter."""
    path = gateway.settings.database_path
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
        db.execute("ALTER TABLE account ADD COLUMN more TEXT")
    assert gateway.client.get("/me").status_code == 200

"""localchat beside the running API, twice at once, at a terminal, and with a database that it cannot use."""

import json
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import termios
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from api.accounts import audit
from api.commands.logs import logged
from tests.unit.commands import CommandLine, Result, finished, make_database, started
from tests.unit.conftest import Serve
from tests.unit.people import PASSWORD, add_person, make_key
from tests.unit.serving import Gateway

# root may write to read-only files, unless it runs as in our containers: cap_drop [ALL].
UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


@pytest.fixture
def localchat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine.on(tmp_path, monkeypatch, capsys)


@pytest.fixture
def gateway(serve_with: Serve) -> Gateway:
    return serve_with(login_failures_per_minute=1_000)


def run(folder: Path, *words: str, stdin: str = "", prefix: tuple[str, ...] = ()) -> Result:
    with started(folder, *words, prefix=prefix) as process:
        return finished(process, stdin)


def test_the_api_notices_on_its_next_request(gateway: Gateway, localchat: CommandLine) -> None:
    """An account that was disabled, a key that was made; a token is as good as one from POST /login."""
    person = add_person(gateway)
    token = localchat("token", "admin@local").out.strip()
    assert gateway.client_with(token).get("/me").json()["email"] == "admin@local"
    key = localchat("keys", "create", person.email, "x").out.strip()
    assert gateway.client_with(key).get("/files/none").status_code == 404
    assert localchat("users", "disable", person.email).status == 0
    assert person.session.get("/me").status_code == 401
    assert gateway.client_with(key).get("/files/none").status_code == 401


def test_a_person_of_the_command_line_is_one_of_the_page(gateway: Gateway, localchat: CommandLine) -> None:
    """Who uses the link logs in; deleted, their session, key and files are gone."""
    link = localchat("users", "add", "ada@example.org").out.rpartition("/")[2].strip()
    assert gateway.stranger.post(f"/invitations/{link}", json={"password": PASSWORD}).status_code == 204
    session = gateway.client_with(gateway.log_in("ada@example.org", PASSWORD).json()["access_token"])
    key = gateway.client_with(make_key(session)["key"])
    assert session.post("/upload", files={"file": ("a.txt", b"mine")}).status_code == 200
    assert localchat("users", "delete", "ada@example.org", "--yes").status == 0
    assert (session.get("/me").status_code, key.get("/files/none").status_code) == (401, 401)
    assert not [path for path in gateway.uploads() if path.stat().st_size]


def test_of_two_at_once_one_makes_the_account(tmp_path: Path) -> None:
    """The other one is refused, in words."""
    make_database(tmp_path)
    words = ("users", "add", "ada@example.org")
    with started(tmp_path, *words) as one, started(tmp_path, *words) as other:
        results = sorted((finished(one), finished(other)), key=lambda result: result.status)
    assert [result.status for result in results] == [0, 1]
    assert results[1].err == "localchat: There is already an account with this email address.\n"


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """What a person types into, and what the process reads."""
    person, process = pty.openpty()
    yield person, process
    os.close(person)
    os.close(process)


def test_a_password_is_asked_for_twice(tmp_path: Path, terminal: tuple[int, int]) -> None:
    """At a terminal; two different ones change nothing."""
    make_database(tmp_path)
    words = ("users", "add", "ada@example.org", "--password")
    for second, status in ((PASSWORD + "!", 1), (PASSWORD, 0)):
        assert at_terminal(tmp_path, terminal, f"{PASSWORD}\n{second}\n", *words) == status


def test_a_deletion_is_confirmed(tmp_path: Path, terminal: tuple[int, int]) -> None:
    """Anything but a yes leaves the account."""
    make_database(tmp_path)
    run(tmp_path, "users", "add", "ada@example.org")
    for typed, status in (("\n", 1), ("y\n", 0)):
        assert at_terminal(tmp_path, terminal, typed, "users", "delete", "ada@example.org") == status


def test_a_question_can_be_interrupted(tmp_path: Path, terminal: tuple[int, int]) -> None:
    """At once, and the terminal shows again what is typed."""
    make_database(tmp_path)
    _, reads = terminal
    with started(tmp_path, "users", "add", "a@b", "--password", stdin=reads, start_new_session=True) as process:
        wait_for_a_question(process)
        assert not termios.tcgetattr(reads)[3] & termios.ECHO
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
    assert termios.tcgetattr(reads)[3] & termios.ECHO


def at_terminal(folder: Path, terminal: tuple[int, int], typed: str, *words: str) -> int:
    """The exit status, after a person has typed an answer to each question."""
    person, reads = terminal
    with started(folder, *words, stdin=reads, start_new_session=True) as process:
        for line in typed.splitlines(keepends=True):
            # getpass drops what is typed before it asks.
            wait_for_a_question(process)
            os.write(person, line.encode())
        return finished(process).status


def wait_for_a_question(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    while (character := process.stderr.read(1)) not in {":", "]"}:
        assert character, "it ended without a question"


def test_no_database_yet(localchat: CommandLine, tmp_path: Path) -> None:
    """It is made by LocalChat's start, not by a command that may look in the wrong place."""
    result = localchat("users", "list")
    assert (result.status, result.out) == (1, "")
    assert "localchat.sqlite is missing or empty. Start LocalChat" in result.err
    assert not (tmp_path / "state" / "localchat.sqlite").exists()


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)


def newer(path: Path) -> None:
    change(path, "UPDATE alembic_version SET version_num = '9999'")


def damaged(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1_000)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("break_", "reason"),
    [(newer, "is from a newer LocalChat"), (damaged, "is damaged or cannot be read"), (a_folder, "cannot be read")],
)
def test_a_database_that_cannot_be_used(
    localchat: CommandLine, tmp_path: Path, break_: Callable[[Path], None], reason: str
) -> None:
    """One line, with the file and what to do; no traceback."""
    break_(make_database(tmp_path))
    result = localchat("users", "list")
    assert (result.status, result.out, result.err.count("\n")) == (1, "", 1)
    assert reason in result.err
    assert "localchat.sqlite" in result.err


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root writes everywhere")
def test_a_read_only_database(tmp_path: Path) -> None:
    """Beside the API one can still look; a change is refused. Without the API SQLite cannot even read it. In words."""
    path = make_database(tmp_path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("SELECT 1 FROM account")  # as the running API has it open
        with read_only(path.parent):
            listed = run(tmp_path, "users", "list", prefix=UNPRIVILEGED)
            added = run(tmp_path, "users", "add", "ada@example.org", prefix=UNPRIVILEGED)
    with read_only(path.parent):
        alone = run(tmp_path, "users", "list", prefix=UNPRIVILEGED)
    assert (listed.status, "admin@local" in listed.out, listed.err) == (0, True, "")
    assert [(result.status, result.out) for result in (added, alone)] == [(1, "")] * 2
    assert "attempt to write a readonly database" in added.err
    assert "Make sure that the volume `state` is neither full nor read-only" in added.err
    assert "Make it and its folder (STATE_DIR) writable." in alone.err


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    for file in folder.iterdir():
        file.chmod(0o400)
    folder.chmod(0o500)
    yield
    folder.chmod(0o700)
    for file in folder.iterdir():
        file.chmod(0o600)


def test_a_database_that_somebody_holds(localchat: CommandLine, tmp_path: Path) -> None:
    """A write waits two seconds, then says so; nothing of it is kept."""
    path = make_database(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = localchat("users", "add", "ada@example.org")
        other.execute("ROLLBACK")
        assert other.execute("SELECT count(*) FROM account").fetchone() == (1,)
    assert (result.status, "database is locked" in result.err) == (1, True)


def test_settings_that_are_refused(localchat: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the API's start: the status 1, and a message that names the setting."""
    monkeypatch.setenv("ACCESS_TOKEN_EXPIRE_MINUTES", "0")
    assert "ACCESS_TOKEN_EXPIRE_MINUTES" in str(localchat("users", "list").status)


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    """`localchat users list | head -1`: no traceback."""
    make_database(tmp_path)
    with started(tmp_path, "users", "list") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.parametrize(("command", "expected"), [("gunicorn", "the API's log"), ("python3", "standard error")])
def test_the_audit_trail_is_in_the_log_of_the_api(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, expected: str
) -> None:
    """Where the API is the container's first process; `docker compose logs api` has it. Elsewhere on standard error."""
    (tmp_path / "fd").mkdir()
    (tmp_path / "cmdline").write_text(f"/opt/venv/bin/python\0/opt/venv/bin/{command}\0")
    api_log = tmp_path / "fd" / "2"
    api_log.write_text("earlier\n")
    with logged(tmp_path):
        audit.record_by(audit.OPERATOR, "account made", account="a@b")
    lines = {
        "the API's log": api_log.read_text().splitlines()[1:],
        "standard error": capsys.readouterr().err.splitlines(),
    }
    (line,) = lines.pop(expected)
    assert (json.loads(line)["message"], json.loads(line)["account"]) == ("account made", "a@b")
    assert list(lines.values()) == [[]]


def test_a_log_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Then the line is at least on standard error."""
    (tmp_path / "cmdline").write_text("gunicorn")
    with logged(tmp_path):
        audit.record_by(audit.OPERATOR, "account made")
    assert "account made" in capsys.readouterr().err

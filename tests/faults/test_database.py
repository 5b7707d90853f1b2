"""The database deleted, damaged, of a newer version, or on a full disk."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.faults.databases import DATABASE, put_back_database
from tests.faults.people import Person, ask_often, log_in
from tests.support.stack import Stack, run, until


@pytest.fixture
def database_aside(stack: Stack) -> Iterator[None]:
    """The database is put back afterwards."""
    stack.run("exec", "--no-TTY", "api", "cp", "-p", DATABASE, f"{DATABASE}.aside")
    yield
    put_back_database(stack, f"{DATABASE}.aside")


@pytest.mark.usefixtures("database_aside")
@pytest.mark.parametrize(
    "damage",
    [f"rm {DATABASE}", f"chmod 000 {DATABASE}", f"dd if=/dev/urandom of={DATABASE} bs=4096 count=4 conv=fsync"],
)
def test_the_account_of_the_settings_outlives_the_database(stack: Stack, person: Person, damage: str) -> None:
    """It logs in and chats on; everybody else is told that it is not their fault."""
    stack.run("exec", "--no-TTY", "api", "sh", "-c", f"{damage} 2>&1; rm -f {DATABASE}-wal {DATABASE}-shm")
    token = log_in(stack, stack.email, stack.password)
    assert ask_often(stack, token) == {404}
    assert ask_often(stack, person.token) | ask_often(stack, person.key) == {503}
    detail = httpx.get(f"{stack.url}/me", headers={"Authorization": f"Bearer {person.token}"}).json()["detail"]
    assert "Accounts and keys cannot be read" in detail


# Run in the container of an API alone, whose first arguments are a method and a path, then a token and a JSON body.
ASK_ALONE = """
import sys, urllib.error, urllib.request
method, path, token, body = sys.argv[1:]
headers = {"Content-Type": "application/json", "Authorization": "Bearer " + token}
request = urllib.request.Request("http://127.0.0.1:8000" + path, body.encode() or None, headers, method=method)
try: print(urllib.request.urlopen(request).read().decode())
except urllib.error.HTTPError as error: print(error.code, error.read().decode())
"""


@pytest.fixture
def on_a_small_disk(stack: Stack) -> Iterator[str]:
    """The container of an API whose state is on a disk of three megabytes."""
    image = stack.inspect("api")["Image"]
    folders = ["/data/state:size=3m,uid=10001", "/data/uploads:uid=10001", "/run/localchat:uid=10001", "/tmp"]
    tmpfs = [word for folder in folders for word in ("--tmpfs", folder)]
    container = run("docker", "run", "--detach", "--read-only", "--network=none", *tmpfs, image).strip()
    yield container
    run("docker", "rm", "--force", container)


def test_a_full_disk_loses_nothing(on_a_small_disk: str) -> None:
    """Who is logged in stays so; what cannot be kept is refused, saying why, and works once there is room again."""

    def inside(*command: str) -> str:
        return run("docker", "exec", on_a_small_disk, *command)

    def ask(method: str, path: str, token: str = "", body: object = None) -> str:
        sent = json.dumps(body) if body else ""
        return inside("python3", "-c", ASK_ALONE, method, path, token, sent)

    def fill() -> None:
        inside("sh", "-c", "dd if=/dev/zero of=/data/state/rest bs=1k 2>/dev/null || true")

    def logs() -> str:
        return run("sh", "-c", f"docker logs {on_a_small_disk} 2>&1")

    until(lambda: "Booting" in logs(), "it starts")
    settings = {"email": "admin@local", "password": "changeme"}
    token = json.loads(ask("POST", "/login", body=settings))["access_token"]
    fill()
    new = {"email": "new@example.org", "name": "", "role": "member"}
    refused = ask("POST", "/users", token, new)
    assert refused.startswith("503 "), refused
    assert '"email":"admin@local"' in ask("GET", "/me", token)
    assert "cannot be counted" in ask("POST", "/login", body=settings)
    assert "disk is full" in logs()
    inside("rm", "/data/state/rest")
    assert "access_token" in ask("POST", "/login", body=settings)
    assert "/#/invitation/" in ask("POST", "/users", token, new)
    assert ask("GET", "/users", token).count("new@example.org") == 1


@pytest.mark.usefixtures("database_aside")
def test_a_database_from_a_newer_version_stops_the_start(stack: Stack) -> None:
    """The message says so, and what to do."""
    change = "UPDATE alembic_version SET version_num = '9999'"
    stack.python("api", f"import sqlite3; d = sqlite3.connect('{DATABASE}'); d.execute({change!r}); d.commit()")
    image = stack.inspect("api")["Image"]
    state = f"{stack.project}_state:/data/state"
    command = (
        "docker",
        "run",
        "--rm",
        "--volume",
        state,
        image,
        "sh",
        "-c",
        "gunicorn -c api/gunicorn.conf.py api.main:app 2>&1; true",
    )
    said = run(*command)
    assert "from a newer LocalChat than this one" in said
    assert "before-9999" in said

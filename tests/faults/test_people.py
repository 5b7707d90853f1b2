"""People and keys behind nginx, in two workers: what is revoked, kept secret, or lost with its database."""

import json
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

from tests.faults.databases import DATABASE, put_back_database
from tests.faults.kill import kill
from tests.support.stack import PASSWORD, Stack, run, until

ASKS = 200
FREE = "/files/000000000000_none.txt"  # 404 to whoever may ask


@dataclass
class Person:
    id: str
    email: str
    password: str
    token: str
    key: str = ""
    key_id: str = ""


# A connection for each request, so that each worker gets many of them.
CLIENT = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0), timeout=30, trust_env=False)


def ask(stack: Stack, credential: str, path: str = FREE) -> int:
    return CLIENT.get(f"{stack.url}{path}", headers={"Authorization": f"Bearer {credential}"}).status_code


def ask_often(stack: Stack, credential: str, path: str = FREE) -> set[int]:
    """What ASKS requests get, eight at a time."""
    with ThreadPoolExecutor(8) as pool:
        return set(pool.map(lambda _: ask(stack, credential, path), range(ASKS)))


def log_in(stack: Stack, email: str, password: str) -> str:
    response = httpx.post(f"{stack.url}/login", json={"email": email, "password": password}, timeout=30)
    token: str = response.raise_for_status().json()["access_token"]
    return token


def as_(stack: Stack, token: str) -> httpx.Client:
    return httpx.Client(base_url=stack.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)


@pytest.fixture
def make_person(stack: Stack) -> Callable[[str], Person]:
    def make(role: str) -> Person:
        email, password = f"{secrets.token_hex(4)}@example.org", secrets.token_hex(12)
        with stack.client() as admin:
            body = {"email": email, "name": "Somebody", "role": role, "password": password}
            made = admin.post("/users", json=body).raise_for_status().json()
        person = Person(made["id"], email, password, log_in(stack, email, password))
        with as_(stack, person.token) as client:
            key = {"name": "laptop", "expires_in_days": None, "scopes": ["chat"]}
            made = client.post("/keys", json=key).raise_for_status().json()
        person.key, person.key_id = made["key"], made["id"]
        return person

    return make


@pytest.fixture
def person(make_person: Callable[[str], Person]) -> Person:
    return make_person("member")


def log_out(stack: Stack, person: Person) -> str:
    with as_(stack, person.token) as client:
        assert client.post("/logout").status_code == 204
    return person.token


def log_out_everywhere(stack: Stack, person: Person) -> str:
    with as_(stack, log_in(stack, person.email, person.password)) as client:
        assert client.post("/logout?everywhere=true").status_code == 204
    return person.token


def change_the_password(stack: Stack, person: Person) -> str:
    with as_(stack, log_in(stack, person.email, person.password)) as client:
        change = {"current": person.password, "new": secrets.token_hex(12)}
        assert client.put("/me/password", json=change).status_code == 204
        assert client.get("/me").status_code == 200
    return person.token


def disable(stack: Stack, person: Person) -> str:
    with stack.client() as admin:
        assert admin.patch(f"/users/{person.id}", json={"disabled": True}).status_code == 200
    return person.token


def delete(stack: Stack, person: Person) -> str:
    with stack.client() as admin:
        assert admin.delete(f"/users/{person.id}").status_code == 204
    return person.token


def delete_and_ask_with_the_key(stack: Stack, person: Person) -> str:
    delete(stack, person)
    return person.key


def delete_the_key(stack: Stack, person: Person) -> str:
    with as_(stack, person.token) as client:
        assert client.delete(f"/keys/{person.key_id}").status_code == 204
    return person.key


REVOCATIONS = [
    *(log_out, log_out_everywhere, change_the_password, disable),
    *(delete, delete_and_ask_with_the_key, delete_the_key),
]


@pytest.mark.parametrize("killed", ["", "one worker"], ids=["", "a worker killed"])
@pytest.mark.parametrize("revoke", REVOCATIONS, ids=lambda revoke: revoke.__name__)
def test_a_revocation_counts_on_the_next_request(
    stack: Stack, person: Person, revoke: Callable[[Stack, Person], str], killed: str
) -> None:
    """In both workers, which have accepted the credential many times; also when one of them is killed right after."""
    assert ask_often(stack, person.token) | ask_often(stack, person.key) == {404}
    credential = revoke(stack, person)
    if killed:
        kill(stack, "api", killed)
    assert ask_often(stack, credential) - {502} == {401}
    until(lambda: ask(stack, credential) == 401, "the killed worker is replaced")


def test_a_lowered_role_counts_on_the_next_request(stack: Stack, make_person: Callable[[str], Person]) -> None:
    person = make_person("admin")
    assert ask_often(stack, person.token, "/users") == {200}
    with stack.client() as admin:
        assert admin.patch(f"/users/{person.id}", json={"role": "member"}).status_code == 200
    assert ask_often(stack, person.token, "/users") == {403}


def test_files_belong_to_their_owner(stack: Stack, person: Person) -> None:
    """Not even an administrator finds another's, by no spelling."""
    with as_(stack, person.key) as client:
        path = client.post("/upload", files={"file": ("mine.txt", b"mine")}).raise_for_status().json()["download_path"]
        assert client.get(path).content == b"mine"
    name = path.removeprefix("/files/")
    spellings = [name, f"{person.id}/{name}", f"{person.id}%2f{name}", f"../{person.id}/{name}", f"%2e%2e/{name}"]
    with stack.client() as admin:
        for spelling in spellings:
            assert admin.get(f"/files/{spelling}").status_code in (400, 404), spelling
    delete(stack, person)
    assert name not in stack.run("exec", "--no-TTY", "api", "find", "/data/uploads")


def test_secrets_are_kept_nowhere_in_clear(stack: Stack, person: Person) -> None:
    """Neither in the database nor in a log: passwords, keys, invitations."""
    with stack.client() as admin:
        made = admin.post("/users", json={"email": f"{person.id}@example.org", "name": "", "role": "member"}).json()
    invitation = made["invitation"].rpartition("/")[2]
    httpx.post(f"{stack.url}/invitations/{invitation}", json={"password": "short"})
    words = [person.password, person.key, person.token, invitation, PASSWORD]
    kept = "b''.join(path.read_bytes() for path in Path('/data/state').glob('localchat.sqlite*'))"
    assert (
        stack.python("api", f"from pathlib import Path; print(sum(w.encode() in {kept} for w in {words!r}))") == "0\n"
    )
    logs = stack.logs("api") + stack.logs("nginx")
    assert [word for word in words if word in logs] == []


def localchat(stack: Stack, *arguments: str) -> str:
    return stack.run("exec", "--no-TTY", "api", "localchat", *arguments)


def test_operators_manage_people_from_a_terminal(stack: Stack) -> None:
    """Each change counts at once for the running API, and is in its log."""
    email = f"{secrets.token_hex(4)}@example.org"
    assert "/#/invitation/" in localchat(stack, "users", "add", email)
    key = localchat(stack, "keys", "create", email, "cron job").strip().splitlines()[-1]
    assert ask_often(stack, key) == {404}
    token = localchat(stack, "token", email).strip()
    assert ask(stack, token, "/me") == 200
    (listed,) = [
        user for user in json.loads(localchat(stack, "users", "list", "--json"))["users"] if user["email"] == email
    ]
    localchat(stack, "users", "disable", email)
    assert ask_often(stack, key) | ask_often(stack, token) == {401}
    localchat(stack, "users", "delete", email, "--yes")
    with stack.client() as admin:
        assert listed["id"] not in admin.get("/users").text
    audit = [line for line in stack.logs("api").splitlines() if "localchat.audit" in line and email in line]
    assert len(audit) >= 4
    assert key not in "".join(audit)


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

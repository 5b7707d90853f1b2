"""People of a stack: made, logged in, and asked for; and every way to revoke what they ask with."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

from tests.support.stack import Stack

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

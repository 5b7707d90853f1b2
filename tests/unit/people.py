"""Accounts besides the one of the settings, made as an administrator makes them."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.unit.serving import Gateway

PASSWORD = "correct horse battery"


def log_in(gateway: Gateway, email: str, password: str = PASSWORD) -> httpx.Client:
    """A client with a new session."""
    answer = gateway.log_in(email, password)
    assert answer.status_code == 200, answer.text
    return gateway.client_with(answer.json()["access_token"])


@dataclass
class Person:
    id: str
    email: str
    session: httpx.Client


def add_person(gateway: Gateway, email: str = "member@example.org", role: str = "member") -> Person:
    answer = gateway.client.post("/users", json={"email": email, "name": "M", "role": role, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return Person(answer.json()["id"], email, log_in(gateway, email))


def make_key(session: httpx.Client, **changes: object) -> dict[str, Any]:
    answer = session.post("/keys", json={"name": "laptop", **changes})
    assert answer.status_code == 201, answer.text
    key: dict[str, Any] = answer.json()
    return key

"""Accounts besides the one of the settings, made by the API where the page is not what is tried."""

import secrets
from dataclasses import dataclass

import httpx

from tests.support.stack import Stack


@dataclass(frozen=True)
class Member:
    id: str
    email: str
    password: str

    def token(self, stack: Stack) -> str:
        """Of a new session."""
        response = httpx.post(f"{stack.url}/login", json={"email": self.email, "password": self.password})
        token: str = response.raise_for_status().json()["access_token"]
        return token


def new_email() -> str:
    """That nobody has yet."""
    return f"member-{secrets.token_hex(4)}@example.org"


def new_member(stack: Stack, role: str = "member") -> Member:
    email, password = new_email(), secrets.token_hex(12)
    with stack.client() as client:
        response = client.post("/users", json={"email": email, "password": password, "role": role})
    return Member(response.raise_for_status().json()["id"], email, password)


def status(stack: Stack, credential: str, path: str = "/models") -> int:
    """What the API answers to it."""
    return httpx.get(f"{stack.url}{path}", headers={"Authorization": f"Bearer {credential}"}).status_code

"""A client of a gateway: logs in, chats, and works at the wire."""

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

import httpx

CHAT: dict[str, object] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@dataclass
class Gateway:
    """A gateway at `url`, with an account."""

    url: str
    email: str
    password: str
    # Kills the gateway's process, if it is one.
    kill: Callable[[], None] = lambda: None

    @cached_property
    def token(self) -> str:
        response = httpx.post(f"{self.url}/login", json={"email": self.email, "password": self.password})
        token: str = response.raise_for_status().json()["access_token"]
        return token

    def client(self, timeout_seconds: float = 30) -> httpx.Client:
        """A client with a token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=timeout_seconds, trust_env=False)

    def connect(self) -> socket.socket:
        parts = urlsplit(self.url)
        assert parts.hostname
        assert parts.port
        return socket.create_connection((parts.hostname, parts.port), timeout=30)

    def start_chat(self, body: dict[str, object] = CHAT) -> socket.socket:
        """A connection with a chat request sent and the answer not yet read."""
        content = json.dumps(body).encode()
        connection = self.connect()
        head = f"POST /chat HTTP/1.1\r\nHost: localchat\r\nAuthorization: Bearer {self.token}\r\n"
        kind = f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        connection.sendall((head + kind).encode() + content)
        return connection

    def send_raw(self, raw: bytes, wait_seconds: float = 5) -> bytes:
        """The response to `raw`, read until the server closes or for `wait_seconds`."""
        received = b""
        with self.connect() as connection:
            connection.settimeout(wait_seconds)
            connection.sendall(raw)
            try:
                while data := connection.recv(65_536):
                    received += data
            except (TimeoutError, ConnectionResetError):
                pass
        return received


def read_until(connection: socket.socket, wanted: bytes) -> bytes:
    """Reads until `wanted` arrives. Fails if the other side closes first."""
    received = b""
    while wanted not in received:
        data = connection.recv(65_536)
        assert data, f"closed after {received[-200:]!r}"
        received += data
    return received


def is_up(url: str) -> bool:
    """Whether anything answers there."""
    try:
        httpx.get(f"{url}/health", timeout=5)
    except httpx.TransportError:
        return False
    return True

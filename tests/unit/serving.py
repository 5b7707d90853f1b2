"""Runs the real app under a real uvicorn in a thread, so that streams and disconnects are real."""

import logging
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from api.http.protocol import HttpProtocol
from api.main import create_app
from api.settings import Settings
from tests.support.fake_ollama import wait_until
from tests.support.tokens import KEY

TIMEOUT_SECONDS = 5
PASSWORD = "changeme"


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@dataclass
class Gateway:
    """A running LocalChat with clients."""

    app: FastAPI
    settings: Settings
    port: int
    _forgotten: set[Path] = field(default_factory=set)
    _clients: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def stranger(self) -> httpx.Client:
        """A client without a token."""
        return self.new_client()

    def new_client(self) -> httpx.Client:
        """One without a token, with cookies of its own."""
        client = httpx.Client(base_url=self.url, timeout=TIMEOUT_SECONDS, trust_env=False)
        self._clients.append(client)
        return client

    @cached_property
    def client(self) -> httpx.Client:
        """A client with a token."""
        return self.client_with(self.token)

    def client_with(self, credential: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {credential}"}
        client = httpx.Client(base_url=self.url, timeout=TIMEOUT_SECONDS, trust_env=False, headers=headers)
        self._clients.append(client)
        return client

    @cached_property
    def token(self) -> str:
        password = self.settings.admin_password.get_secret_value()
        token: str = self.log_in(password=password).json()["access_token"]
        return token

    def log_in(self, email: str = "admin@local", password: str = PASSWORD) -> httpx.Response:
        return self.stranger.post("/login", json={"email": email, "password": password})

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), TIMEOUT_SECONDS)

    def send(self, raw: bytes) -> bytes:
        """The response to `raw`, read until the server closes or the Content-Length is reached."""
        received = b""
        with self.connect() as connection:
            connection.sendall(raw)
            while not _is_whole(received) and (data := connection.recv(65_536)):
                received += data
        return received

    def uploads(self) -> list[Path]:
        """The files in the store, in any folder, half-written ones included."""
        found = self.settings.upload_dir.rglob("*")
        return [path for path in found if not path.is_dir() and path not in self._forgotten]

    def forget_uploads(self) -> None:
        """From now on leaves out the existing uploads. Does not delete them: the server may still be opening one."""
        self._forgotten.update(self.uploads())

    def close(self) -> None:
        for client in self._clients:
            client.close()


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)\r\n", head + end)
    return length is not None and len(body) >= int(length[1])


@contextmanager
def serve(folder: Path, ollama_url: str, **settings: object) -> Iterator[Gateway]:
    """LocalChat with its files under `folder`."""
    values = {
        "ollama_url": ollama_url,
        "secret_key": KEY,
        "upload_dir": folder / "uploads",
        "state_dir": folder / "state",
        **settings,
    }
    app = create_app(Settings.model_validate(values))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app,
            http=HttpProtocol if app.state.parts.settings.behind_nginx else "auto",
            log_config=None,
            log_level=logging.CRITICAL,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="localchat")
        thread.start()
        gateway = Gateway(app, app.state.parts.settings, listener.getsockname()[1])
        try:
            wait_until(lambda: server.started, f"LocalChat starts on {gateway.url}")
            yield gateway
        finally:
            gateway.close()
            server.should_exit = True
            thread.join()

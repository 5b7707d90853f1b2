"""Runs the real app under a real uvicorn in a thread, so that streams and disconnects are real."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from api.main import create_app
from api.settings import Settings
from api.worker import HttpProtocol
from tests.fake_ollama import wait_until

TIMEOUT_SECONDS = 5
KEY = "a signing key of more than 32 bytes"
PASSWORD = "changeme"


@dataclass
class Gateway:
    """A running LocalChat, and clients of it."""

    app: FastAPI
    settings: Settings
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def stranger(self) -> httpx.Client:
        """A client without a token."""
        return httpx.Client(base_url=self.url, timeout=TIMEOUT_SECONDS, trust_env=False)

    @cached_property
    def client(self) -> httpx.Client:
        """A client with a token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, timeout=TIMEOUT_SECONDS, trust_env=False, headers=headers)

    @cached_property
    def token(self) -> str:
        token: str = self.log_in().json()["access_token"]
        return token

    def log_in(self, email: str = "admin@local", password: str = PASSWORD) -> httpx.Response:
        return self.stranger.post("/login", json={"email": email, "password": password})

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), TIMEOUT_SECONDS)

    def send(self, raw: bytes) -> bytes:
        """All that comes back for `raw`, until the server closes or the answer is whole."""
        with self.connect() as connection:
            connection.sendall(raw)
            return connection.recv(65_536)

    def uploads(self) -> list[Path]:
        return list(self.settings.upload_dir.iterdir())

    def close(self) -> None:
        for name in ("client", "stranger"):
            if name in self.__dict__:
                getattr(self, name).close()


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
            http=HttpProtocol if app.state.settings.behind_nginx else "auto",
            log_config=None,
            log_level=logging.CRITICAL,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="localchat")
        thread.start()
        gateway = Gateway(app, app.state.settings, listener.getsockname()[1])
        try:
            wait_until(lambda: server.started, f"LocalChat starts on {gateway.url}")
            yield gateway
        finally:
            gateway.close()
            server.should_exit = True
            thread.join()

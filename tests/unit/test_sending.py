"""Long answers of the API's own: whole for whoever takes them, and bounded for those that clients do not take."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from api.http import sending
from tests.support.fake_ollama import wait_until
from tests.unit.conftest import Serve
from tests.unit.files import upload
from tests.unit.serving import Gateway

# More than the kernel takes on the way to a client that does not read.
CHARACTERS = 1_500_000
TEXT = "\U0001f600" * CHARACTERS
SIZE_BYTES = 4 * CHARACTERS


@pytest.fixture
def gateway(serve_with: Serve) -> Gateway:
    """One that takes files of more than a megabyte."""
    return serve_with(max_upload_mb=10)


@pytest.fixture
def path(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of a text, of which three are sent at once."""
    monkeypatch.setattr(sending, "MAX_BYTES", 3 * SIZE_BYTES + 100_000)
    filename = upload(gateway, TEXT.encode(), "a.txt").json()["filename"]
    return f"/files/{filename}/text"


@pytest.fixture
def slow_clients(gateway: Gateway, path: str) -> Iterator[list[socket.socket]]:
    """Three that have asked for it and do not read."""
    with ExitStack() as stack:
        clients = []
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            # So that the kernel does not take the answer for them.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", gateway.port))
            authorization = gateway.client.headers["Authorization"]
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\n\r\n".encode())
            clients.append(client)
        being_sent = gateway.app.state.parts.sending
        wait_until(lambda: being_sent._size_bytes > 3 * SIZE_BYTES, "three answers are being sent")  # noqa: SLF001
        yield clients


def test_a_long_answer_is_whole(gateway: Gateway, path: str) -> None:
    """With its length."""
    answer = gateway.client.get(path)
    assert answer.json()["text"] == TEXT
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert gateway.app.state.parts.sending._size_bytes == 0  # noqa: SLF001


def test_slow_clients_do_not_fill_the_memory(gateway: Gateway, path: str, slow_clients: list[socket.socket]) -> None:
    """A fourth is told to come again; when one has left, it is served."""
    refused = gateway.client.get(path)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, str(sending.RETRY_SECONDS))
    assert gateway.client.get("/me").status_code == 200
    slow_clients[0].close()
    deadline = time.monotonic() + 10
    while (answer := gateway.client.get(path)).status_code == 503:
        assert time.monotonic() < deadline
    assert answer.status_code == 200

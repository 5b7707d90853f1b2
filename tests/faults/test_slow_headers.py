"""What 500 clients that send their headers a byte at a time do to the others: nothing."""

import http.client
import socket
import statistics
import threading
import time
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import pytest

from tests.e2e.stack import Stack, until
from tests.fake_ollama import FakeOllama
from tests.faults.conftest import uvicorn
from tests.faults.door import Door

SENDERS = 500
SECONDS_PER_BYTE = 0.2
CLIENT_HEADER_TIMEOUT_SECONDS = 15  # nginx.conf
ROUNDS = 5
REQUESTS_PER_ROUND = 300
# Hiccups of a machine with two busy cores: a difference below this says nothing of the server.
NOISE_SECONDS = {"p50": 0.001, "p99": 0.005}
HEAD = b"GET /models HTTP/1.1\r\nHost: localchat\r\nX-A: "


class SlowSenders:
    """Open connections on each of which a header grows, a byte every SECONDS_PER_BYTE, and never ends."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname, parts.port)
        self._open: list[socket.socket] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._send, name="slow-senders")
        self._bytes_sent = 0
        self.opened_at = 0.0

    @property
    def number(self) -> int:
        """How many the server has not closed."""
        return len(self._open)

    def hold_on(self) -> None:
        """Fails unless the server keeps each for some bytes more; one that it closed takes a byte or two."""
        enough = self._bytes_sent + 4
        until(lambda: self._bytes_sent >= enough, "each sender has sent some bytes more")
        assert self.number == SENDERS

    def __enter__(self) -> Self:
        self.opened_at = time.monotonic()
        self._open = [socket.create_connection(self._address, timeout=5) for _ in range(SENDERS)]
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        for connection in self._open:
            connection.close()

    def _send(self) -> None:
        # The first at once: nginx that is short of connections closes those on which nothing has come yet.
        while not self._done.wait(SECONDS_PER_BYTE if self._bytes_sent else 0):
            byte = HEAD[self._bytes_sent : self._bytes_sent + 1] or b"a"
            self._open = [connection for connection in self._open if _takes(connection, byte)]
            self._bytes_sent += 1


def _takes(connection: socket.socket, byte: bytes) -> bool:
    try:
        connection.sendall(byte)
    except OSError:
        connection.close()
        return False
    return True


def seconds_of_a_request(door: Door) -> float:
    """On a connection of its own, because it is connections that run out."""
    parts = urlsplit(door.url)
    assert parts.hostname
    started = time.monotonic()
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    try:
        connection.request("GET", "/models", headers={"Authorization": f"Bearer {door.token}"})
        response = connection.getresponse()
        response.read()
    finally:
        connection.close()
    assert response.status == 200
    return time.monotonic() - started


def p50_and_p99(door: Door) -> tuple[float, float]:
    times = sorted(seconds_of_a_request(door) for _ in range(REQUESTS_PER_ROUND))
    return statistics.median(times), times[-REQUESTS_PER_ROUND // 100]


def compare(door: Door) -> None:
    """Fails unless p50 and p99 of others stay below twice what they are without slow senders, in the median round."""
    before, during = [], []
    for _ in range(ROUNDS):
        before.append(p50_and_p99(door))
        with SlowSenders(door.url) as senders:
            senders.hold_on()
            during.append(p50_and_p99(door))
            senders.hold_on()
    for index, (name, noise_seconds) in enumerate(NOISE_SECONDS.items()):
        was, became = (statistics.median(times[index] for times in rounds) for rounds in (before, during))
        print(f"{name} of GET /models: {was * 1000:.1f} ms, beside {SENDERS} slow senders {became * 1000:.1f} ms")
        assert became <= max(2 * was, was + noise_seconds)


@pytest.fixture
def ollama(ollama: FakeOllama) -> FakeOllama:
    ollama.answer_always(lambda: (b'{"models":[]}',))
    return ollama


@pytest.mark.usefixtures("ollama")
def test_slow_senders_do_not_slow_others(stack: Stack) -> None:
    """All 500 stay meanwhile. Red with worker_connections 256 in nginx.conf: those are more than it can keep."""
    compare(Door(stack.url, stack.email, stack.password))


def test_nginx_drops_slow_senders(stack: Stack) -> None:
    """After client_header_timeout, however steadily they send; not before, or a slow line would be one too."""
    with SlowSenders(stack.url) as senders:
        until(lambda: senders.number == 0, "nginx drops them all", 2 * CLIENT_HEADER_TIMEOUT_SECONDS)
        seconds = time.monotonic() - senders.opened_at
    assert seconds == pytest.approx(CLIENT_HEADER_TIMEOUT_SECONDS, abs=5)


@pytest.mark.usefixtures("ollama")
def test_a_server_with_fewer_connections_is_hurt(ollama: FakeOllama, tmp_path: Path) -> None:
    """The control: the naive gateway with a limit of 100 connections has none left for others."""
    settings = {"NAIVE_OLLAMA_URL": ollama.url, "NAIVE_UPLOADS": str(tmp_path), "UVICORN_LIMIT_CONCURRENCY": "100"}
    with uvicorn("tests.naive_gateway:app", tmp_path, **settings) as door:
        assert seconds_of_a_request(door) < 5
        with pytest.raises(AssertionError, match="503"):
            compare(door)

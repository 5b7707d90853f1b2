"""500 clients that send headers a byte at a time do not affect the others."""

import http.client
import socket
import statistics
import threading
import time
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import pytest

from tests.faults.conftest import uvicorn
from tests.faults.gateway import Gateway
from tests.support.fake_ollama import FakeOllama
from tests.support.stack import Stack, until

SENDERS = 500
SECONDS_PER_BYTE = 0.2
TURNS = 20  # All at one moment would hold up the client that is measured, in this same process.
CLIENT_HEADER_TIMEOUT_SECONDS = 15  # nginx.conf
ROUNDS = 5
REQUESTS_PER_ROUND = 300
# Jitter of a machine with two busy cores: smaller differences say nothing about the server.
NOISE_SECONDS = {"p50": 0.001, "p99": 0.005}
HEAD = b"GET /models HTTP/1.1\r\nHost: localchat\r\nX-A: "


class SlowSenders:
    """Open connections, each with a header that grows a byte every SECONDS_PER_BYTE and never ends."""

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
        """Fails unless the server keeps all of them for a few more bytes; a closed one takes another byte or two."""
        enough = self._bytes_sent + 4
        until(lambda: self._bytes_sent >= enough, "each sender has sent some more bytes")
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
        while not self._done.is_set():
            byte = HEAD[self._bytes_sent : self._bytes_sent + 1] or b"a"
            # The first byte at once: short of connections, nginx closes those on which nothing has arrived.
            pause = SECONDS_PER_BYTE / TURNS if self._bytes_sent else 0
            still_open = []
            for turn in range(TURNS):
                self._done.wait(pause)
                still_open += [connection for connection in self._open[turn::TURNS] if _takes(connection, byte)]
            self._open = still_open
            self._bytes_sent += 1


def _takes(connection: socket.socket, byte: bytes) -> bool:
    try:
        connection.sendall(byte)
    except OSError:
        connection.close()
        return False
    return True


def seconds_of_a_request(gateway: Gateway) -> float:
    """On its own connection, because connections are what runs out."""
    parts = urlsplit(gateway.url)
    assert parts.hostname
    started = time.monotonic()
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    try:
        connection.request("GET", "/models", headers={"Authorization": f"Bearer {gateway.token}"})
        response = connection.getresponse()
        response.read()
    finally:
        connection.close()
    assert response.status == 200
    return time.monotonic() - started


def p50_and_p99(gateway: Gateway) -> tuple[float, float]:
    times = sorted(seconds_of_a_request(gateway) for _ in range(REQUESTS_PER_ROUND))
    return statistics.median(times), times[-REQUESTS_PER_ROUND // 100]


def compare(gateway: Gateway) -> None:
    """Fails unless others' p50 and p99 stay below twice those without slow senders, in the median round."""
    before, during = [], []
    for _ in range(ROUNDS):
        before.append(p50_and_p99(gateway))
        with SlowSenders(gateway.url) as senders:
            senders.hold_on()
            during.append(p50_and_p99(gateway))
            senders.hold_on()
    for index, (name, noise_seconds) in enumerate(NOISE_SECONDS.items()):
        was, became = (statistics.median(times[index] for times in rounds) for rounds in (before, during))
        print(f"{name} of GET /models: {was * 1000:.1f} ms, with {SENDERS} slow senders {became * 1000:.1f} ms")
        assert became <= max(2 * was, was + noise_seconds)


@pytest.fixture
def ollama(ollama: FakeOllama) -> FakeOllama:
    ollama.answer_always(lambda: (b'{"models":[]}',))
    return ollama


@pytest.mark.usefixtures("ollama")
def test_slow_senders_do_not_slow_others(stack: Stack) -> None:
    """All 500 stay connected. Fails with worker_connections 256 in nginx.conf, fewer than they need."""
    compare(Gateway(stack.url, stack.email, stack.password))


def test_nginx_drops_slow_senders(stack: Stack) -> None:
    """After client_header_timeout, however steadily they send; not earlier, or slow connections would fail too."""
    with SlowSenders(stack.url) as senders:
        until(lambda: senders.number == 0, "nginx drops them all", 2 * CLIENT_HEADER_TIMEOUT_SECONDS)
        seconds = time.monotonic() - senders.opened_at
    assert seconds == pytest.approx(CLIENT_HEADER_TIMEOUT_SECONDS, abs=5)


@pytest.mark.usefixtures("ollama")
def test_a_server_with_fewer_connections_is_hurt(ollama: FakeOllama, tmp_path: Path) -> None:
    """The control: with a limit of 100 connections the naive gateway has none left for others."""
    settings = {"NAIVE_OLLAMA_URL": ollama.url, "NAIVE_UPLOADS": str(tmp_path), "UVICORN_LIMIT_CONCURRENCY": "100"}
    with uvicorn("tests.support.naive_gateway:app", tmp_path, **settings) as gateway:
        assert seconds_of_a_request(gateway) < 5
        with pytest.raises(AssertionError, match="503"):
            compare(gateway)

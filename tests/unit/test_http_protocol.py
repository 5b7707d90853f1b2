"""Requests that offer an upgrade to another protocol, as Java's HttpClient does, at the wire."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.fake_ollama import wait_until
from tests.unit.serving import Gateway, closed_port

START_SECONDS = 60
ROOT = Path(__file__).parents[2]
H2C = "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\nUpgrade: h2c\r\n"
BODY = b'{"email":"admin@local","password":"changeme"}'
CHUNKED = b"5\r\n" + BODY[:5] + b"\r\n%x\r\n" % len(BODY[5:]) + BODY[5:] + b"\r\n0\r\n\r\n"
UPGRADES = {"h2c": H2C, "TLS": "connection:keep-alive,UPGRADE\r\nupgrade:TLS/1.3\r\n"}


def request(
    upgrade: str, length: str = f"Content-Length: {len(BODY)}\r\n", line: str = "POST /login HTTP/1.1"
) -> bytes:
    return f"{line}\r\nHost: x\r\nContent-Type: application/json\r\n{length}{upgrade}\r\n".encode()


def statuses(gateway: Gateway, *parts: bytes, count: int = 1) -> list[int]:
    """The first `count` response statuses, with each part sent in its own segment."""
    received = b""
    with gateway.connect() as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.02)
        while received.count(b"HTTP/1.1 ") < count:
            data = connection.recv(65_536)
            assert data, received
            received += data
    return [int(answer[:3]) for answer in received.split(b"HTTP/1.1 ")[1:]]


@pytest.fixture(scope="module")
def started_by_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of `uvicorn api.main:app`."""
    folder = tmp_path_factory.mktemp("by-hand")
    port = closed_port()
    command = [sys.executable, "-m", "uvicorn", "api.main:app", "--port", str(port), "--log-level", "critical"]
    files = {"UPLOAD_DIR": str(folder / "uploads"), "STATE_DIR": str(folder / "state")}
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | files)
    try:
        wait_until(lambda: answers(port), "uvicorn starts", START_SECONDS)
        yield port
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/live", trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.fixture(params=["by hand", "as in the container"])
def server(request: pytest.FixtureRequest, behind_nginx: Gateway, started_by_hand: int) -> Gateway:
    """Started either way. A login whose body is lost would be 422."""
    if request.param == "by hand":
        return Gateway(behind_nginx.app, behind_nginx.settings, started_by_hand)
    return behind_nginx


@pytest.mark.parametrize("upgrade", UPGRADES.values(), ids=UPGRADES)
@pytest.mark.parametrize(
    "parts",
    [
        lambda upgrade: [request(upgrade) + BODY],
        lambda upgrade: [request(upgrade), BODY[:9], BODY[9:]],
        lambda upgrade: [request(upgrade, "Transfer-Encoding: chunked\r\n") + CHUNKED],
        lambda upgrade: [request(upgrade, "Transfer-Encoding: chunked\r\n"), CHUNKED[:12], CHUNKED[12:]],
        lambda upgrade: [request(upgrade)[:40], request(upgrade)[40:] + BODY],
    ],
    ids=["at once", "in pieces", "chunked", "chunked, in pieces", "head in pieces"],
)
def test_an_upgrade_that_is_offered_does_not_lose_the_body(
    server: Gateway, parts: Callable[[str], list[bytes]], upgrade: str
) -> None:
    """The request is served as without the offer."""
    assert statuses(server, *parts(upgrade)) == [200]


def test_the_connection_is_good_for_the_next_request(server: Gateway) -> None:
    """With or without another offer, sequential or pipelined."""
    offering, plain = request(H2C) + BODY, request("") + BODY
    assert statuses(server, offering, plain, offering, count=3) == [200] * 3
    assert statuses(server, offering + plain + offering, count=3) == [200] * 3


def test_a_request_without_a_body_may_offer_an_upgrade(server: Gateway) -> None:
    """As curl --http2 sends it."""
    assert statuses(server, request(H2C, "", "GET /live HTTP/1.1")) == [200]


@pytest.mark.parametrize("line", ["CONNECT x:1 HTTP/1.1", "POST login HTTP/1.1", "POST /login HTTP/9"])
def test_an_invalid_request_is_refused(server: Gateway, line: str) -> None:
    """Even with an offer; a body that is not JSON after an offer is refused like any other."""
    assert statuses(server, request(H2C, line=line) + BODY) == [400]
    assert statuses(server, request(H2C) + b"x" * len(BODY)) == [422]


def test_many_offers_at_once_take_no_more_than_their_time(server: Gateway) -> None:
    """Twice as many take twice as long: an offer is neither a recursion nor a copy of the rest."""

    def seconds(count: int) -> float:
        # Processor time, because the machine is shared; the server is in this process.
        started = time.process_time()
        statuses(server, request(H2C, "", "GET /live HTTP/1.1") * count, count=count)
        return time.process_time() - started

    seconds(10)
    few, many = (min(seconds(count) for _ in range(3)) for count in (300, 1_200))
    assert many < 4 * 2.6 * few

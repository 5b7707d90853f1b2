"""Early refusals, seen by a client that sends the whole body before it reads."""

import socket
from collections.abc import Iterator

import pytest

from api.http import lingering
from tests.unit.serving import Gateway

# More than the kernel's buffers hold.
SIZE = 24 * 1024 * 1024
FORM = "Content-Type: multipart/form-data; boundary=b\r\n"
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.exe"\r\n\r\n'
LENGTHS = {"with a length": f"Content-Length: {SIZE}\r\n", "chunked": "Transfer-Encoding: chunked\r\n"}
CONNECTIONS = {"kept": "", "closed": "Connection: close\r\n"}


def body(*, chunked: bool) -> Iterator[bytes]:
    piece = b"0" * 65_536
    first = PART + piece[len(PART) :]
    for data in [first, *[piece] * (SIZE // len(piece) - 1)]:
        yield b"%x\r\n%b\r\n" % (len(data), data) if chunked else data
    if chunked:
        yield b"0\r\n\r\n"


def start(gateway: Gateway, path: str, headers: str) -> socket.socket:
    connection = gateway.connect()
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
    return connection


@pytest.mark.parametrize("connection", CONNECTIONS.values(), ids=CONNECTIONS)
@pytest.mark.parametrize("length", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize(
    ("request_line", "statuses"),
    [
        ("stranger's /upload", [401]),
        ("caller's /upload", [413, 415]),  # by size, or by extension
        ("stranger's /chat", [401]),
        ("caller's /chat", [413]),
        ("caller's /none", [404]),
    ],
)
def test_a_client_that_sends_all_before_it_reads_sees_the_refusal(
    gateway: Gateway, request_line: str, statuses: list[int], length: str, connection: str
) -> None:
    """The connection does not break while it sends."""
    who, path = request_line.split()
    token = f"Authorization: Bearer {gateway.token}\r\n" if who == "caller's" else ""
    with start(gateway, path, token + FORM + length + connection) as stream:
        for data in body(chunked="chunked" in length):
            stream.sendall(data)
        assert int(stream.recv(65_536).split()[1]) in statuses
    assert gateway.uploads() == []


@pytest.mark.parametrize("limit", ["LINGER_SECONDS", "PAUSE_SECONDS"])
def test_no_refused_body_is_read_forever(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    """Whether it keeps sending or falls silent."""
    monkeypatch.setattr(lingering, limit, 0.2)
    with start(gateway, "/upload", LENGTHS["with a length"] + CONNECTIONS["closed"]) as stream:
        assert stream.recv(65_536).startswith(b"HTTP/1.1 401 ")
        assert stream.recv(65_536) == b""

"""Whatever answers at OLLAMA_URL can only send an answer, and cannot affect LocalChat's clients otherwise."""

import re

import pytest

from tests.faults.gateway import Gateway
from tests.support.fake_ollama import FakeOllama
from tests.support.stack import Stack

BODY = b'{"models":[]}'
TYPE = b"Content-Type: application/json"
LENGTH = b"Content-Length: %d" % len(BODY)


def answer(*headers: bytes, status: bytes = b"200 OK", body: bytes = BODY) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 " + status, *headers, LENGTH, b"", body])


# Headers that a browser or another client would act on, or that look like ours.
HOSTILE = [
    b"Set-Cookie: session=theirs",
    b"Set-Cookie: a=b\r\nSet-Cookie: c=d",
    b'Clear-Site-Data: "*"',
    b"Strict-Transport-Security: max-age=31536000",
    b"WWW-Authenticate: Basic",
    b"Proxy-Authenticate: Basic",
    b"X-Request-ID: theirs",
    b"Location: http://evil.example/",
    b"Content-Location: http://evil.example/",
    b"Refresh: 0; url=http://evil.example/",
    b"Link: <http://evil.example/x.css>; rel=stylesheet",
    b'Alt-Svc: h2="evil.example:443"',
    b"Server: theirs",
    b"Date: theirs",
    b"Content-Disposition: inline; filename=theirs",
    b"Content-Encoding: gzip",
    b"Content-Range: bytes 0-1/2",
    b"Content-Security-Policy: script-src theirs",
    b"X-Frame-Options: ALLOWALL",
    b"X-Content-Type-Options: theirs",
    b"Service-Worker-Allowed: /theirs",
    b"SourceMap: /theirs",
    b"Cache-Control: public, max-age=86400",
    b"Expires: Thu, 01 Jan 2099 00:00:00 GMT",
    b"Last-Modified: Tue, 15 Nov 1994 12:45:26 GMT",
    b'ETag: "theirs"',
    b"Vary: theirs",
    b"Accept-Ranges: bytes",
    b"Access-Control-Allow-Origin: http://evil.example",
    b"Access-Control-Allow-Methods: theirs",
    b"Access-Control-Expose-Headers: theirs",
    b'Report-To: {"theirs":1}',
    b'NEL: {"theirs":1}',
    b"Trailer: theirs",
    b"Upgrade: theirs",
    b"Keep-Alive: timeout=1",
    b"Retry-After: 9999",
    b"X-LocalChat-Caller: theirs",
    b"X-LocalChat-Anything: theirs",
    b"X-Accel-Redirect: /theirs",
    b"X-Accel-Limit-Rate: 1",
    b"x_theirs: 1",
    b"X-Anything: theirs",
]
OUR_TYPES = ["application/json", "application/x-ndjson", "text/event-stream", "text/plain; charset=utf-8"]
OTHER_TYPES = ["text/html", "Text/HTML; charset=utf-8", "image/svg+xml", "text/javascript", "text/plain; x=y", "x", ""]
NO_ANSWERS = {
    "101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: theirs\r\nConnection: Upgrade\r\n\r\n",
    "only a 101": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "status 000": b"HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n",
    "status 099": b"HTTP/1.1 099 Nothing\r\nContent-Length: 0\r\n\r\n",
    # Some browsers accept a status line that starts a few bytes later.
    "no status line": b"\r\nHTTP/1.1 200 OK\r\nSet-Cookie: session=theirs\r\nContent-Length: 0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 13\r\n\r\n" + BODY,
    "a NUL in a header": b"HTTP/1.1 200 OK\r\nX\0Y: theirs\r\nContent-Length: 0\r\n\r\n",
}
INTERIM = {
    "100": b"HTTP/1.1 100 Continue\r\nSet-Cookie: session=theirs\r\n\r\n",
    "102": b"HTTP/1.1 102 Processing\r\nSet-Cookie: session=theirs\r\n\r\n",
    "103": b"HTTP/1.1 103 Early Hints\r\nLink: <http://evil.example/x.css>\r\nSet-Cookie: session=theirs\r\n\r\n",
    "199": b"HTTP/1.1 199 What\r\nSet-Cookie: session=theirs\r\n\r\n",
}


def ask(gateway: Gateway, *headers: str, path: str = "/models") -> bytes:
    """The complete response."""
    lines = [f"GET {path} HTTP/1.1", "Host: localchat", f"Authorization: Bearer {gateway.token}", *headers, "", ""]
    return gateway.send_raw("\r\n".join(lines).encode(), wait_seconds=1)


def names(head: bytes) -> list[str]:
    return sorted(line.partition(b":")[0].decode().lower() for line in head.split(b"\r\n")[1:])


def works(gateway: Gateway, ollama: FakeOllama) -> bool:
    ollama.enqueue_raw(answer(TYPE))
    with gateway.client() as client:
        return client.get("/models").content == BODY


def heads(gateway: Gateway, ollama: FakeOllama, *headers: bytes, status: bytes) -> list[bytes]:
    """The heads of a response without these headers, and of one with them."""
    seen = []
    for more in ((), headers):
        ollama.enqueue_raw(answer(TYPE, *more, status=status))
        head, _, body = ask(gateway, "Connection: close").partition(b"\r\n\r\n")
        # Without nginx the API sends chunks.
        assert BODY in body
        seen.append(head)
    return seen


@pytest.mark.parametrize("header", HOSTILE, ids=lambda header: header.partition(b":")[0].decode())
def test_no_header_of_ollamas_passes(gateway: Gateway, ollama: FakeOllama, header: bytes) -> None:
    """The response is the same as without it, each header once, and its value appears nowhere."""
    without, with_it = heads(gateway, ollama, header, status=b"200 OK")
    assert names(with_it) == names(without)
    for line in header.split(b"\r\n"):
        assert line.partition(b": ")[2] not in re.findall(rb"(?m): (.*?)\r?$", with_it)


@pytest.mark.parametrize("status", [b"206 Part", b"302 Found", b"401 Unauthorized", b"404 Not Found", b"503 Busy"])
def test_no_header_passes_with_any_status(gateway: Gateway, ollama: FakeOllama, status: bytes) -> None:
    """All of them at once; the status stays Ollama's."""
    without, with_them = heads(gateway, ollama, *HOSTILE, status=status)
    assert with_them.startswith(b"HTTP/1.1 " + status[:3])
    assert names(with_them) == names(without)
    assert b"theirs" not in with_them


@pytest.mark.parametrize("media_type", OUR_TYPES)
def test_ollamas_own_types_pass(gateway: Gateway, ollama: FakeOllama, media_type: str) -> None:
    """Unchanged."""
    ollama.enqueue_raw(answer(b"Content-Type: " + media_type.encode()))
    with gateway.client() as client:
        assert client.get("/models").headers["Content-Type"] == media_type


@pytest.mark.parametrize("media_type", OTHER_TYPES)
def test_another_type_is_only_bytes(gateway: Gateway, ollama: FakeOllama, media_type: str) -> None:
    """A response is never a page, a picture or a script under our origin."""
    ollama.enqueue_raw(answer(b"Content-Type: " + media_type.encode()))
    with gateway.client() as client:
        seen = client.get("/models")
    # nginx keeps the charset.
    assert seen.headers["Content-Type"].partition(";")[0] == "application/octet-stream"
    assert seen.content == BODY


def test_an_answer_without_a_type_is_only_bytes(gateway: Gateway, ollama: FakeOllama) -> None:
    """So that nobody guesses it."""
    ollama.enqueue_raw(answer())
    with gateway.client() as client:
        assert client.get("/models").headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("case", NO_ANSWERS)
def test_an_invalid_response_is_not_passed_on(gateway: Gateway, ollama: FakeOllama, case: str) -> None:
    """502, or a closed connection if nginx has already read too far; none of it reaches the client."""
    ollama.enqueue_raw(NO_ANSWERS[case], 0.2, b"theirs")
    seen = ask(gateway, "Upgrade: theirs", "Connection: Upgrade")
    assert b"theirs" not in seen
    assert seen == b"" or seen.startswith(b"HTTP/1.1 502 ")
    assert works(gateway, ollama)


@pytest.mark.parametrize("case", INTERIM)
def test_what_comes_before_an_answer_is_not_passed_on(gateway: Gateway, ollama: FakeOllama, case: str) -> None:
    """Only the response passes, or nothing: never a second one for the next request."""
    ollama.enqueue_raw(INTERIM[case], 0.05, answer(TYPE))
    seen = ask(gateway)
    assert b"theirs" not in seen
    assert re.findall(rb"HTTP/1\.1 (\d+)", seen) in ([], [b"200"])
    assert works(gateway, ollama)


def test_what_comes_after_an_answer_is_not_passed_on(gateway: Gateway, ollama: FakeOllama) -> None:
    """Neither bytes beyond its length nor trailers; and the next request gets its own response."""
    ollama.enqueue_raw(answer(TYPE) + answer(TYPE, body=b'{"theirs": 1}'))
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nSet-Cookie: session=theirs\r\n\r\n"
    ollama.enqueue_raw(chunks)
    assert b"theirs" not in ask(gateway) + ask(gateway)
    assert works(gateway, ollama)


def test_nginx_says_in_its_log_what_it_did_not_pass_on(stack: Stack, ollama: FakeOllama) -> None:
    """The client only sees a closed connection."""
    ollama.enqueue_raw(NO_ANSWERS["101"])
    assert ask(Gateway(stack.url, stack.email, stack.password)) == b""
    assert "Ollama sent no answer, but status 101" in stack.logs("nginx")

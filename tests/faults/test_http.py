"""Malformed HTTP, and two requests in one: what reaches Ollama was checked."""

import json
import re
import socket
from enum import Enum

import pytest

from tests.faults.gateway import CHAT, Gateway
from tests.support.fake_ollama import FakeOllama, wait_until
from tests.support.stack import Stack

CLOSED_WITHIN_SECONDS = 10
BODY = json.dumps(CHAT).encode()
LINE = b"POST /chat HTTP/1.1"
HOST = b"Host: localchat"
TOKEN = b"Authorization: Bearer @TOKEN@"
CLOSE = b"Connection: close"
LENGTH = b"Content-Length: %d" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


def message(line: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([line, *headers, b"", body])


def chat(*headers: bytes, body: bytes = BODY, line: bytes = LINE) -> bytes:
    return message(line, HOST, TOKEN, CLOSE, *headers, body=body)


def in_chunks(body: bytes, *headers: bytes) -> bytes:
    return chat(CHUNKED, *headers, body=body)


# Follows each case: a parser that misjudges where that ends takes this for the next request.
NEXT_BODY = BODY.replace(b'"m"', b'"smuggled"')
NEXT = message(LINE, HOST, TOKEN, b"Content-Length: %d" % len(NEXT_BODY), body=NEXT_BODY)


class Read(Enum):
    """Who accepts it as a request: then its body, and nothing else, reaches Ollama."""

    BY_NOBODY = "nobody"
    BY_BOTH = "nginx, and uvicorn without it"
    BY_NGINX = "nginx alone"
    BY_UVICORN = "uvicorn where no nginx is before it"


CASES: dict[str, tuple[Read, bytes]] = {
    "sound": (Read.BY_BOTH, chat(LENGTH)),
    "sound, in chunks": (Read.BY_BOTH, in_chunks(CHUNKS)),
    # Ambiguous length.
    "length, then chunked": (Read.BY_NOBODY, chat(LENGTH, CHUNKED, body=CHUNKS)),
    "chunked, then length": (Read.BY_NOBODY, chat(CHUNKED, LENGTH, body=CHUNKS)),
    "a length that covers chunks and a request": (
        Read.BY_NOBODY,
        chat(b"Content-Length: %d" % len(CHUNKS + NEXT), CHUNKED, body=CHUNKS),
    ),
    "an empty chunked body before a length's": (Read.BY_NOBODY, chat(LENGTH, CHUNKED, body=b"0\r\n\r\n" + BODY)),
    "two lengths": (Read.BY_NOBODY, chat(LENGTH, b"Content-Length: 5")),
    "two lengths, 0 first": (Read.BY_NOBODY, chat(b"Content-Length: 0", LENGTH)),
    "one length twice": (Read.BY_NOBODY, chat(LENGTH, LENGTH)),
    "one length twice in a list": (Read.BY_NOBODY, chat(LENGTH + b", %d" % len(BODY))),
    "chunked twice": (Read.BY_NOBODY, chat(CHUNKED, CHUNKED, body=CHUNKS)),
    "chunked in capitals": (Read.BY_BOTH, chat(b"Transfer-Encoding: CHUNKED", body=CHUNKS)),
    "xchunked": (Read.BY_NOBODY, chat(b"Transfer-Encoding: xchunked", LENGTH)),
    "chunked, identity": (Read.BY_NOBODY, chat(b"Transfer-Encoding: chunked, identity", body=CHUNKS)),
    # RFC 9112, 6.1: the last coding is chunked, so the end is known. nginx supports only `chunked`, and answers 501.
    "identity, chunked": (Read.BY_UVICORN, chat(b"Transfer-Encoding: identity, chunked", body=CHUNKS)),
    "gzip, chunked": (Read.BY_UVICORN, chat(b"Transfer-Encoding: gzip, chunked", body=CHUNKS)),
    "vertical tab before chunked": (Read.BY_NOBODY, chat(b"Transfer-Encoding: \x0bchunked", LENGTH)),
    "chunked with a space before the colon": (Read.BY_NOBODY, chat(b"Transfer-Encoding : chunked", LENGTH)),
    "chunked on a line of its own": (Read.BY_NOBODY, chat(b"Transfer-Encoding:\r\n chunked", LENGTH)),
    # Not Transfer-Encoding; nginx drops it.
    "an underscore in Transfer_Encoding": (Read.BY_BOTH, chat(b"Transfer_Encoding: chunked", LENGTH)),
    # HTTP/1.0 has no chunks: nginx refuses it; uvicorn reads it, then closes.
    "chunked in HTTP/1.0": (Read.BY_UVICORN, chat(CHUNKED, body=CHUNKS, line=b"POST /chat HTTP/1.0")),
    # Lengths.
    "negative length": (Read.BY_NOBODY, chat(b"Content-Length: -%d" % len(BODY))),
    "length with a plus": (Read.BY_NOBODY, chat(b"Content-Length: +%d" % len(BODY))),
    "length in hex": (Read.BY_NOBODY, chat(b"Content-Length: 0x%x" % len(BODY))),
    "length with an underscore": (Read.BY_NOBODY, chat(b"Content-Length: 1_0")),
    "length with a space inside": (Read.BY_NOBODY, chat(b"Content-Length: 1 0")),
    "length in words": (Read.BY_NOBODY, chat(b"Content-Length: ten")),
    "empty length": (Read.BY_NOBODY, chat(b"Content-Length:")),
    "length in leading zeros": (Read.BY_BOTH, chat(b"Content-Length: 000%d" % len(BODY))),
    "length above 64 bits": (Read.BY_NOBODY, chat(b"Content-Length: 99999999999999999999999999")),
    "length of 63 bits": (Read.BY_NOBODY, chat(b"Content-Length: 9223372036854775807")),
    # Chunks.
    "chunk extension": (Read.BY_BOTH, in_chunks(b'%x;a="b"\r\n%b\r\n0;c\r\n\r\n' % (len(BODY), BODY))),
    "chunk extension with a bare LF": (Read.BY_NOBODY, in_chunks(CHUNKS.replace(b"\r\n", b";a\n\r\n", 1))),
    "chunks with bare LFs": (Read.BY_NOBODY, in_chunks(CHUNKS.replace(b"\r\n", b"\n"))),
    "chunk size in 0x": (Read.BY_NOBODY, in_chunks(b"0x" + CHUNKS)),
    "negative chunk size": (Read.BY_NOBODY, in_chunks(b"-" + CHUNKS)),
    "chunk size above 64 bits": (Read.BY_NOBODY, in_chunks(b"fffffffffffffffff" + CHUNKS)),
    "no chunk size": (Read.BY_NOBODY, in_chunks(b"\r\n" + CHUNKS)),
    "chunk size in words": (Read.BY_NOBODY, in_chunks(b"xyz\r\n" + BODY)),
    "chunk longer than its size": (Read.BY_NOBODY, in_chunks(b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY) - 1, BODY))),
    "chunk shorter than its size": (Read.BY_NOBODY, in_chunks(b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY) + 1, BODY))),
    # nginx reads and ignores trailers; uvicorn's parser refuses a length there.
    "a length as a trailer": (Read.BY_NGINX, in_chunks(CHUNKS[:-2] + b"Content-Length: 5\r\n\r\n")),
    "a token as a trailer": (Read.BY_BOTH, in_chunks(CHUNKS[:-2] + b"Authorization: Bearer x\r\n\r\n")),
    # Lines.
    # RFC 9112, 2.2: a recipient may accept a lone LF as a line end in the head.
    "bare LFs in the head": (Read.BY_NGINX, chat(LENGTH, body=b"").replace(b"\r\n", b"\n") + BODY),
    "bare CR in a header": (Read.BY_NOBODY, chat(b"X-A: b\rContent-Length: 0", LENGTH)),
    "folded header": (Read.BY_NOBODY, chat(b"X-A: b\r\n c: d", LENGTH)),
    "space before the first header": (Read.BY_NOBODY, message(LINE, b" " + HOST, TOKEN, LENGTH, body=BODY)),
    "space before a colon": (Read.BY_NOBODY, chat(b"X-A : b", LENGTH)),
    "length with a space before the colon": (Read.BY_NOBODY, chat(LENGTH.replace(b":", b" :"))),
    # nginx drops lines that are not headers (ignore_invalid_headers); the API does not see it.
    "header without a colon": (Read.BY_NGINX, chat(b"X-A", LENGTH)),
    "NUL in a header": (Read.BY_NOBODY, chat(b"X-A: b\x00c", LENGTH)),
    "NUL in a header's name": (Read.BY_NOBODY, chat(b"X\x00A: b", LENGTH)),
    "control character in a header": (Read.BY_NOBODY, chat(b"X-A: b\x01c", LENGTH)),
    "DEL in a header": (Read.BY_NOBODY, chat(b"X-A: b\x7fc", LENGTH)),
    "empty lines before": (Read.BY_BOTH, b"\r\n\r\n" + chat(LENGTH)),
    # RFC 9112, 3.2: 400 for none and for two, which nginx follows. uvicorn accepts both, and the API checks each.
    "no host": (Read.BY_UVICORN, message(LINE, TOKEN, CLOSE, LENGTH, body=BODY)),
    "two hosts": (Read.BY_UVICORN, chat(HOST, LENGTH)),
    "two tokens": (Read.BY_UVICORN, chat(b"Authorization: Bearer x", LENGTH)),
    # The request line.
    "unknown version": (Read.BY_NOBODY, chat(LENGTH, line=b"POST /chat HTTP/3.0")),
    "version with a tail": (Read.BY_NOBODY, chat(LENGTH, line=b"POST /chat HTTP/1.1x")),
    "version 1.2": (Read.BY_NGINX, chat(LENGTH, line=b"POST /chat HTTP/1.2")),
    # HTTP/0.9, where nginx ends the request after the first line; uvicorn's parser reads it as an unnamed 1.0.
    "no version": (Read.BY_UVICORN, chat(LENGTH, line=b"POST /chat")),
    "tabs in the first line": (Read.BY_NOBODY, chat(LENGTH, line=b"POST\t/chat\tHTTP/1.1")),
    "space in the path": (Read.BY_NOBODY, chat(LENGTH, line=b"POST /ch at HTTP/1.1")),
    "NUL in the path": (Read.BY_NOBODY, chat(LENGTH, line=b"POST /chat\x00 HTTP/1.1")),
    "method in lower case": (Read.BY_NOBODY, chat(LENGTH, line=b"post /chat HTTP/1.1")),
    "control character in the method": (Read.BY_NOBODY, chat(LENGTH, line=b"P\x01ST /chat HTTP/1.1")),
    "CONNECT": (Read.BY_NOBODY, chat(LENGTH, line=b"CONNECT localchat:80 HTTP/1.1")),
    "TRACE": (Read.BY_NOBODY, chat(line=b"TRACE /chat HTTP/1.1", body=b"")),
    "asterisk": (Read.BY_NOBODY, chat(LENGTH, line=b"POST * HTTP/1.1")),
    "HTTP/2 preface": (Read.BY_NOBODY, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
    "HTTP/0.9": (Read.BY_NOBODY, b"GET /models\r\n\r\n"),
    "TLS": (Read.BY_NOBODY, bytes.fromhex("16030100c8010000c40303") + bytes(194)),
    "every byte there is": (Read.BY_NOBODY, bytes(range(256)) * 4),
    # Oversized. uvicorn's parser does not limit headers: one reason to run it behind nginx.
    "URL of 100,000 bytes": (Read.BY_NOBODY, chat(LENGTH, line=b"POST /%b HTTP/1.1" % (b"a" * 100_000))),
    "header of 100,000 bytes": (Read.BY_UVICORN, chat(b"X-A: " + b"a" * 100_000, LENGTH)),
    "header with a name of 100,000 bytes": (Read.BY_UVICORN, chat(b"a" * 100_000 + b": b", LENGTH)),
    "10,000 headers": (Read.BY_UVICORN, chat(*(b"X-%d: y" % number for number in range(10_000)), LENGTH)),
    # Hop-by-hop and connection headers.
    "expectation": (Read.BY_BOTH, chat(b"Expect: 100-continue", LENGTH)),
    "token named in Connection": (Read.BY_BOTH, chat(b"Connection: Authorization, Content-Length", LENGTH)),
}
# The only acceptable statuses for a malformed or impossible request.
REFUSALS = {400, 401, 404, 405, 413, 414, 431, 501, 505}


def exchange(gateway: Gateway, *parts: bytes, half_close: bool = False) -> bytes:
    """Everything received until the server closes. Fails if it does not close."""
    received = b""
    with gateway.connect() as connection:
        connection.settimeout(CLOSED_WITHIN_SECONDS)
        try:
            for part in parts:
                connection.sendall(part.replace(b"@TOKEN@", gateway.token.encode()))
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            while data := connection.recv(65_536):
                received += data
        except (ConnectionResetError, BrokenPipeError):
            # It closed with data unread: its last response may be lost, as with any reset.
            pass
        except TimeoutError:
            pytest.fail(f"not closed within {CLOSED_WITHIN_SECONDS} s, after {received[-200:]!r}")
    return received


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"^HTTP/1\.1 (\d{3}) ", answers, re.MULTILINE) if status != b"100"]


def bodies(ollama: FakeOllama) -> list[bytes]:
    return [request.body for request in ollama.requests]


def works(gateway: Gateway, ollama: FakeOllama) -> bool:
    """Whether the next client is served, and Ollama gets its body next."""
    ollama.requests.clear()
    with gateway.client() as client:
        answer = client.post("/chat", json=CHAT)
    return answer.content == b"{}\n" and [json.loads(body) for body in bodies(ollama)] == [CHAT]


@pytest.fixture
def ollama(ollama: FakeOllama) -> FakeOllama:
    """Answers every request."""
    ollama.answer_always(lambda: (b"{}\n",))
    return ollama


@pytest.mark.parametrize("case", CASES)
def test_ollama_gets_what_was_checked_or_nothing(gateway: Gateway, stack: Stack, ollama: FakeOllama, case: str) -> None:
    """No two parsers see two requests: one valid body passes, or a refusal ends the connection."""
    read, raw = CASES[case]
    answers = exchange(gateway, raw, NEXT)
    readers = {Read.BY_BOTH, Read.BY_NGINX if gateway.url == stack.url else Read.BY_UVICORN}
    if read in readers:
        assert (bodies(ollama), statuses(answers)) == ([BODY], [200])
    else:
        assert bodies(ollama) == []
        assert set(statuses(answers)) <= REFUSALS
    assert works(gateway, ollama)


@pytest.mark.parametrize("case", [case for case, (read, _) in CASES.items() if read is Read.BY_NOBODY])
@pytest.mark.usefixtures("ollama")
def test_nginx_refuses_in_the_one_shape(stack: Stack, case: str) -> None:
    """JSON with a detail and an X-Request-ID for any malformed request; uvicorn would use its own format."""
    gateway = Gateway(stack.url, stack.email, stack.password)
    answer = exchange(gateway, CASES[case][1])
    if answer.startswith(b"HTTP/"):
        head, _, body = answer.partition(b"\r\n\r\n")
        assert json.loads(body)["detail"]
        assert b"\r\nX-Request-ID: " in head
    else:
        # HTTP/0.9 has no head, so the request is refused for lack of a token.
        assert "token" in json.loads(answer)["detail"]


CUT_SHORT = {
    "a body shorter than its length": chat(b"Content-Length: %d" % (len(BODY) + 1)),
    "no last chunk": in_chunks(CHUNKS[:-5]),
    "a chunk cut short": in_chunks(CHUNKS[:20]),
    "a head cut short": chat(LENGTH, body=b"")[:-4],
    "a first line cut short": LINE[:10],
    "no body": chat(LENGTH, body=b""),
}


@pytest.mark.parametrize("case", CUT_SHORT)
def test_a_truncated_request_reaches_nobody(gateway: Gateway, ollama: FakeOllama, case: str) -> None:
    """A client that stops mid-request is dropped, and nothing of it is passed on."""
    answers = exchange(gateway, CUT_SHORT[case], half_close=True)
    assert bodies(ollama) == []
    assert set(statuses(answers)) <= REFUSALS
    assert works(gateway, ollama)


def test_two_sound_requests_in_one_go_are_two(gateway: Gateway, ollama: FakeOllama) -> None:
    """Pipelining is not smuggling: each is checked, and each reaches Ollama with its own body."""
    first = message(LINE, HOST, TOKEN, LENGTH, body=BODY)
    answers = exchange(gateway, first + NEXT.replace(HOST, HOST + b"\r\n" + CLOSE))
    assert (bodies(ollama), statuses(answers)) == ([BODY, NEXT_BODY], [200, 200])


def test_a_malformed_one_after_a_sound_one_is_refused(gateway: Gateway, stack: Stack, ollama: FakeOllama) -> None:
    """nginx serves the one before it; uvicorn reads ahead, and closes at once. Neither reads on."""
    first = message(LINE, HOST, TOKEN, LENGTH, body=BODY)
    answers = exchange(gateway, first + CASES["two lengths"][1] + NEXT)
    assert statuses(answers) == ([200, 400] if gateway.url == stack.url else [400])
    assert NEXT_BODY not in bodies(ollama)
    assert works(gateway, ollama)


def test_a_sound_one_after_a_malformed_one_is_not_read(gateway: Gateway, ollama: FakeOllama) -> None:
    """The connection is unusable: nobody knows where the next request starts."""
    answers = exchange(gateway, CASES["two lengths"][1] + NEXT + NEXT)
    assert (bodies(ollama), statuses(answers)) == ([], [400])
    assert works(gateway, ollama)


def test_a_strangers_request_in_anothers_body_is_no_request(gateway: Gateway, ollama: FakeOllama) -> None:
    """A body that is itself a request is refused as invalid JSON."""
    inner = message(LINE, HOST, LENGTH, body=BODY)
    answers = exchange(gateway, chat(b"Content-Length: %d" % len(inner), body=inner))
    assert bodies(ollama) == []
    assert statuses(answers) == [422]


@pytest.mark.parametrize("case", ["two lengths, 0 first", "xchunked", "space before a colon", "NUL in a header"])
def test_a_lenient_server_takes_it_for_two(ollama: FakeOllama, case: str) -> None:
    """The control: the scripted Ollama, a lenient parser, reads the same bytes as two requests."""
    with socket.create_connection((ollama.host, ollama.port)) as connection:
        connection.sendall(CASES[case][1])
        wait_until(lambda: ollama.requests, "the first request is read")
        connection.sendall(NEXT)
        wait_until(lambda: len(ollama.requests) == 2, "the second request is read")
    assert bodies(ollama) == [BODY, NEXT_BODY]

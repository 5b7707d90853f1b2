"""The stream contract: what goes to Ollama, what comes back, and what happens to broken connections."""

import json
import socket
import struct
import time
from pathlib import Path

import httpx
import pytest

from api.ollama.direct import ANSWER_TYPES
from tests.support.fake_ollama import Ending, FakeOllama
from tests.unit.conftest import Serve
from tests.unit.serving import Gateway, closed_port

ROOT = Path(__file__).parents[2]
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
FIRST = b'{"model":"m","message":{"role":"assistant","content":"Hi \xe2\x82\xac"},"done":false}\n'
LAST = b'{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}\n'
FREES_OLLAMA_WITHIN_SECONDS = 0.25


def leave(stream: socket.socket) -> float:
    stream.close()
    return time.monotonic()


def start_chat(gateway: Gateway, body: dict[str, object]) -> socket.socket:
    content = json.dumps(body).encode()
    stream = gateway.connect()
    head = f"POST /chat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gateway.token}\r\n"
    stream.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
    return stream


def read_until(stream: socket.socket, wanted: bytes) -> bytes:
    received = b""
    while wanted not in received:
        data = stream.recv(65_536)
        assert data, f"the server closed after {received!r}"
        received += data
    return received


def test_passes_the_lines_byte_for_byte(gateway: Gateway, ollama: FakeOllama) -> None:
    """Whitespace, Unicode and the order of keys are unchanged."""
    odd = b'{ "done" :false,"z":1, "a":"\\u00e9\xc3\xa9" }\n'
    ollama.enqueue(FIRST, odd, LAST)
    response = gateway.client.post("/chat", json=CHAT)
    assert response.content == FIRST + odd + LAST
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/x-ndjson")


def test_keeps_a_line_that_comes_in_pieces(gateway: Gateway, ollama: FakeOllama) -> None:
    """A chunk that ends inside a line or a character is passed on as it is."""
    ollama.enqueue(FIRST[:57], FIRST[57:58], FIRST[58:] + LAST)
    assert gateway.client.post("/chat", json=CHAT).content == FIRST + LAST


def test_streams_before_the_answer_is_complete(gateway: Gateway, ollama: FakeOllama) -> None:
    """The first chunk arrives while Ollama still holds the last."""
    gate = ollama.gate()
    ollama.enqueue(FIRST, gate, LAST)
    with gateway.client.stream("POST", "/chat", json=CHAT) as response:
        chunks = response.iter_raw()
        assert next(chunks) == FIRST
        gate.open()
        assert b"".join(chunks) == LAST


def test_each_chunk_passes_on_its_own(gateway: Gateway, ollama: FakeOllama) -> None:
    """No chunk waits for the next one."""
    gates = [ollama.gate() for _ in range(5)]
    lines = [b'{"n":%d}\n' % n for n in range(5)]
    ollama.enqueue(*(step for pair in zip(lines, gates, strict=True) for step in pair))
    with gateway.client.stream("POST", "/chat", json=CHAT) as response:
        chunks = response.iter_raw()
        for line, gate in zip(lines, gates, strict=True):
            assert next(chunks) == line
            gate.open()


def test_tells_proxies_not_to_buffer(gateway: Gateway, ollama: FakeOllama) -> None:
    """A stream has X-Accel-Buffering: no, and may be neither cached nor transformed."""
    ollama.enqueue(LAST)
    headers = gateway.client.post("/chat", json=CHAT).headers
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["Cache-Control"] == "no-cache, no-transform"


def test_stream_false_gives_one_object(gateway: Gateway, ollama: FakeOllama) -> None:
    """The one JSON object has Ollama's own type and bytes."""
    ollama.enqueue(LAST, headers={"Content-Type": "application/json", "Content-Length": str(len(LAST))})
    response = gateway.client.post("/chat", json={**CHAT, "stream": False})
    assert (response.headers["Content-Type"], response.content) == ("application/json", LAST)


def test_models_is_ollamas_own_list(gateway: Gateway, ollama: FakeOllama) -> None:
    """GET /models is GET /api/tags, unchanged."""
    tags = b'{"models": [ {"name":"smollm2:135m"} ]}'
    ollama.enqueue(tags, headers={"Content-Type": "application/json"})
    response = gateway.client.get("/models")
    assert (response.content, response.headers["Content-Type"]) == (tags, "application/json")
    assert (ollama.requests[0].method, ollama.requests[0].path) == ("GET", "/api/tags")


@pytest.mark.parametrize(
    "body",
    [
        b'  {"messages" :[ {"content":"h\\u00e9\xc3\xa9 \xf0\x9f\xa6\x99", "role":"user"}],\n\t"model":"m" }  \n',
        b'{"model":"m","messages":[],"options":{"temperature":1.0e0,"seed":10}}',
        b'{"stream":true,"messages":[{"role":"user","content":"","images":["aGk="]}],"think":"low","model":"m","x":null}',
    ],
)
def test_ollama_gets_the_bytes_that_the_client_sent(gateway: Gateway, ollama: FakeOllama, body: bytes) -> None:
    """The body that was checked is the body that is sent, to the last space."""
    ollama.enqueue(LAST)
    gateway.client.post("/chat", content=body)
    request = ollama.requests[0]
    assert (request.method, request.path, request.body) == ("POST", "/api/chat", body)


def test_a_chunked_body_reaches_ollama_whole(gateway: Gateway, ollama: FakeOllama) -> None:
    """A body without Content-Length is reassembled and sent."""
    body = json.dumps(CHAT).encode()
    ollama.enqueue(LAST)
    gateway.client.post("/chat", content=iter([body[:10], body[10:]]))
    assert ollama.requests[0].body == body


def test_the_clients_own_headers_do_not_reach_ollama(gateway: Gateway, ollama: FakeOllama) -> None:
    """Token, cookies, origin and hop-by-hop headers are dropped."""
    private = ("Cookie", "Origin", "Referer", "X-Forwarded-For", "Proxy-Authorization", "TE", "Upgrade", "X-Anything")
    ollama.enqueue(LAST)
    gateway.client.post("/chat", json=CHAT, headers=dict.fromkeys(private, "http://localhost:3000"))
    names = set(ollama.requests[0].headers)
    assert names.isdisjoint({"authorization", *(name.lower() for name in private)})
    assert gateway.token not in str(ollama.requests[0].headers)


@pytest.mark.parametrize("status", [400, 404, 499, 500, 503])
def test_ollamas_errors_pass_unchanged(gateway: Gateway, ollama: FakeOllama, status: int) -> None:
    """An error before the first byte keeps Ollama's status and message."""
    error = b'{"error":"model \'llama9\' not found"}'
    ollama.enqueue(error, status=status, headers={"Content-Type": "application/json; charset=utf-8"})
    response = gateway.client.post("/chat", json=CHAT)
    assert (response.status_code, response.content) == (status, error)
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.headers["X-Request-ID"]


@pytest.mark.parametrize("media_type", ["text/html", "text/plain; x=y", "image/svg+xml", ""])
def test_another_type_than_ollamas_is_only_bytes(gateway: Gateway, ollama: FakeOllama, media_type: str) -> None:
    """Whatever answers at OLLAMA_URL cannot serve a page under our origin; and none of its other headers pass."""
    ollama.enqueue(LAST, headers={"Content-Type": media_type, "Set-Cookie": "a=b", "X-Request-ID": "theirs"})
    response = gateway.client.post("/chat", json=CHAT)
    assert (response.headers["Content-Type"], response.content) == ("application/octet-stream", LAST)
    assert "Set-Cookie" not in response.headers
    assert response.headers["X-Request-ID"] != "theirs"


def test_a_list_of_models_in_error_is_typed_by_the_same_rule(gateway: Gateway, ollama: FakeOllama) -> None:
    """The only response of Ollama's that the API reads whole."""
    ollama.enqueue(b"<script>", status=500, headers={"Content-Type": "text/html"})
    response = gateway.client.get("/v1/models/a/b")
    assert (response.headers["Content-Type"], response.content) == ("application/octet-stream", b"<script>")


def test_nginx_and_the_api_let_the_same_types_pass() -> None:
    """One list, in two languages."""
    script = (ROOT / "nginx/ollama-answers.js").read_text().replace("\\/", "/")
    assert f"/^{ANSWER_TYPES.pattern}$/i" in script


def test_a_change_of_protocol_is_no_answer(gateway: Gateway, ollama: FakeOllama) -> None:
    """A 101 becomes 502: no tunnel."""
    ollama.enqueue_raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
    assert gateway.client.post("/chat", json=CHAT).status_code == 502


def test_ollamas_error_line_passes_unchanged(gateway: Gateway, ollama: FakeOllama) -> None:
    """An error mid-stream is a line like any other, and nothing is added after it."""
    error = b'{"error":"llama runner process has terminated"}\n'
    ollama.enqueue(FIRST, error)
    assert gateway.client.post("/chat", json=CHAT).content == FIRST + error


@pytest.mark.parametrize("path", ["/chat", "/models"])
def test_an_unreachable_ollama_is_502(serve_with: Serve, path: str) -> None:
    """Nothing listens at OLLAMA_URL."""
    gateway = serve_with(ollama_url=f"http://127.0.0.1:{closed_port()}")
    response = gateway.client.post(path, json=CHAT) if path == "/chat" else gateway.client.get(path)
    assert response.status_code == 502
    assert "Ollama" in response.json()["detail"]
    assert response.headers["X-Request-ID"]


@pytest.mark.parametrize("ending", ["close", "reset"])
def test_an_ollama_that_dies_before_the_first_byte_is_502(gateway: Gateway, ollama: FakeOllama, ending: Ending) -> None:
    """A connection that ends before a response is our error, with our message."""
    ollama.enqueue_no_answer(ending)
    response = gateway.client.post("/chat", json=CHAT)
    assert response.status_code == 502
    assert "Ollama" in response.json()["detail"]


def test_a_silent_ollama_is_504(serve_with: Serve, ollama: FakeOllama) -> None:
    """After OLLAMA_TIMEOUT_SECONDS without a byte the client is told and Ollama released."""
    gateway = serve_with(ollama_timeout_seconds=0.1)
    ollama.enqueue_no_answer("silence")
    response = gateway.client.post("/chat", json=CHAT)
    assert response.status_code == 504
    assert "OLLAMA_TIMEOUT_SECONDS" in response.json()["detail"]
    ollama.requests[0].connection.wait_until_closed()


@pytest.mark.parametrize("ending", ["close", "reset"])
@pytest.mark.parametrize("streams", [True, False])
def test_a_stream_that_breaks_looks_broken(
    gateway: Gateway, ollama: FakeOllama, ending: Ending, *, streams: bool
) -> None:
    """The client sees a transport error, never a clean end."""
    gate = ollama.gate()
    headers = {} if streams else {"Content-Length": "9999"}
    ollama.enqueue(FIRST, gate, headers=headers, ending=ending)
    with gateway.client.stream("POST", "/chat", json=CHAT) as response:
        chunks = response.iter_raw()
        assert next(chunks) == FIRST
        gate.open()
        with pytest.raises(httpx.RemoteProtocolError):
            next(chunks)


def test_a_stream_that_falls_silent_looks_broken(serve_with: Serve, ollama: FakeOllama) -> None:
    """OLLAMA_TIMEOUT_SECONDS also limits the silence between two chunks."""
    gateway = serve_with(ollama_timeout_seconds=0.1)
    ollama.enqueue(FIRST, ending="silence")
    with gateway.client.stream("POST", "/chat", json=CHAT) as response, pytest.raises(httpx.RemoteProtocolError):
        response.read()


def test_works_again_after_ollama_broke(gateway: Gateway, ollama: FakeOllama) -> None:
    """No broken connection is reused for the next request."""
    ollama.enqueue_no_answer("reset")
    ollama.enqueue(LAST)
    assert gateway.client.post("/chat", json=CHAT).status_code == 502
    assert gateway.client.post("/chat", json=CHAT).content == LAST


@pytest.mark.parametrize("attempt", range(5))
def test_a_client_that_leaves_before_the_first_byte_frees_ollama(
    gateway: Gateway, ollama: FakeOllama, attempt: int
) -> None:
    """Ollama's connection is closed within 250 ms, although there was nothing to send that could fail."""
    ollama.enqueue_no_answer("silence")
    stream = start_chat(gateway, {**CHAT, "attempt": attempt})
    request = ollama.wait_for_request()
    left_at = leave(stream)
    assert request.connection.wait_until_closed() - left_at < FREES_OLLAMA_WITHIN_SECONDS


@pytest.mark.parametrize("attempt", range(5))
def test_a_client_that_leaves_mid_stream_frees_ollama(gateway: Gateway, ollama: FakeOllama, attempt: int) -> None:
    """The same between two chunks."""
    ollama.enqueue(FIRST, ending="silence")
    stream = start_chat(gateway, {**CHAT, "attempt": attempt})
    read_until(stream, FIRST)
    left_at = leave(stream)
    assert ollama.requests[0].connection.wait_until_closed() - left_at < FREES_OLLAMA_WITHIN_SECONDS


def test_a_client_that_resets_its_connection_frees_ollama(gateway: Gateway, ollama: FakeOllama) -> None:
    """A killed client is noticed like one that closes properly."""
    ollama.enqueue(FIRST, ending="silence")
    stream = start_chat(gateway, dict(CHAT))
    read_until(stream, FIRST)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    left_at = leave(stream)
    assert ollama.requests[0].connection.wait_until_closed() - left_at < FREES_OLLAMA_WITHIN_SECONDS


def test_a_client_that_leaves_models_frees_ollama(gateway: Gateway, ollama: FakeOllama) -> None:
    """A GET has no body to read first, but the client is watched all the same."""
    ollama.enqueue_no_answer("silence")
    stream = gateway.connect()
    stream.sendall(f"GET /models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gateway.token}\r\n\r\n".encode())
    request = ollama.wait_for_request()
    left_at = leave(stream)
    assert request.connection.wait_until_closed() - left_at < FREES_OLLAMA_WITHIN_SECONDS


def test_a_stream_goes_on_while_others_leave(gateway: Gateway, ollama: FakeOllama) -> None:
    """A client that disconnects ends only its own stream."""
    gate = ollama.gate()
    ollama.enqueue(FIRST, gate, LAST)
    with gateway.client.stream("POST", "/chat", json=CHAT) as staying:
        chunks = staying.iter_raw()
        assert next(chunks) == FIRST
        ollama.enqueue(FIRST, ending="silence")
        leaving = start_chat(gateway, dict(CHAT))
        read_until(leaving, FIRST)
        leave(leaving)
        ollama.requests[-1].connection.wait_until_closed()
        gate.open()
        assert b"".join(chunks) == LAST


def test_direct_answers_tell_nothing_of_nginx(gateway: Gateway, ollama: FakeOllama) -> None:
    """Without nginx nothing would remove X-LocalChat-* and X-Accel-Redirect."""
    ollama.enqueue(LAST)
    names = {name.lower() for name in gateway.client.post("/chat", json=CHAT).headers}
    assert not [name for name in names if name.startswith("x-localchat") or name == "x-accel-redirect"]


def test_nginx_is_told_to_carry_a_chat(behind_nginx: Gateway, ollama: FakeOllama) -> None:
    """The API decides and names the location; it sends nothing to Ollama."""
    response = behind_nginx.client.post("/chat", json={**CHAT, "model": "smollm2:135m"})
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["X-Accel-Redirect"] == "@ollama"
    assert response.headers["X-LocalChat-Path"] == "/api/chat"
    assert response.headers["X-LocalChat-Caller"] == "admin@local"
    assert response.headers["X-LocalChat-Model"] == "smollm2:135m"
    assert ollama.requests == []


def test_nginx_is_told_to_carry_the_models(behind_nginx: Gateway, ollama: FakeOllama) -> None:
    """GET /models leads to the named location of /api/tags."""
    headers = behind_nginx.client.get("/models").headers
    assert (headers["X-Accel-Redirect"], headers["X-LocalChat-Path"]) == ("@ollama", "/api/tags")
    assert ollama.requests == []


@pytest.mark.parametrize(
    ("model", "quoted"),
    [
        ("hf.co/org/model:q4", "hf.co/org/model:q4"),
        ("lama \u0645\r\nX: y", "lama%20%D9%85%0D%0AX:%20y"),
        ("x" * 5_000, "x" * 200),
    ],
)
def test_the_models_name_is_safe_in_a_header(behind_nginx: Gateway, model: str, quoted: str) -> None:
    """Whatever a client calls its model, the header is ASCII without line breaks."""
    assert behind_nginx.client.post("/chat", json={**CHAT, "model": model}).headers["X-LocalChat-Model"] == quoted


def test_a_refusal_behind_nginx_leads_nowhere(behind_nginx: Gateway) -> None:
    """Neither a stranger nor an invalid body gets an X-Accel-Redirect."""
    refused = behind_nginx.stranger.post("/chat", json=CHAT), behind_nginx.client.post("/chat", json={})
    assert [response.status_code for response in refused] == [401, 422]
    assert not any("X-Accel-Redirect" in response.headers for response in refused)


def test_bytes_beyond_an_answer_are_nobodys(gateway: Gateway, ollama: FakeOllama) -> None:
    """A broken Ollama cannot shift responses to the next caller."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    ollama.enqueue_raw(head + b"{}" + head + b"[]")
    ollama.enqueue(LAST)
    assert [gateway.client.post("/chat", json=CHAT).content for _ in range(2)] == [b"{}", LAST]


def test_chats_one_after_the_other_get_their_own_answers(gateway: Gateway, ollama: FakeOllama) -> None:
    """None waits for the previous one."""
    answers = [b'{"n":%d}\n' % n for n in range(3)]
    for answer in answers:
        ollama.enqueue(answer)
    assert [gateway.client.post("/chat", json=CHAT).content for _ in answers] == answers

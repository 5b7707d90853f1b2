"""What applies to every endpoint: one error format, ids, CORS, logs; and /health."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.fake_ollama import FakeOllama, Gate
from tests.unit.conftest import Serve
from tests.unit.serving import Gateway

ROOT = Path(__file__).parents[2]
ORIGIN = "http://localhost:3000"
PATHS = ["/login", "/models", "/chat", "/upload", "/files/x", "/health"]
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
JSON_TYPE = {"Content-Type": "application/json"}


def test_health_is_ok_while_ollama_answers(gateway: Gateway, ollama: FakeOllama) -> None:
    """Without a token; reports the configured URL."""
    ollama.enqueue(b'{"version":"0.34.2"}', headers=JSON_TYPE)
    response = gateway.stranger.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "ollama_url": ollama.url})


def test_health_answers_head_as_get(serve_with: Serve, ollama: FakeOllama) -> None:
    """Monitors use HEAD: the same status and headers, no body."""
    for url, status in ((ollama.url, 200), ("http://127.0.0.1:9", 503)):
        ollama.enqueue(b'{"version":"0.34.2"}', headers=JSON_TYPE)
        answer = serve_with(ollama_url=url).stranger.head("/health")
        assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (status, "application/json", b"")


@pytest.mark.parametrize("status", [404, 500])
def test_health_is_not_ok_when_ollama_is_unhealthy(gateway: Gateway, ollama: FakeOllama, status: int) -> None:
    """503 with the reason."""
    ollama.enqueue(b"x", status=status, headers=JSON_TYPE)
    answer = gateway.stranger.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert str(status) in answer.json()["detail"]


def test_health_is_not_ok_without_ollama(serve_with: Serve) -> None:
    """503; the process itself stays alive, and its container healthy."""
    gateway = serve_with(ollama_url="http://127.0.0.1:9")
    answer = gateway.stranger.get("/health")
    assert (answer.status_code, answer.json()["ollama_url"]) == (503, "http://127.0.0.1:9")
    assert gateway.stranger.get("/live").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("GET", "/chat"), ("DELETE", "/models"), ("POST", "/"), ("GET", "/models%0A")],
)
def test_an_unknown_route_is_json(gateway: Gateway, method: str, path: str) -> None:
    """404 or 405 in the one error format, with an id; no redirect."""
    response = gateway.client.request(method, path)
    assert response.status_code in (404, 405)
    assert path.partition("%")[0] in response.json()["detail"]
    assert len(response.headers["X-Request-ID"]) == 32


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/chat", {"POST"}),
        ("DELETE", "/models", {"GET", "HEAD"}),
        ("POST", "/", {"GET", "HEAD"}),
        ("GET", "/login", {"POST"}),
        ("POST", "/static-offline-docs/favicon.png", {"GET", "HEAD"}),
    ],
)
def test_another_method_gets_the_allowed_ones(gateway: Gateway, method: str, path: str, allowed: set[str]) -> None:
    """405 with `Allow` (RFC 9110, 15.5.6), on rows, routes and files."""
    response = gateway.client.request(method, path)
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize("header", [b"X-A: b\x01c", b"Authorization: Bearer \x7f", b"X-A b"])
def test_what_cannot_be_read_is_json(behind_nginx: Gateway, header: bytes) -> None:
    """400 in the one error format, where uvicorn would send plain text, and the connection closes."""
    head, _, body = behind_nginx.send(b"GET /models HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n" % header).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nConnection: close" in head
    assert b"\r\nContent-Length: %d\r\n" % len(body) in head
    assert list(json.loads(body)) == ["detail"]


def test_an_unexpected_error_is_json(serve_with: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """500 in the one error format, readable by a page; the traceback is only in the log."""
    gateway = serve_with()
    gateway.app.state.parts.settings_account = None
    response = gateway.stranger.post("/login", json={"email": "a", "password": "b"}, headers={"Origin": ORIGIN})
    assert (response.status_code, list(response.json())) == (500, ["detail"])
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "NoneType" not in response.text
    assert "NoneType" in caplog.text


def test_ids_are_made_here_unless_nginx_made_one(gateway: Gateway, behind_nginx: Gateway) -> None:
    """A client cannot choose the id under which it is logged; nginx can."""
    given = "0123456789abcdef" * 2
    assert gateway.stranger.get("/live", headers={"X-Request-ID": given}).headers["X-Request-ID"] != given
    assert behind_nginx.stranger.get("/live", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given
    assert behind_nginx.stranger.get("/live", headers={"X-Request-ID": "x\ty"}).headers["X-Request-ID"] != "x\ty"


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_of_a_usual_origin_is_answered(gateway: Gateway, path: str) -> None:
    """On every endpoint, without a token, for the header that carries the token."""
    ask = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    answer = gateway.stranger.options(path, headers=ask)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, ORIGIN)
    assert "authorization" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000.evil.example"])
def test_another_origin_is_not_let_in(gateway: Gateway, origin: str) -> None:
    """In a preflight or in a response."""
    ask = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answers = (
        gateway.stranger.options("/login", headers=ask),
        gateway.stranger.get("/models", headers={"Origin": origin}),
    )
    assert not any("Access-Control-Allow-Origin" in answer.headers for answer in answers)


def test_a_page_can_read_errors(gateway: Gateway, ollama: FakeOllama) -> None:
    """Refusals and Ollama's errors carry CORS headers too, and expose the headers that a page needs."""
    ollama.enqueue(b'{"error":"x"}', status=404, headers=JSON_TYPE)
    refusal = gateway.stranger.get("/models", headers={"Origin": ORIGIN})
    error = gateway.client.post("/chat", json=CHAT, headers={"Origin": ORIGIN})
    for answer in (refusal, error):
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


def test_every_origin_means_without_credentials(serve_with: Serve) -> None:
    """`*` with credentials would let any page use a visitor's session."""
    answer = serve_with(cors_origins="*").stranger.get("/live", headers={"Origin": "https://any.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_burst_of_logins_does_not_stall_a_stream(gateway: Gateway, ollama: FakeOllama) -> None:
    """50 at once; the next chunk arrives within 100 ms. In the best of a few rounds: they run in the same process."""
    assert any(slowest_chunk_during_logins(gateway, ollama) < 0.1 for _ in range(5))


def slowest_chunk_during_logins(gateway: Gateway, ollama: FakeOllama) -> float:
    gates = [ollama.gate() for _ in range(20)]
    ollama.enqueue(*(step for gate in gates for step in (b"x\n", gate)))
    with gateway.client.stream("POST", "/chat", json=CHAT) as stream, ThreadPoolExecutor(50) as pool:
        chunks = stream.iter_raw()
        next(chunks)
        logins = [pool.submit(log_in, gateway) for _ in range(50)]
        slowest = max(delays(chunks, gates))
        assert {login.result() for login in logins} == {200}
    return slowest


def log_in(gateway: Gateway) -> int:
    # One client for all: creating one takes longer than a login, in the same process as the gateway.
    return gateway.log_in().status_code


def delays(chunks: Iterator[bytes], gates: list[Gate]) -> Iterator[float]:
    for gate in gates[:-1]:
        opened_at = time.monotonic()
        gate.open()
        next(chunks)
        yield time.monotonic() - opened_at


LOGS_ONE_EXCEPTION = """
import logging.config
from api.logs import LOGGING
from api.logs import request_id
logging.config.dictConfig(LOGGING)
request_id.set("f" * 32)
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("x").exception("broke")
"""


def test_logs_are_json_with_the_requests_id() -> None:
    """One object per line, tracebacks included."""
    command = [sys.executable, "-c", LOGS_ONE_EXCEPTION]
    (line,) = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr.splitlines()
    entry = json.loads(line)
    assert (entry["level"], entry["logger"], entry["message"], entry["request_id"]) == ("ERROR", "x", "broke", "f" * 32)
    assert "ZeroDivisionError" in entry["exc_info"]

"""Unusual but harmless requests, through nginx: a HEAD, a GET with a body, too many slashes."""

import json

import httpx
import pytest

from api.ollama.allowlist import ALLOWED, OLLAMAS, Row
from api.ollama.requests import CopyRequest, ModelRequest
from tests.support.fake_ollama import FakeOllama, wait_until
from tests.support.stack import Stack

pytestmark = pytest.mark.stack("stack_before_fake_ollama")

JSON_TYPE = {"Content-Type": "application/json"}
READ = ["/models", *(route.path.replace(":model", "m") for route in ALLOWED if route.check is None)]
SMUGGLED = b"POST /api/delete HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("path", READ)
@pytest.mark.parametrize("in_chunks", [False, True], ids=["with a length", "in chunks"])
def test_the_body_of_a_get_stays_behind(
    client: httpx.Client, ollama: FakeOllama, path: str, *, in_chunks: bool
) -> None:
    """Ollama would ignore it, but nobody has checked it; the connection's next request is read correctly."""
    ollama.enqueue(b'{"a":1}', headers=JSON_TYPE)
    answer = client.request("GET", path, content=iter([SMUGGLED]) if in_chunks else SMUGGLED)
    assert (answer.status_code, answer.content) == (200, b'{"a":1}')
    ollama.enqueue(b'{"b":2}', headers=JSON_TYPE)
    assert client.get("/api/version").content == b'{"b":2}'
    asked = "/api/tags" if path == "/models" else path
    assert [(request.path, request.body) for request in ollama.requests] == [(asked, b""), ("/api/version", b"")]
    assert not ollama.requests[0].headers.keys() & {"content-length", "transfer-encoding"}


@pytest.mark.parametrize("path", READ)
def test_head_is_get_without_the_body(client: httpx.Client, ollama: FakeOllama, path: str) -> None:
    """Status, type and length are those of the GET; the connection remains usable."""
    ollama.enqueue(headers={**JSON_TYPE, "Content-Length": "7"})
    head = client.head(path)
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, "7", b"")
    assert head.headers["Content-Type"] == "application/json"
    ollama.enqueue(b'{"b":2}', headers=JSON_TYPE)
    assert client.get("/api/version").content == b'{"b":2}'
    wait_until(lambda: len(ollama.requests) == 2, "each sends one request")


def test_head_of_health(stack: Stack, ollama: FakeOllama) -> None:
    """As monitors send it."""
    ollama.enqueue(b"{}", headers=JSON_TYPE)
    answer = httpx.head(f"{stack.url}/health")
    assert (answer.status_code, answer.content) == (200, b"")


def with_more_slashes(path: str) -> list[str]:
    """As base URLs with a trailing slash produce them."""
    first, _, rest = path[1:].partition("/")
    return ["/" + path, path + "/", f"//{first}//{rest}/", f"/{first}///{rest}"] if rest else ["/" + path, path + "/"]


CHECKED = [route for route in OLLAMAS if route.check in {ModelRequest.check, CopyRequest.check}]


@pytest.mark.parametrize("route", CHECKED, ids=lambda route: route.path)
def test_extra_slashes_are_read_as_one(stack: Stack, client: httpx.Client, ollama: FakeOllama, route: Row) -> None:
    """Answered like the intended path, with the token and the body, and without a redirect."""
    body = json.dumps({"model": "m", "source": "a", "destination": "b", "messages": []}).encode()
    for path in with_more_slashes(route.path):
        ollama.enqueue(b"{}", headers=JSON_TYPE)
        answer = client.request(route.methods, stack.url + path, content=body, follow_redirects=False)
        assert (answer.status_code, answer.content) == (200, b"{}"), path
        asked = ollama.requests[-1]
        assert (asked.method, asked.path, asked.body) == (route.methods, route.path, body)


def test_our_own_endpoints_have_slashes_too(stack: Stack, client: httpx.Client, ollama: FakeOllama) -> None:
    """With each one's limit: a chat of 900 kB, and a larger upload, up to MAX_UPLOAD_MB."""
    chat = {"model": "m", "messages": [{"role": "user", "content": "x" * 900_000}]}
    for path in ("//chat", "/chat/", "//chat//"):
        ollama.enqueue(b"{}\n")
        assert client.post(stack.url + path, json=chat).content == b"{}\n"
    for path in ("//upload", "/upload/"):
        answer = client.post(stack.url + path, files={"file": ("a.txt", b"x" * 1024 * 1024)})
        assert answer.status_code == 200, answer.text
    assert len(client.get(f"{stack.url}/{answer.json()['download_path']}").content) == 1024 * 1024
    login = {"email": stack.email, "password": stack.password}
    assert [httpx.post(f"{stack.url}{path}", json=login).status_code for path in ("//login", "/login/")] == [200, 200]


@pytest.mark.parametrize(
    "path", ["//api/chat", "/api//chat", "//v1//chat/completions/", "/v1//messages", "/v1/messages/"]
)
def test_nginxs_own_errors_keep_the_dialect(stack: Stack, client: httpx.Client, path: str) -> None:
    """413, in the format of the intended path."""
    answer = client.post(stack.url + path, content=b" " * (1024 * 1024 + 1))
    assert answer.status_code == 413
    assert list(answer.json()) == (["type", "error"] if "messages" in path else ["error"])


@pytest.mark.parametrize("size_bytes", [100, 900_000])
@pytest.mark.parametrize("path", ["/chat", "/v1/responses", "/v1/messages", "/api/chat", "/upload"])
def test_a_compressed_body_is_refused_in_words(
    client: httpx.Client, ollama: FakeOllama, path: str, size_bytes: int
) -> None:
    """415 whatever its size, on an intact connection: nginx reads it before the API refuses."""
    headers = {"Content-Encoding": "zstd"}
    answers = [client.post(path, content=b"(\xb5/\xfd" + b"x" * size_bytes, headers=headers) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [415] * 5
    assert all("enable_request_compression" in answer.text for answer in answers)
    assert answers[0].headers["Accept-Encoding"] == "identity"
    assert ollama.requests == []

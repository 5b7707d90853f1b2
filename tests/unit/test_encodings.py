"""A compressed body is refused before it is read, with a helpful message: nothing would decompress it for Ollama."""

import gzip
import json

import pytest

from api.ollama.allowlist import ALLOWED
from tests.support.fake_ollama import FakeOllama
from tests.unit.serving import Gateway

CHAT = json.dumps({"model": "m", "messages": [], "source": "a", "destination": "b"}).encode()
WITH_BODY = [(route.methods, route.path) for route in ALLOWED if route.check is not None]
OURS = [("POST", "/chat"), ("POST", "/upload"), ("POST", "/login")]
GATEWAYS = pytest.mark.parametrize("fixture", ["gateway", "behind_nginx"])


@GATEWAYS
@pytest.mark.parametrize(("method", "path"), [*WITH_BODY, *OURS])
def test_a_compressed_body_is_refused(
    request: pytest.FixtureRequest, ollama: FakeOllama, fixture: str, method: str, path: str
) -> None:
    """415 in the dialect of the path, with what to send instead (RFC 7694); nothing reaches Ollama."""
    gateway: Gateway = request.getfixturevalue(fixture)
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = gateway.client.request(method, path, content=gzip.compress(CHAT), headers=headers)
    assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "identity")
    body = answer.json()
    words = body.get("detail") or body["error"]
    words = words if isinstance(words, str) else words["message"]
    assert words == "The body is compressed (Content-Encoding: gzip); send it uncompressed."
    assert ollama.requests == []


@pytest.mark.parametrize(
    "encoding",
    [
        "zstd",
        "br",
        "deflate",
        "GZIP",
        "x-gzip",
        "compress",
        "aws-chunked",
        "identity, gzip",
        "gzip,gzip",
        "*",
        "\u00e9",
    ],
)
def test_no_encoding_is_read(behind_nginx: Gateway, encoding: str) -> None:
    """Whatever its name; for the one that Codex uses, the message names Codex's setting."""
    headers = [("Content-Encoding", encoding.encode("latin-1"))]
    answer = behind_nginx.client.post("/v1/responses", content=CHAT, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 415
    assert ("enable_request_compression" in answer.text) is (encoding == "zstd")


def test_every_header_counts(behind_nginx: Gateway) -> None:
    """If the header is repeated."""
    headers = [("Content-Encoding", "identity"), ("Content-Encoding", "gzip")]
    assert behind_nginx.client.post("/chat", content=CHAT, headers=headers).status_code == 415


@GATEWAYS
@pytest.mark.parametrize("encoding", ["identity", "Identity", "identity , identity", ""])
def test_an_uncompressed_body_may_be_called_so(
    request: pytest.FixtureRequest, ollama: FakeOllama, fixture: str, encoding: str
) -> None:
    """As without the header."""
    gateway: Gateway = request.getfixturevalue(fixture)
    ollama.enqueue(b"{}\n")
    answer = gateway.client.post("/chat", content=CHAT, headers={"Content-Encoding": encoding})
    assert answer.status_code == 200


@GATEWAYS
@pytest.mark.parametrize("path", ["/chat", "/v1/responses", "/upload"])
def test_it_is_refused_before_it_is_read(request: pytest.FixtureRequest, fixture: str, path: str) -> None:
    """The response comes before any of the body has been sent; strangers get 401."""
    gateway: Gateway = request.getfixturevalue(fixture)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: zstd\r\nContent-Length: 1000\r\n"
    with_token = f"{head}Authorization: Bearer {gateway.token}\r\n\r\n"
    assert gateway.send(with_token.encode()).startswith(b"HTTP/1.1 415 ")
    assert gateway.send(f"{head}\r\n".encode()).startswith(b"HTTP/1.1 401 ")


def test_a_get_has_no_body_that_could_be_compressed(behind_nginx: Gateway) -> None:
    """Some clients set the header on every request."""
    assert behind_nginx.client.get("/models", headers={"Content-Encoding": "gzip"}).status_code == 200

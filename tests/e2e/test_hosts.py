"""Which host names the stack answers to, through nginx: for the page, its files and every protocol."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.fake_ollama import FakeOllama
from tests.support.fixtures import StackBeforeFake
from tests.support.stack import EMAIL, PASSWORD, Stack

ALLOWED = "Chat.example.org:8443, *.example.net"
BROWSER = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def stack(running_before_fake_ollama: StackBeforeFake) -> Iterator[Stack]:
    with running_before_fake_ollama(ALLOWED_HOSTS=ALLOWED) as running:
        yield running


@pytest.fixture
def ollama(fake_ollama_on_the_host: FakeOllama) -> FakeOllama:
    fake_ollama_on_the_host.forget()
    return fake_ollama_on_the_host


def status(stack: Stack, head: str) -> int:
    """The response status for a raw request."""
    url = urlsplit(stack.url)
    with socket.create_connection((url.hostname, url.port), timeout=10) as connection:
        connection.sendall(f"{head}\r\nConnection: close\r\n\r\n".encode("latin-1"))
        return int(connection.recv(65_536).split(b" ", 2)[1])


PATHS = ["/", "/assets/x.js", "/chat", "/login", "/models", "/health", "/nothing", "/api/tags", "/v1/models"]


@pytest.mark.parametrize("path", PATHS)
def test_a_rebound_name_gets_nothing(stack: Stack, path: str) -> None:
    """Only the name and how to allow it; neither the page nor data."""
    answer = httpx.get(stack.url + path, headers={**BROWSER, "Host": "evil.example"})
    assert answer.status_code == 421
    assert answer.headers["Content-Type"].startswith("application/json")
    assert "'evil.example'" in answer.text
    assert "ALLOWED_HOSTS" in answer.text


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_the_method_makes_no_difference(stack: Stack, method: str) -> None:
    """Preflights included."""
    assert httpx.request(method, f"{stack.url}/chat", headers={"Host": "evil.example"}).status_code == 421


def test_the_refusal_has_the_shape_of_the_protocol(stack: Stack) -> None:
    """So that a client can show its user what to do."""
    host = {"Host": "evil.example"}
    words = httpx.get(f"{stack.url}/chat", headers=host).json()["detail"]
    assert httpx.get(f"{stack.url}/api/chat", headers=host).json() == {"error": words}
    assert httpx.get(f"{stack.url}/v1/models", headers=host).json()["error"]["message"] == words
    assert httpx.get(f"{stack.url}/v1/messages", headers=host).json()["error"]["message"] == words


def test_the_size_of_a_body_makes_no_difference(stack: Stack) -> None:
    """421, not 413."""
    answer = httpx.post(f"{stack.url}/chat", content=b"x" * (40 * 1024 * 1024), headers={"Host": "evil.example"})
    assert answer.status_code == 421


KNOWN = ["localhost", "LOCALHOST.:1", "gpu-box", "gpu-box.lan:8000", "[::1]:8000", "host.docker.internal", "10.0.0.1"]


@pytest.mark.parametrize("host", [*KNOWN, "chat.example.org", "CHAT.example.org.:443", "a.b.example.net"])
def test_its_own_names_get_everything(stack: Stack, ollama: FakeOllama, host: str) -> None:
    """The page, a login, and a chat through API and nginx."""
    ollama.answer_always(lambda: (b"{}\n",))
    headers = {"Host": host}
    page = httpx.get(f"{stack.url}/", headers={**headers, **BROWSER})
    login = httpx.post(f"{stack.url}/login", json={"email": EMAIL, "password": PASSWORD}, headers=headers)
    token = login.json()["access_token"]
    chat = {"model": "m", "messages": []}
    answer = httpx.post(f"{stack.url}/chat", json=chat, headers={**headers, "Authorization": f"Bearer {token}"})
    assert (page.status_code, login.status_code, answer.status_code) == (200, 200, 200)
    assert page.headers["Content-Type"].startswith("text/html")
    assert answer.content == b"{}\n"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("GET /models HTTP/1.0", 401),
        ("GET /models HTTP/1.1", 400),
        ("GET /models HTTP/1.1\r\nHost: x\r\nHost: evil.example", 400),
        ("GET http://evil.example/models HTTP/1.1\r\nHost: localhost", 421),
        ("GET http://localhost/models HTTP/1.1\r\nHost: evil.example", 401),
        ("GET /models HTTP/1.1\r\nHost: user:password@localhost", 400),
        ("GET /models HTTP/1.1\r\nHost: [fe80::1%25eth0]", 400),
        ("GET /models HTTP/1.1\r\nHost: m\u00fcller.local", 400),
        ("GET /models HTTP/1.1\r\nHost: xn--mller-kva.example", 421),
        ("GET /models HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost", 421),
        ("GET /models HTTP/1.1\r\nHost: example.org", 421),
        ("GET /models HTTP/1.1\r\nHost: evilexample.net", 421),
        ("GET /models HTTP/1.1\r\nHost: gpu-box.fritz.box", 421),
        ("GET /models HTTP/1.1\r\nHost: 127.0.0.1.evil.example", 421),
    ],
)
def test_hosts_as_no_client_library_sends_them(stack: Stack, head: str, expected: int) -> None:
    """HTTP/1.0 needs none, and the one in the request line takes precedence over the header (RFC 9112, 3.2)."""
    assert status(stack, head) == expected


def test_a_name_that_nobody_may_use_does_not_start(stack: Stack) -> None:
    """nginx names it and shows a valid one; it cannot become a directive."""
    for hosts in ("*", "https://chat.example.org", "chat.example.org;return", "a{b"):
        with pytest.raises(AssertionError, match="ALLOWED_HOSTS lists"):
            stack.run("run", "--rm", "--no-deps", "--no-TTY", "--env", f"ALLOWED_HOSTS={hosts}", "nginx", "render")

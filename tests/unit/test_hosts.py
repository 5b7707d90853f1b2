"""Which host names LocalChat answers to, against DNS rebinding."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.errors import UnknownHost
from api.http.hosts import LOCAL_HOSTS, KnownHosts, name_of
from tests.unit.conftest import Serve
from tests.unit.serving import Gateway

ROOT = Path(__file__).parents[2]
ALLOWED = ("chat.example.org", "*.example.net")

KNOWN = [
    "127.0.0.1:8000",
    "192.168.1.20",
    "203.0.113.5:8000",
    "[::1]:8000",
    "[fd00::12]",
    "[::ffff:127.0.0.1]",
    "localhost",
    "LocalHost:8000",
    "localhost.",
    "localhost.:8000",
    "app.localhost:3000",
    "gpu-box",
    "nginx:8080",
    "api_1:8000",
    "host.docker.internal:8000",
    "gpu-box.local",
    "gpu-box.lan",
    "gpu-box.home",
    "gpu-box.home.arpa",
    "gpu-box.localdomain",
    "a.b.internal",
    "chat.example.org",
    "CHAT.Example.ORG.:443",
    "a.example.net",
    "a.b.example.net:8443",
]
UNKNOWN = [
    "evil.example",
    "evil.example:8000",
    "example.org",
    "www.chat.example.org",
    "chat.example.org.evil.example",
    "example.net",
    "evilexample.net",
    "127.0.0.1.evil.example",
    "7f000001.rbndr.example",
    "localhost.evil.example",
    "gpu-box.fritz.box",
    "fritz.box",
    "local.example",
    "evil.example#.local",
    "evil.example/.local",
    "evil.example\\.local",
    "user:password@localhost",
    "localhost@evil.example",
    "localhost evil.example",
    "evil.example,localhost",
    "localhost..",
    "a..local",
    ".local",
    ".",
    ":8000",
    "localhost:80:80",
    "localhost:port",
    "127.0.0.1\n",
    "localhost\x00",
    "127.1",
    "0x7f.1",
    "::1",
    "[::1",
    "[evil.example]",
    "[fe80::1%25eth0]",
    "m\u00fcller.local",
    "localho\u017ft",
    "home.arpa.example",
    f"{'a' * 64}",
    f"{'a.' * 200}local",
]


@pytest.mark.parametrize("host", KNOWN)
def test_answers_to_its_own_names(host: str) -> None:
    """Addresses, names that cannot be registered, and ALLOWED_HOSTS; ports, final dots and case are ignored."""
    assert host in KnownHosts(ALLOWED)


@pytest.mark.parametrize("host", UNKNOWN)
def test_answers_to_no_other(host: str) -> None:
    """Names that can be registered, and invalid ones."""
    assert host not in KnownHosts(ALLOWED)


def test_without_the_setting_no_registered_name_is_known() -> None:
    """ALLOWED_HOSTS is empty by default."""
    assert "chat.example.org" not in KnownHosts(())


def test_a_decision_about_a_host_takes_microseconds() -> None:
    """It is made for each request: 25 names take less than a millisecond, and a host of a megabyte no longer."""
    hosts = KnownHosts(ALLOWED)
    assert best_seconds(hosts, KNOWN) < 0.001
    assert best_seconds(hosts, ["a." * 500_000, "1" * 1_000_000, ":" * 1_000_000]) < 0.001


def best_seconds(hosts: KnownHosts, names: list[str]) -> float:
    def once() -> float:
        started = time.process_time()
        for name in names:
            name in hosts  # noqa: B015
        return time.process_time() - started

    return min(once() for _ in range(5))


def nginx_patterns() -> Iterator[str]:
    """The patterns in known-hosts.conf."""
    conf = (ROOT / "nginx/known-hosts.conf").read_text()
    yield from re.findall(r'^server_name "~\^(.*)\$";$', conf, re.MULTILINE)


def test_nginx_and_the_api_answer_to_the_same_names() -> None:
    """nginx serves the page without the API, with the same patterns."""
    assert tuple(nginx_patterns()) == LOCAL_HOSTS


def test_nginx_and_the_api_refuse_in_the_same_words() -> None:
    """Whatever the path."""
    (words,) = re.findall(r'^ +421 +"(.*)";$', (ROOT / "nginx/error-bodies.conf").read_text(), re.MULTILINE)
    assert words == UnknownHost("$host").detail


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("X.Lan.:80", "x.lan"),
        ("x:", "x"),
        ("[::1]:80", "[::1]"),
        ("[::1]", "[::1]"),
        ("a:b", "a:b"),
        (":80", ":80"),
        ("", ""),
    ],
)
def test_a_name_is_a_host_without_port_dot_and_capitals(host: str, name: str) -> None:
    """As nginx's $host."""
    assert name_of(host) == name


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/", lambda body: body["detail"]),
        ("/chat", lambda body: body["detail"]),
        ("/login", lambda body: body["detail"]),
        ("/nothing", lambda body: body["detail"]),
        ("/api/chat", lambda body: body["error"]),
        ("/v1/models", lambda body: body["error"]["message"]),
        ("/v1/messages", lambda body: body["error"]["message"]),
    ],
)
def test_another_host_is_refused_with_the_remedy(gateway: Gateway, path: str, shape: object) -> None:
    """421 in the protocol's format, with an id, naming host and setting, before authentication."""
    response = gateway.stranger.post(path, headers={"Host": "evil.example:8000"})
    words = shape(response.json())  # type: ignore[operator]
    assert response.status_code == 421
    assert "'evil.example'" in words
    assert "ALLOWED_HOSTS" in words
    assert len(response.headers["X-Request-ID"]) == 32


def test_a_listed_page_can_read_why_a_host_is_refused(gateway: Gateway) -> None:
    """The refusal carries CORS headers, like every error."""
    response = gateway.stranger.get("/models", headers={"Host": "evil.example", "Origin": "http://localhost:3000"})
    assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


def test_hosts_of_the_setting_are_answered(serve_with: Serve) -> None:
    """In both modes."""
    for behind_nginx in (False, True):
        gateway = serve_with(allowed_hosts="chat.example.org", behind_nginx=behind_nginx)
        assert gateway.stranger.get("/live", headers={"Host": "chat.example.org"}).status_code == 200
        assert gateway.stranger.get("/live", headers={"Host": "other.example.org"}).status_code == 421


@pytest.mark.parametrize("head", ["GET /live HTTP/1.0", "GET /live HTTP/1.0\r\nHost:"])
def test_a_host_may_be_missing(gateway: Gateway, head: str) -> None:
    """Browsers always send one."""
    assert gateway.send(f"{head}\r\n\r\n".encode()).startswith(b"HTTP/1.1 200 ")


def test_each_of_several_hosts_has_to_be_known(gateway: Gateway) -> None:
    """Nothing behind us can pick the other one."""
    for hosts in (["x", "evil.example"], ["evil.example", "x"]):
        lines = "".join(f"Host: {host}\r\n" for host in hosts)
        assert gateway.send(f"GET /live HTTP/1.1\r\n{lines}\r\n".encode()).startswith(b"HTTP/1.1 421 ")


def test_a_long_host_is_not_repeated(gateway: Gateway) -> None:
    """The message does not repeat a client's value at any length."""
    response = gateway.stranger.get("/live", headers={"Host": "a." * 20_000})
    assert response.status_code == 421
    assert len(json.dumps(response.json())) < 500


def test_forwarded_hosts_count_for_nothing(gateway: Gateway) -> None:
    """A page can send them."""
    forged = {"Host": "evil.example", "X-Forwarded-Host": "localhost", "Forwarded": "host=localhost"}
    assert gateway.stranger.get("/live", headers=forged).status_code == 421
    assert httpx.get(f"{gateway.url}/live", headers={"X-Forwarded-Host": "evil.example"}).status_code == 200

"""A weak password works only on this machine, even if BIND is loopback because a reverse proxy is in front."""

import re
from pathlib import Path

import pytest

from api.accounts.proxied import FORWARDING_HEADERS, is_public
from tests.unit.conftest import Serve
from tests.unit.serving import Gateway

ROOT = Path(__file__).parents[2]
LONG = "ten letters"


def log_in(gateway: Gateway, password: str, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"email": "admin@local", "password": password}
    return gateway.stranger.post("/login", json=body, headers=named).status_code


@pytest.fixture(params=["changeme", "short pw"])
def weak(request: pytest.FixtureRequest, serve_with: Serve) -> Gateway:
    """The public default, and one that is hardly better."""
    return serve_with(admin_password=request.param, allowed_hosts="chat.example.org")


def password_of(gateway: Gateway) -> str:
    return gateway.settings.admin_password.get_secret_value()


@pytest.mark.parametrize("name", FORWARDING_HEADERS)
def test_a_weak_password_is_refused_behind_a_proxy(weak: Gateway, name: str) -> None:
    """Whatever the proxy adds; the message says what to set, and nothing else is refused."""
    answer = weak.stranger.post(
        "/login", json={"email": "admin@local", "password": password_of(weak)}, headers={name: "x"}
    )
    assert answer.status_code == 403
    assert "ADMIN_PASSWORD" in answer.json()["detail"]
    assert weak.stranger.get("/live", headers={name: "x"}).status_code == 200


@pytest.mark.parametrize("host", ["chat.example.org", "CHAT.example.org.:443", "203.0.114.5:8000", "[2a00::1]"])
def test_a_weak_password_is_refused_at_a_public_name(weak: Gateway, host: str) -> None:
    """A proxy that adds no header may pass the name on; a public address is reachable from outside, too."""
    assert log_in(weak, password_of(weak), Host=host) == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "nginx:8080", "host.docker.internal", "192.168.1.20"])
def test_a_weak_password_logs_in_at_home(weak: Gateway, host: str) -> None:
    """By address and by local name."""
    assert log_in(weak, password_of(weak), Host=host) == 200


def test_a_refusal_tells_nothing_about_the_password(weak: Gateway) -> None:
    """A wrong one gets the same answer, and none counts as failed."""
    assert {log_in(weak, password, Via="x") for password in (password_of(weak), "wrong") for _ in range(15)} == {403}
    assert log_in(weak, password_of(weak)) == 200


def test_a_good_password_logs_in_through_a_proxy(serve_with: Serve) -> None:
    """With every such header."""
    gateway = serve_with(admin_password=LONG, allowed_hosts="chat.example.org")
    headers = {name.replace("-", "_"): "x" for name in FORWARDING_HEADERS}
    assert log_in(gateway, LONG, Host="chat.example.org", **headers) == 200


def test_behind_nginx_its_own_headers_are_no_proxy(serve_with: Serve) -> None:
    """nginx sets X-Forwarded-For on each request, and reports in its own header whether there was one before."""
    gateway = serve_with(behind_nginx=True)
    assert log_in(gateway, "changeme", X_Forwarded_For="172.18.0.1", X_Forwarded_Proto="http") == 200
    assert log_in(gateway, "changeme", X_LocalChat_Proxied="1") == 403


def test_nginx_looks_for_the_same_headers() -> None:
    """nginx replaces some of them, so only nginx can see them."""
    (listed,) = re.findall(r'^map "(.*)" \$is_proxied', (ROOT / "nginx/proxied.conf").read_text(), re.MULTILINE)
    variables = [f"$http_{name.lower().replace('-', '_')}" for name in FORWARDING_HEADERS]
    assert listed == "".join(variables)


@pytest.mark.parametrize("host", ["", "10.0.0.1", "100.64.0.1", "[fd00::1]", "[::1]:80", "169.254.0.1", "999.1.1.1"])
def test_a_private_address_is_not_public(host: str) -> None:
    """Nor is an invalid one."""
    assert not is_public(host)

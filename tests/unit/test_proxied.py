"""A weak password works only on this machine, even if BIND is loopback because a reverse proxy is in front."""

import re
from pathlib import Path

import httpx
import pytest

from api.accounts.proxied import FORWARDING_HEADERS, is_public
from tests.unit.conftest import Serve
from tests.unit.people import PASSWORD, add_person
from tests.unit.serving import Gateway

ROOT = Path(__file__).parents[2]
LONG = "ten letters"


def log_in_as(gateway: Gateway, email: str, password: str, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return gateway.stranger.post("/login", json={"email": email, "password": password}, headers=named)


def log_in(gateway: Gateway, password: str, **headers: str) -> int:
    return log_in_as(gateway, "admin@local", password, **headers).status_code


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


def test_a_refusal_tells_nothing(weak: Gateway) -> None:
    """Neither whose password is right, nor whose address ADMIN_EMAIL is: the same answers, as often, to the byte."""
    add_person(weak)
    weak.client.patch(f"/users/{add_person(weak, 'disabled@example.org').id}", json={"disabled": True})
    tried = [
        ("admin@local", password_of(weak)),
        ("admin@local", "wrong"),
        ("member@example.org", "wrong"),
        ("disabled@example.org", PASSWORD),
        ("nobody@example.org", "wrong"),
    ]
    answers = [log_in_as(weak, *who, Via="x") for who in tried]
    assert {(one.status_code, one.content, len(one.headers)) for one in answers} == {
        (403, answers[0].content, len(answers[0].headers))
    }


@pytest.mark.parametrize("email", ["admin@local", "nobody@example.org"])
def test_guesses_through_a_proxy_are_limited(weak: Gateway, email: str) -> None:
    """The right one too, or that would show which it is. On this machine they hold nobody back."""
    tried = [password_of(weak), "wrong"] * 6
    assert [log_in_as(weak, email, one, Via="x").status_code for one in tried] == [403] * 10 + [429] * 2
    assert log_in(weak, password_of(weak)) == 200


def test_members_log_in_through_a_proxy(weak: Gateway) -> None:
    """Their own passwords are long enough, whatever ADMIN_PASSWORD is; so are those that an invitation sets."""
    invited = weak.client.post("/users", json={"email": "new@example.org", "name": "", "role": "admin"}).json()
    path = invited["invitation"].removeprefix("/#").replace("invitation", "invitations")
    for password, status in (("short", 422), (PASSWORD, 204)):
        assert weak.stranger.post(path, json={"password": password}, headers={"Via": "x"}).status_code == status
    add_person(weak)
    for email in ("member@example.org", "new@example.org"):
        assert log_in_as(weak, email, PASSWORD, Via="x", Host="chat.example.org").status_code == 200


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

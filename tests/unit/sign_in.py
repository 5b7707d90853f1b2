"""A provider, and a browser that signs in with it, step by step. conftest.py imports the fixtures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.fake_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider
from tests.unit.serving import Gateway

Start = Callable[..., Gateway]

HTML = {"Accept": "text/html,application/xhtml+xml"}


@dataclass
class Browser:
    client: httpx.Client

    def begin(self) -> str:
        """Where it is sent: to the provider."""
        answer = self.client.get("/login/oidc", headers=HTML)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def come_back(self, **parameters: str) -> httpx.Response:
        return self.client.get("/login/oidc/callback", params=parameters, headers=HTML)

    def redeem(self, answer: httpx.Response) -> httpx.Response:
        """What the page does with its own address."""
        assert (answer.status_code, answer.headers["Location"][:13]) == (303, "/#/signed-in/"), answer.headers
        code = urlsplit(answer.headers["Location"]).fragment.rpartition("/")[2]
        return self.client.post("/login/oidc/token", json={"code": code})

    def me(self, token: str) -> dict[str, Any]:
        answer = self.client.get("/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        me: dict[str, Any] = answer.json()
        return me


def why(answer: httpx.Response) -> str:
    """The reason that the page is given."""
    location = answer.headers["Location"]
    assert answer.status_code == 303
    assert location.startswith("/#/login?error="), location
    return location.rpartition("=")[2]


def settings_for(provider: FakeProvider, **settings: object) -> dict[str, object]:
    """This provider, open to example.org."""
    return {
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_name": "Home",
        "oidc_allowed_domains": ("example.org",),
        **settings,
    }


@pytest.fixture(scope="module")
def provider_of_all() -> Iterator[FakeProvider]:
    """The same for all tests of a module."""
    with FakeProvider() as running:
        yield running


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


@pytest.fixture
def start(serve_with: Start, provider: FakeProvider) -> Start:
    return lambda **settings: serve_with(**settings_for(provider, **settings))


def browser_of(gateway: Gateway) -> Browser:
    """A new one, without cookies."""
    return Browser(gateway.new_client())


def sign_in(gateway: Gateway, provider: FakeProvider, **claims: object) -> httpx.Response:
    """The answer that a new browser comes back to."""
    browser = browser_of(gateway)
    return browser.come_back(**provider.authorize(browser.begin(), **claims))


def account_of(gateway: Gateway, provider: FakeProvider, **claims: object) -> dict[str, object]:
    browser = browser_of(gateway)
    answer = browser.redeem(browser.come_back(**provider.authorize(browser.begin(), **claims)))
    assert answer.status_code == 200, answer.text
    return browser.me(answer.json()["access_token"])


def users(gateway: Gateway) -> dict[str, dict[str, object]]:
    return {user["email"]: user for user in gateway.client.get("/users").json()["users"]}

"""Sign-in by OpenID Connect under attack: by strangers, by other browsers, and with a provider that is not sound."""

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from joserfc.jwk import ECKey

from api.accounts.oidc import fetch
from tests.support.fake_ollama import FakeOllama
from tests.support.fake_provider import CLIENT_SECRET, FakeProvider, first_key, new_key, signed
from tests.unit.conftest import Serve
from tests.unit.serving import Gateway, serve
from tests.unit.sign_in import HTML, Start, account_of, browser_of, settings_for, sign_in, users, why

DISCOVERY = "/.well-known/openid-configuration"
Claims = dict[str, Any]


@pytest.fixture(scope="module")
def shared(
    provider_of_all: FakeProvider, shared_ollama: FakeOllama, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """For attacks that fail."""
    settings = settings_for(provider_of_all, login_failures_per_minute=1_000)
    with serve(tmp_path_factory.mktemp("oidc"), shared_ollama.url, **settings) as gateway:
        yield gateway


@pytest.fixture
def gateway(start: Start) -> Gateway:
    """One that does not hold back guesses."""
    return start(login_failures_per_minute=1_000)


def test_nothing_can_be_used_twice(gateway: Gateway, provider: FakeProvider) -> None:
    """Neither what the provider sent the browser back with, nor the page's code."""
    browser = browser_of(gateway)
    back = provider.authorize(browser.begin())
    cookies = dict(browser.client.cookies)
    answer = browser.come_back(**back)
    assert why(browser_of(gateway).come_back(**back)) == "expired"
    with_code = dict(browser.client.cookies)
    assert browser.redeem(answer).status_code == 200
    browser.client.cookies.update(with_code)
    assert browser.redeem(answer).status_code == 400
    # Even with the old cookie, as a thief of both would have it: the provider knows the code no more.
    browser.client.cookies.clear()
    browser.client.cookies.update(cookies)
    assert why(browser.come_back(**back)) == "failed"


def test_a_code_that_is_redeemed_twice_at_once_is_one_token(gateway: Gateway, provider: FakeProvider) -> None:
    """Of many at one moment, one."""
    browser = browser_of(gateway)
    answer = browser.come_back(**provider.authorize(browser.begin()))
    code, cookies = answer.headers["Location"].rpartition("/")[2], dict(browser.client.cookies)

    def redeem(_: int) -> int:
        client = gateway.new_client()
        client.cookies.update(cookies)
        return client.post("/login/oidc/token", json={"code": code}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(redeem, range(4))) == [200, 400, 400, 400]


def test_another_browser_cannot_finish(gateway: Gateway, provider: FakeProvider) -> None:
    """With a link of an attacker's making, somebody would be signed in as the attacker."""
    attacker, victim = browser_of(gateway), browser_of(gateway)
    back = provider.authorize(attacker.begin())
    victim.begin()
    assert why(victim.come_back(**back)) == "expired"
    attacker.begin()
    answer = attacker.come_back(**provider.authorize(attacker.begin()))
    assert victim.redeem(answer).status_code == 400
    assert attacker.redeem(answer).status_code == 200


@pytest.mark.parametrize(
    "cookie",
    ["", "x", "..", "a.9999999999.b", "a.99999999999999999999.b", "a.²." + "b" * 43, "." * 5_000, "x" * 8_000],
    ids=lambda cookie: cookie[:20],
)
def test_a_cookie_of_another_making_is_none(gateway: Gateway, provider: FakeProvider, cookie: str) -> None:
    """Before the provider is asked anything."""
    headers = [(b"Accept", b"text/html"), (b"Cookie", f"localchat_sign_in={cookie}".encode())]
    answer = gateway.stranger.get("/login/oidc/callback?code=x&state=", headers=headers)
    assert why(answer) == "expired"
    assert provider.requests == []


def test_a_cookie_ends(gateway: Gateway, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """After ten minutes; and nobody makes it last longer."""
    browser = browser_of(gateway)
    back = provider.authorize(browser.begin())
    name, value = "localchat_sign_in", browser.client.cookies["localchat_sign_in"]
    parts = value.split(".")
    longer = ".".join([parts[0], str(int(parts[1]) + 9), parts[2]])
    browser.client.cookies.clear()
    browser.client.cookies.set(name, longer)
    assert why(browser.come_back(**back)) == "expired"
    real = time.time
    monkeypatch.setattr("api.accounts.oidc.flow.time.time", lambda: real() + 601)
    browser.client.cookies.clear()
    browser.client.cookies.set(name, value)
    assert why(browser.come_back(**back)) == "expired"


@pytest.mark.parametrize("path", ["/login/oidc", "/login/oidc/callback"])
@pytest.mark.parametrize("query", ["next=https://evil.net", "redirect_uri=https://evil.net", "return_to=//evil.net"])
def test_nobody_is_led_elsewhere(gateway: Gateway, provider: FakeProvider, path: str, query: str) -> None:
    """There is no parameter that says where to go."""
    answer = gateway.stranger.get(f"{path}?{query}", headers=HTML)
    assert answer.headers["Location"].startswith((f"{provider.issuer}/authorize?", "/#/login?error="))
    assert "evil" not in answer.headers["Location"]


@pytest.mark.parametrize("host", ["evil.net", "localhost:80@evil.net", "localhost:8000/evil", "evil.net#localhost"])
def test_nobody_comes_back_to_a_strangers_name(gateway: Gateway, host: str) -> None:
    """The address to come back to has a name that is known here."""
    answer = gateway.stranger.get("/login/oidc", headers={**HTML, "Host": host})
    assert answer.status_code == 421


def test_a_denial_is_one(gateway: Gateway, provider: FakeProvider) -> None:
    """The provider's words are not passed on."""
    browser = browser_of(gateway)
    state = provider.authorize(browser.begin())["state"]
    answer = browser.come_back(state=state, error="access_denied", error_description="<script>")
    assert (why(answer), "script" in answer.headers["Location"]) == ("denied", False)
    assert why(browser.come_back(state=state, error="access_denied")) == "expired"


@pytest.mark.parametrize("issuer", ["https://evil.net", "", "HTTP://127.0.0.1"])
def test_an_answer_of_another_issuer_is_refused(gateway: Gateway, provider: FakeProvider, issuer: str) -> None:
    """Before the code is sent to ours (RFC 9207)."""
    browser = browser_of(gateway)
    assert why(browser.come_back(**provider.authorize(browser.begin()), iss=issuer)) == "denied"
    assert "/token" not in provider.requests


def test_a_provider_that_names_itself_always_has_to(gateway: Gateway, provider: FakeProvider) -> None:
    provider.discovery["authorization_response_iss_parameter_supported"] = True
    assert why(sign_in(gateway, provider)) == "denied"
    browser = browser_of(gateway)
    answer = browser.come_back(**provider.authorize(browser.begin()), iss=provider.issuer)
    assert browser.redeem(answer).status_code == 200


def by_hand(claims: Claims, algorithm: str, secret: bytes = b"") -> str:
    """What no library would make: an ID token with a shared secret, or with none."""
    parts = ({"alg": algorithm, "kid": "first"}, claims)
    encoded = ".".join(unpadded(json.dumps(part).encode()) for part in parts)
    return f"{encoded}.{unpadded(hmac.digest(secret, encoded.encode(), 'sha256')) if secret else ''}"


def unpadded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


SIGNATURES: dict[str, Callable[[Claims], str]] = {
    "none": lambda claims: by_hand(claims, "none"),
    "None": lambda claims: by_hand(claims, "None"),
    "HS256 with the public key": lambda claims: by_hand(claims, "HS256", first_key().as_pem(private=False)),
    "HS256 with the client's secret": lambda claims: by_hand(claims, "HS256", CLIENT_SECRET.encode()),
    "another key with the same name": lambda claims: signed(claims, new_key("first")),
    "a key of nobody": lambda claims: signed(claims, new_key("other")),
    "RS512": lambda claims: signed(claims, first_key(), "RS512"),
    "a key in the header": lambda claims: signed(claims, key := new_key("x"), jwk=key.as_dict(private=False)),
    "changed": lambda claims: signed(claims, first_key())[:-8] + "AAAAAAAA",
    "empty": lambda _: "",
    "text": lambda _: "a.b.c",
    "long": lambda _: "a" * 500_000,
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_forged_id_token_signs_nobody_in(shared: Gateway, provider_of_all: FakeProvider, name: str) -> None:
    """Only what a key of the issuer has signed, with RS256 or ES256."""
    provider_of_all.sign = SIGNATURES[name]
    assert why(sign_in(shared, provider_of_all)) == "failed"
    assert set(users(shared)) == {"admin@local"}


NOW = int(time.time())
CLAIMS: list[Claims] = [
    {"nonce": None},
    {"nonce": "x"},
    {"nonce": ["x"]},
    {"iss": "https://evil.net"},
    {"iss": None},
    {"aud": "other"},
    {"aud": None},
    {"aud": ["other", "x"]},
    {"aud": ["localchat", "other"]},
    {"aud": ["localchat"], "azp": "other"},
    {"exp": NOW - 61},
    {"exp": None},
    {"exp": "tomorrow"},
    {"iat": NOW + 3600},
    {"nbf": NOW + 3600},
    {"sub": None},
    {"sub": ""},
    {"sub": 1},
    {"sub": "x" * 256},
    {"sub": "a\u200bb"},
    {"sub": "a\u0000b"},
    {"aud": {"localchat": 1}},
    {"aud": [{}]},
    {"exp": float("inf")},
    {"iat": []},
    {"amr": "x"},
    {"at_hash": "x"},
]


@pytest.mark.parametrize("changes", CLAIMS, ids=lambda changes: str(changes)[:40])
def test_an_id_token_for_another_purpose_signs_nobody_in(
    shared: Gateway, provider_of_all: FakeProvider, changes: Claims
) -> None:
    """Another issuer, client, sign-in or time. None stands for a claim that is missing."""

    def change(claims: Claims) -> None:
        claims.update(changes)
        for name in [name for name, value in changes.items() if value is None]:
            del claims[name]

    provider_of_all.sign, provider_of_all.change_claims = None, change
    assert why(sign_in(shared, provider_of_all)) == "failed"
    assert set(users(shared)) == {"admin@local"}


@pytest.mark.parametrize(
    "tokens",
    [
        {},
        {"id_token": None},
        {"id_token": ["x"]},
        {"id_token": "\ud800.a.b"},
        {"id_token": "e30.e30.e30"},
        {"id_token": "W10.W10.W10"},
        {"id_token": "eyJhbGciOlsiUlMyNTYiXX0.e30.e30"},
        {"id_token": "eyJhbGciOiJSUzI1NiIsImtpZCI6W119.e30.e30"},
        {"error": "invalid_grant"},
    ],
    ids=str,
)
def test_an_answer_of_odd_types_is_a_message(shared: Gateway, provider_of_all: FakeProvider, tokens: Claims) -> None:
    """No stack trace."""
    provider_of_all.answers["/token"] = json.dumps(tokens).encode()
    assert why(sign_in(shared, provider_of_all)) == "failed"
    provider_of_all.answers.clear()


@pytest.mark.parametrize(
    "discovery",
    [
        {"token_endpoint_auth_methods_supported": 1, "scopes_supported": "groups"},
        {"token_endpoint_auth_methods_supported": [{}, None], "scopes_supported": [{}]},
    ],
    ids=str,
)
def test_what_is_not_needed_may_be_odd(gateway: Gateway, provider: FakeProvider, discovery: Claims) -> None:
    provider.discovery = discovery
    assert "id" in account_of(gateway, provider)


def test_an_access_token_that_cannot_be_sent_is_a_message(gateway: Gateway, provider: FakeProvider) -> None:
    """Where the address is to be asked for with it."""
    provider.userinfo = {"sub": "1"}
    provider.change_claims = lambda claims: claims.pop("email")
    for access_token in ("\ud800", "a\r\nX: y", "\u20ac", ""):
        browser = browser_of(gateway)
        back = provider.authorize(browser.begin())
        claims = provider.claims(provider.codes[back["code"]])
        del claims["email"]
        tokens = {"access_token": access_token, "id_token": signed(claims, first_key())}
        provider.answers["/token"] = json.dumps(tokens).encode()
        assert why(browser.come_back(**back)) in ("failed", "unavailable", "email-missing")


def test_keys_that_cannot_verify_are_left_out(gateway: Gateway, provider: FakeProvider) -> None:
    """Keys of kinds to come, for encryption, too short, or shared: the others still work; ES256 is one of them."""
    key = ECKey.generate_key("P-256", {"kid": "ec"})
    odd = [
        {"kty": "AKP"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "ec"},
        {**new_key("ec").as_dict(private=False), "use": "enc"},
        {"kty": "EC", "crv": "P-256", "x": "!", "y": 1, "kid": "ec"},
        "text",
        None,
    ]
    provider.answers["/jwks"] = json.dumps({"keys": [*odd, key.as_dict(private=False)]}).encode()
    provider.sign = lambda claims: signed(claims, key, "ES256")
    assert "id" in account_of(gateway, provider)


def test_a_new_key_is_asked_for_at_a_bounded_rate(
    gateway: Gateway, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider changes its keys at any time; unknown names are not a reason to ask each time."""
    account_of(gateway, provider)
    provider.keys = [new_key("second")]
    for _ in range(3):
        assert why(sign_in(gateway, provider)) == "failed"
    assert provider.requests.count("/jwks") == 1
    monkeypatch.setattr("api.accounts.oidc.provider.KEYS_AFRESH_SECONDS", 0)
    assert "id" in account_of(gateway, provider)
    assert provider.requests.count("/jwks") == 2
    assert provider.requests.count(DISCOVERY) == 1


NONSENSE: dict[str, bytes | int] = {
    "10 MB": b'{"keys": ["' + b"x" * 10_000_000 + b'"]}',
    "no JSON": b"<html>",
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "empty": b"",
    "null": b"null",
    "no text": b"\xff\xfe",
    "an error": 500,
    "a redirect to itself": 302,
    "nothing there": 404,
}


@pytest.mark.parametrize("path", [DISCOVERY, "/jwks", "/token"])
def test_nonsense_is_a_message_and_is_not_kept(gateway: Gateway, provider: FakeProvider, path: str) -> None:
    """No stack trace; the next sign-in, when the provider is well again, works."""
    browser = browser_of(gateway)
    provider.answers[DISCOVERY] = b"not yet"
    assert why(browser.client.get("/login/oidc", headers=HTML)) == "failed"
    for name, answer in NONSENSE.items():
        provider.answers = {path: answer}
        asked = len(provider.requests)
        if path == DISCOVERY:
            told = browser.client.get("/login/oidc")
            assert (told.status_code, list(told.json())) == (502, ["detail"]), name
        else:
            assert why(sign_in(gateway, provider)) == "failed", name
        assert provider.requests[asked:].count(path) <= 2, name
    provider.answers.clear()
    assert "id" in account_of(gateway, provider)


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://evil.net"},
        {"issuer": None},
        {"token_endpoint": "ftp://x/"},
        {"token_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": ["x"]},
        {"authorization_endpoint": "https://["},
        {"authorization_endpoint": "http://\ud800/"},
        {"token_endpoint": "http://127.0.0.1:99999/"},
        {"token_endpoint": "http:///"},
        {"userinfo_endpoint": "http://x@127.0.0.1/"},
    ],
    ids=str,
)
def test_a_configuration_that_is_not_the_issuers_is_refused(
    gateway: Gateway, provider: FakeProvider, discovery: Claims
) -> None:
    provider.discovery = discovery
    assert why(gateway.stranger.get("/login/oidc", headers=HTML)) == "failed"


def test_a_silent_provider_is_waited_for_five_seconds_at_most(
    gateway: Gateway, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here less. Then nobody waits for a while, and it is not asked; then all is well again."""
    assert fetch.TIMEOUT_SECONDS == 5
    monkeypatch.setattr(fetch, "TIMEOUT_SECONDS", 0.3)
    provider.answers[DISCOVERY] = lambda: time.sleep(1)
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        ask = lambda _: why(gateway.new_client().get("/login/oidc", headers=HTML))  # noqa: E731
        assert set(pool.map(ask, range(8))) == {"unavailable"}
    assert time.monotonic() - began < 2
    assert provider.requests == [DISCOVERY]
    provider.answers.clear()
    monkeypatch.setattr(fetch, "RETRY_AFTER_SECONDS", 0)
    assert "id" in account_of(gateway, provider)


def test_a_provider_that_is_down_is_a_message(serve_with: Serve, provider: FakeProvider) -> None:
    """Logging in with a password goes on."""
    settings = settings_for(provider)
    provider.__exit__()
    gateway = serve_with(**settings)
    assert why(gateway.stranger.get("/login/oidc", headers=HTML)) == "unavailable"
    answer = gateway.stranger.get("/login/oidc")
    assert (answer.status_code, "unreachable" in answer.json()["detail"]) == (502, True)
    assert gateway.log_in().status_code == 200


def test_a_stranger_does_not_have_the_provider_asked_without_end(start: Start, provider: FakeProvider) -> None:
    """Codes of their own making; logging in with a password goes on."""
    gateway = start(login_failures_per_minute=3)
    reasons = []
    for _ in range(6):
        browser = browser_of(gateway)
        state = provider.authorize(browser.begin())["state"]
        reasons.append(why(browser.come_back(code="made-up", state=state)))
    assert reasons == ["failed"] * 3 + ["too-many"] * 3
    assert provider.requests.count("/token") == 3
    assert provider.requests.count(DISCOVERY) == 1
    assert gateway.log_in().status_code == 200


def test_an_outage_of_the_provider_is_nobodys_failure(
    start: Start, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No code was looked at, so coming back in vain does not use up the limit."""
    gateway = start(login_failures_per_minute=1)
    for _ in range(3):
        browser = browser_of(gateway)
        back = provider.authorize(browser.begin())
        with monkeypatch.context() as busy:
            busy.setattr(fetch, "MAX_AT_ONCE", 0)
            assert why(browser.come_back(**back)) == "unavailable"
    assert "id" in account_of(gateway, provider)


def test_another_sites_page_gets_no_token(gateway: Gateway, provider: FakeProvider) -> None:
    """Even if it knew the code."""
    browser = browser_of(gateway)
    answer = browser.come_back(**provider.authorize(browser.begin()))
    code = answer.headers["Location"].rpartition("/")[2]
    headers = {"Origin": "https://evil.net", "Sec-Fetch-Site": "cross-site"}
    assert browser.client.post("/login/oidc/token", json={"code": code}, headers=headers).status_code == 403
    assert browser.redeem(answer).status_code == 200


def test_no_secret_is_logged(gateway: Gateway, provider: FakeProvider, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a code nor a state, token or client secret."""
    browser = browser_of(gateway)
    back = provider.authorize(browser.begin())
    answer = browser.come_back(**back)
    token = browser.redeem(answer).json()["access_token"]
    assert why(sign_in(gateway, provider, email="x@elsewhere.net", sub="2")) == "not-allowed"
    provider.answers["/token"] = 400
    assert why(sign_in(gateway, provider)) == "failed"
    code = answer.headers["Location"].rpartition("/")[2]
    for secret in (back["code"], back["state"], code, token, "secret with"):
        assert secret not in caplog.text

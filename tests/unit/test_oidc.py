"""Sign-in by OpenID Connect: whom a sound provider lets in, and whose account it is."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.support.fake_ollama import FakeOllama
from tests.support.fake_provider import EMAIL, FakeProvider
from tests.unit.people import add_person, make_key
from tests.unit.serving import Gateway, serve
from tests.unit.sign_in import HTML, Start, account_of, browser_of, settings_for, sign_in, users, why


@pytest.fixture(scope="module")
def with_groups(
    provider_of_all: FakeProvider, shared_ollama: FakeOllama, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """Open to a domain and to two groups, and as generous with addresses as it gets."""
    groups = {"oidc_allowed_group": "chatters", "oidc_admin_group": "admins", "oidc_link_verified_email": True}
    settings = settings_for(provider_of_all, login_failures_per_minute=1_000, **groups)
    with serve(tmp_path_factory.mktemp("oidc"), shared_ollama.url, **settings) as gateway:
        yield gateway


def test_somebody_signs_in_and_stays_the_same(start: Start, provider: FakeProvider) -> None:
    """The first time makes the account; the second finds it, whatever the address is by then."""
    gateway = start()
    first = account_of(gateway, provider)
    assert (first["email"], first["name"], first["role"], first["managed_by"]) == (EMAIL, "M", "member", "oidc")
    second = account_of(gateway, provider, email="renamed@example.org")
    assert (second["id"], second["email"]) == (first["id"], EMAIL)
    assert set(users(gateway)) == {"admin@local", EMAIL}


def test_the_login_screen_is_told(start: Start, shared_gateway: Gateway, provider: FakeProvider) -> None:
    """With the name that the settings say, or the issuer's; without one there is nothing to sign in with."""
    assert start().stranger.get("/login/methods").json() == {"password": True, "oidc": {"name": "Home"}}
    assert start(oidc_name="").stranger.get("/login/methods").json()["oidc"] == {"name": "127.0.0.1"}
    for method, path in (("GET", "/login/oidc"), ("GET", "/login/oidc/callback"), ("POST", "/login/oidc/token")):
        assert shared_gateway.stranger.request(method, path).status_code == 404
    assert provider.requests == []


def test_the_provider_is_asked_as_the_standards_say(start: Start) -> None:
    """Authorization code with PKCE, state and nonce, each new each time; back to the address that was used."""
    gateway = start()
    urls = [browser_of(gateway).begin() for _ in range(2)]
    first, second = ({k: v[0] for k, v in parse_qs(urlsplit(url).query).items()} for url in urls)
    assert first["redirect_uri"] == f"{gateway.url}/login/oidc/callback"
    assert (first["response_type"], first["code_challenge_method"], first["tenant"]) == ("code", "S256", "1")
    assert set(first["scope"].split()) == {"openid", "email", "profile"}
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) == 43
        assert first[name] != second[name]


def test_the_cookie_is_this_sign_ins_only(start: Start) -> None:
    """Out of scripts' reach, for some minutes, and nothing in it tells what the provider is to be asked for."""
    gateway = start()
    answer = gateway.stranger.get("/login/oidc", headers=HTML)
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/login/oidc", "Max-Age=600"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert not any(query[name][0] in cookie for name in ("state", "nonce", "code_challenge"))
    assert answer.headers["Cache-Control"] == "no-store"


def test_by_https_the_cookie_stays_there(start: Start) -> None:
    """As nginx says, which a proxy in front told; the address to come back to is https too."""
    gateway = start(behind_nginx=True)
    answer = gateway.stranger.get("/login/oidc", headers={**HTML, "X-LocalChat-Scheme": "https"})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-localchat_sign_in=")
    assert {"Secure", "Path=/"} <= set(cookie.split("; "))
    assert "redirect_uri=https%3A%2F%2F127.0.0.1" in answer.headers["Location"]


def test_a_configured_address_wins(start: Start) -> None:
    """Where the name or https gets lost on the way here."""
    url = "https://chat.example.org/login/oidc/callback"
    answer = start(oidc_redirect_url=url).stranger.get("/login/oidc", headers=HTML)
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["redirect_uri"] == [url]
    assert answer.headers["Set-Cookie"].startswith("__Host-")


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "Member@EXAMPLE.Org"},
        {"email": "x@elsewhere.net", "email_verified": False, "groups": ["x", "chatters"]},
        {"email": "x@elsewhere.net", "groups": "chatters"},
        {"email": "x@elsewhere.net", "groups": ["admins"]},
        {"name": "\u202egnp.exe"},
        {"name": None},
        {"email": '"a@evil.net"@example.org'},
    ],
    ids=str,
)
def test_who_may_gets_in(with_groups: Gateway, provider_of_all: FakeProvider, claims: dict[str, object]) -> None:
    """By a verified address in a domain, or by a group."""
    account = account_of(with_groups, provider_of_all, **{"sub": str(claims), **claims})
    assert with_groups.client.delete(f"/users/{account['id']}").status_code == 204


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"email_verified": False}, "not-allowed"),
        ({"email_verified": "true"}, "not-allowed"),
        ({"email_verified": 1}, "not-allowed"),
        ({"email": "x@evil-example.org"}, "not-allowed"),
        ({"email": "x@sub.example.org"}, "not-allowed"),
        ({"email": "x@example.org.evil.net"}, "not-allowed"),
        ({"email": "x@example.org."}, "not-allowed"),
        ({"email": "example.org@evil.net"}, "not-allowed"),
        ({"email": "x@evil.net@example.org\n"}, "not-allowed"),
        ({"email": "x@ex\u0430mple.org"}, "not-allowed"),
        ({"email": "x@elsewhere.net", "groups": "not-chatters, admins"}, "not-allowed"),
        ({"email": "x@elsewhere.net", "groups": {"chatters": True}}, "not-allowed"),
        ({"email": "x@elsewhere.net", "groups": [["chatters"]]}, "not-allowed"),
        ({"email": "x@elsewhere.net", "groups": ["CHATTERS", ""]}, "not-allowed"),
        ({"email": "example.org"}, "email-missing"),
        ({"email": "x y@example.org"}, "email-missing"),
        ({"email": ["x@example.org"]}, "email-missing"),
        ({"email": None, "groups": ["chatters"]}, "email-missing"),
        ({"email": "admin@local", "groups": ["chatters"]}, "email-taken"),
        ({"email": "ADMIN@Local", "groups": ["admins"]}, "email-taken"),
    ],
    ids=str,
)
def test_who_may_not_stays_out(
    with_groups: Gateway, provider_of_all: FakeProvider, claims: dict[str, object], reason: str
) -> None:
    """With a reason, and without an account."""
    assert why(sign_in(with_groups, provider_of_all, **claims)) == reason
    assert set(users(with_groups)) == {"admin@local"}


def test_a_program_gets_words(start: Start, provider: FakeProvider) -> None:
    """JSON in the one shape, unless it asks for a page."""
    gateway = start()
    browser = browser_of(gateway)
    back = provider.authorize(browser.begin(), email_verified=False)
    answer = browser.client.get("/login/oidc/callback", params=back)
    assert (answer.status_code, "OIDC_ALLOWED_DOMAINS" in answer.json()["detail"]) == (403, True)


def test_an_account_of_the_page_is_not_taken_over(start: Start, provider: FakeProvider) -> None:
    """By an address only, verified or not; its password goes on."""
    gateway = start()
    person = add_person(gateway, EMAIL)
    assert why(sign_in(gateway, provider)) == "email-taken"
    assert why(sign_in(gateway, provider, email=EMAIL.upper())) == "email-taken"
    assert person.session.get("/me").status_code == 200


def test_an_account_of_the_page_is_linked_where_the_settings_say_so(start: Start, provider: FakeProvider) -> None:
    """Only by a verified address; from then on by the subject. Role and password stay the page's."""
    gateway = start(oidc_link_verified_email=True, oidc_admin_group="admins")
    person = add_person(gateway, EMAIL)
    assert why(sign_in(gateway, provider, email_verified=False, groups=["admins"])) == "email-taken"
    linked = account_of(gateway, provider, groups=["admins"])
    assert (linked["id"], linked["role"], linked["managed_by"]) == (person.id, "member", "page")
    assert account_of(gateway, provider, email="other@elsewhere.net", email_verified=False)["id"] == person.id
    assert gateway.log_in(EMAIL, "correct horse battery").status_code == 200


def test_an_address_that_changed_hands_opens_nothing(start: Start, provider: FakeProvider) -> None:
    """Another subject with the address of an account that the provider made."""
    gateway = start(oidc_link_verified_email=True)
    first = account_of(gateway, provider)
    assert why(sign_in(gateway, provider, sub="2")) == "email-taken"
    gateway.client.delete(f"/users/{first['id']}")
    assert account_of(gateway, provider, sub="2")["id"] != first["id"]


def test_administrators_are_those_of_the_group(start: Start, provider: FakeProvider) -> None:
    """From the next sign-in on, and for the sessions that were there before."""
    gateway = start(oidc_admin_group="admins")
    browser = browser_of(gateway)
    back = browser.come_back(**provider.authorize(browser.begin(), groups=["admins"]))
    admin = gateway.client_with(browser.redeem(back).json()["access_token"])
    assert admin.get("/users").status_code == 200
    assert account_of(gateway, provider, groups=[])["role"] == "member"
    assert admin.get("/users").status_code == 403
    assert account_of(gateway, provider, groups=["admins"])["role"] == "admin"


def test_who_left_every_group_administers_nothing(start: Start, provider: FakeProvider) -> None:
    """Refused, and no longer an administrator in the sessions from before."""
    gateway = start(oidc_admin_group="admins", oidc_allowed_domains=())
    admin = account_of(gateway, provider, groups=["admins"])
    assert why(sign_in(gateway, provider)) == "not-allowed"
    assert users(gateway)[str(admin["email"])]["role"] == "member"


def test_without_a_group_the_page_says_who_administers(start: Start, provider: FakeProvider) -> None:
    """A sign-in leaves the role as it is."""
    gateway = start()
    account = account_of(gateway, provider)
    gateway.client.patch(f"/users/{account['id']}", json={"role": "admin"})
    assert account_of(gateway, provider)["role"] == "admin"


def test_disabled_stays_disabled(start: Start, provider: FakeProvider) -> None:
    """Whatever the provider says; also between the provider's answer and the token."""
    gateway = start(oidc_admin_group="admins")
    account = account_of(gateway, provider)
    browser = browser_of(gateway)
    back = browser.come_back(**provider.authorize(browser.begin()))
    gateway.client.patch(f"/users/{account['id']}", json={"disabled": True})
    assert browser.redeem(back).status_code == 400
    assert why(sign_in(gateway, provider, groups=["admins"])) == "disabled"
    assert users(gateway)[EMAIL]["role"] == "member"


def test_such_an_account_has_keys_and_no_password(start: Start, provider: FakeProvider) -> None:
    """Nor can one be set here, or be guessed."""
    gateway = start()
    browser = browser_of(gateway)
    back = browser.come_back(**provider.authorize(browser.begin()))
    session = gateway.client_with(browser.redeem(back).json()["access_token"])
    assert gateway.client_with(make_key(session)["key"]).get("/files/none.txt").status_code == 404
    assert session.put("/me/password", json={"current": "x", "new": "correct horse battery"}).status_code == 409
    assert gateway.log_in(EMAIL, "").status_code == 422
    assert gateway.log_in(EMAIL, "None").status_code == 401
    me = session.get("/me").json()
    assert gateway.client.post(f"/users/{me['id']}/invitation").status_code == 409
    assert session.post("/logout").status_code == 204
    assert session.get("/me").status_code == 401


def test_what_is_only_in_the_userinfo_counts(start: Start, provider: FakeProvider) -> None:
    """As with Authelia; it has to be about the same person."""
    provider.userinfo = {"sub": "1", "email": EMAIL, "groups": ["chatters"]}
    gateway = start(oidc_allowed_group="chatters", oidc_allowed_domains=())
    provider.change_claims = lambda claims: [claims.pop(name, None) for name in ("email", "email_verified")]
    assert account_of(gateway, provider)["email"] == EMAIL
    provider.userinfo["sub"] = "2"
    assert why(sign_in(gateway, provider)) == "failed"


def test_two_workers_finish_one_sign_in(start: Start, provider: FakeProvider) -> None:
    """None of it is in one's memory: another process with the same state and key goes on."""
    one, other = start(), start()
    browser = browser_of(one)
    back = provider.authorize(browser.begin())
    browser.client.base_url = httpx.URL(other.url)
    provider.codes[back["code"]].asked["redirect_uri"] = f"{other.url}/login/oidc/callback"
    answer = browser.come_back(**back)
    browser.client.base_url = httpx.URL(one.url)
    assert browser.redeem(answer).status_code == 200

"""Sign-in through nginx with a real, certified provider: oidc-provider from npm, in a container beside the stack."""

import time
from collections.abc import Iterator
from json import dumps
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.e2e import npm
from tests.support.fixtures import StackBeforeFake
from tests.support.real_provider import CLIENT_SECRET, PEOPLE, LeadTo, log_in_there
from tests.support.runs import IMAGE_TAG, new_name
from tests.support.stack import Stack, inspect, run, until

PROVIDER = Path(__file__).with_name("provider")
IMAGE = f"localchat/test-provider:{IMAGE_TAG}"
HOST = "provider:3000"
PUBLIC = "https://chat.example.org"
PATH = "/login/oidc/callback"
SETTINGS = {
    "OIDC_ISSUER": f"http://{HOST}",
    "OIDC_CLIENT_ID": "localchat",
    "OIDC_CLIENT_SECRET": CLIENT_SECRET,
    "OIDC_NAME": "Home",
    "OIDC_ALLOWED_DOMAINS": "example.org",
    "OIDC_ADMIN_GROUP": "localchat-admins",
    "ALLOWED_HOSTS": "chat.example.org",
}
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def stack(running_before_fake_ollama: StackBeforeFake) -> Iterator[Stack]:
    with running_before_fake_ollama(**SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def provider(stack: Stack) -> Iterator[str]:
    """Its address, for this host; containers know it by its name."""
    npm.build(IMAGE, PROVIDER)
    variables = {
        "ISSUER": f"http://{HOST}",
        "PORT": "3000",
        "CLIENT_SECRET": CLIENT_SECRET,
        "REDIRECT_URIS": f"{stack.url}{PATH},{PUBLIC}{PATH}",
        "PEOPLE": dumps(PEOPLE),
    }
    name = new_name()
    arguments = [argument for pair in variables.items() for argument in ("--env", "=".join(pair))]
    network = ("--network", stack.network("edge"), "--network-alias", "provider")
    run("docker", "run", "--detach", "--rm", "--name", name, *network, *arguments, IMAGE)
    try:
        until(lambda: "listening" in run("docker", "logs", name), "the provider listens")
        address = inspect(name)["NetworkSettings"]["Networks"][stack.network("edge")]["IPAddress"]
        yield f"{address}:3000"
    finally:
        run("docker", "kill", name)


@pytest.fixture
def browser(stack: Stack, provider: str) -> Iterator[httpx.Client]:
    """With cookies, those of other programs on this host too."""
    mounts = {f"http://{HOST}": LeadTo(provider)}
    with httpx.Client(base_url=stack.url, trust_env=False, timeout=20, headers=HTML, mounts=mounts) as client:
        client.cookies.set("other", "secret")
        yield client


def sign_in(browser: httpx.Client, stack: Stack, login: str, answer: str = "yes") -> httpx.Response:
    url = browser.get("/login/oidc").headers["Location"]
    back = log_in_there(browser, url, login, f"{stack.url}{PATH}", answer)
    return browser.get(PATH, params=back)


def token_of(browser: httpx.Client, answer: httpx.Response) -> str:
    assert (answer.status_code, answer.headers["Location"][:13]) == (303, "/#/signed-in/"), answer.headers
    redeemed = browser.post("/login/oidc/token", json={"code": answer.headers["Location"].rpartition("/")[2]})
    assert redeemed.status_code == 200, redeemed.text
    token: str = redeemed.json()["access_token"]
    return token


@pytest.mark.parametrize(
    ("login", "email", "role"), [("member", "member@example.org", "member"), ("admin", "boss@elsewhere.net", "admin")]
)
def test_somebody_signs_in(browser: httpx.Client, stack: Stack, login: str, email: str, role: str) -> None:
    """By a verified address, or by the group of administrators; twice, and in whichever worker."""
    for _ in range(2):
        me = browser.get(
            "/me", headers={"Authorization": f"Bearer {token_of(browser, sign_in(browser, stack, login))}"}
        )
        assert {"email": email, "role": role, "managed_by": "oidc"}.items() <= me.json().items()


@pytest.mark.parametrize(
    ("login", "answer", "reason"),
    [("stranger", "yes", "not-allowed"), ("unverified", "yes", "not-allowed"), ("member", "no", "denied")],
)
def test_others_stay_out(browser: httpx.Client, stack: Stack, login: str, answer: str, reason: str) -> None:
    """With a reason for the page; nothing is cached."""
    refused = sign_in(browser, stack, login, answer)
    assert refused.headers["Location"] == f"/#/login?error={reason}"
    assert refused.headers["Cache-Control"] == "no-store"


def test_a_code_is_good_once(browser: httpx.Client, stack: Stack) -> None:
    """Also with the cookie from before: the provider knows it no more."""
    url = browser.get("/login/oidc").headers["Location"]
    back = log_in_there(browser, url, "member", f"{stack.url}{PATH}")
    cookie = browser.cookies["localchat_sign_in"]
    token_of(browser, browser.get(PATH, params=back))
    again = httpx.get(
        f"{stack.url}{PATH}", params=back, headers={**HTML, "Cookie": f"localchat_sign_in={cookie}"}, trust_env=False
    )
    assert again.headers["Location"] == "/#/login?error=failed"


def test_behind_a_proxy_that_ends_tls_it_comes_back_by_https(stack: Stack, provider: str) -> None:
    """By the proxy's X-Forwarded-Proto, with a cookie that stays there."""
    assert provider
    headers = {**HTML, "Host": "chat.example.org", "X-Forwarded-Proto": "https"}
    answer = httpx.get(f"{stack.url}/login/oidc", headers=headers, trust_env=False)
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["redirect_uri"] == [f"{PUBLIC}{PATH}"]
    assert answer.headers["Set-Cookie"].startswith("__Host-localchat_sign_in=")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_neither_code_nor_state_is_logged(browser: httpx.Client, stack: Stack) -> None:
    """By nginx and the API, whether it works or not."""
    url = browser.get("/login/oidc").headers["Location"]
    back = log_in_there(browser, url, "member", f"{stack.url}{PATH}")
    answer = browser.get(PATH, params=back)
    token_of(browser, answer)
    browser.get(PATH, params=back)
    logs = stack.run("logs", "--no-color")
    for secret in (back["code"], back["state"], answer.headers["Location"].rpartition("/")[2], CLIENT_SECRET):
        assert secret not in logs


def test_a_provider_that_is_gone_is_a_message(browser: httpx.Client, stack: Stack, provider: str) -> None:
    """Within the time that a person waits."""
    own = ("--filter", f"network={stack.network('edge')}", "--filter", f"ancestor={IMAGE}")
    container = run("docker", "ps", "--quiet", *own).strip()
    assert provider
    url = browser.get("/login/oidc").headers["Location"]
    back = log_in_there(browser, url, "member", f"{stack.url}{PATH}")
    run("docker", "pause", container)
    try:
        began = time.monotonic()
        answer = browser.get(PATH, params=back)
        assert answer.headers["Location"] == "/#/login?error=unavailable"
        assert time.monotonic() - began < 7
    finally:
        run("docker", "unpause", container)

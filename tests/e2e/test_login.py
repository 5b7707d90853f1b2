"""Who may log in from where, through nginx: programs, pages, and requests from a proxy in front."""

from collections.abc import Iterator

import httpx
import pytest

from api.accounts.proxied import FORWARDING_HEADERS
from tests.support.fake_ollama import FakeOllama
from tests.support.fixtures import StackBeforeFake
from tests.support.stack import EMAIL, ROOT, Stack

DEFAULT_PASSWORD = "changeme"
JSON = "application/json"


@pytest.fixture(scope="module")
def stack(running_before_fake_ollama: StackBeforeFake) -> Iterator[Stack]:
    """With the default password on loopback, and with a name in ALLOWED_HOSTS."""
    # Each refusal counts as a failed login.
    settings = {"ADMIN_PASSWORD": DEFAULT_PASSWORD, "ALLOWED_HOSTS": "chat.example.org"}
    with running_before_fake_ollama(**settings, LOGIN_FAILURES_PER_MINUTE="1000") as running:
        yield running


def log_in(stack: Stack, **headers: str) -> httpx.Response:
    """With the right password; underscores in a header's name stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"email": EMAIL, "password": DEFAULT_PASSWORD}
    return httpx.post(f"{stack.url}/login", json=body, headers=named)


def test_the_default_password_logs_in_on_this_machine(stack: Stack) -> None:
    """From loopback, without a proxy."""
    assert log_in(stack).status_code == 200


@pytest.mark.parametrize("name", FORWARDING_HEADERS)
def test_the_default_password_is_refused_through_a_proxy(stack: Stack, name: str) -> None:
    """nginx replaces some of these headers, and tells the API that there was one."""
    answer = log_in(stack, **{name: "203.0.113.5", "X-LocalChat-Proxied": ""})
    assert answer.status_code == 403
    assert "ADMIN_PASSWORD" in answer.json()["detail"]


def test_the_default_password_is_refused_at_a_public_name(stack: Stack) -> None:
    """A proxy that adds no header may still pass the name on."""
    assert log_in(stack, Host="chat.example.org").status_code == 403


def test_a_client_cannot_say_that_it_came_through_a_proxy(stack: Stack) -> None:
    """Nor that it did not: only nginx sets the header."""
    assert log_in(stack, X_LocalChat_Proxied="1").status_code == 200
    assert log_in(stack, X_LocalChat_Proxied="", Via="1.1 x").status_code == 403


def test_the_first_steps_log_in(stack: Stack, fake_ollama_on_the_host: FakeOllama) -> None:
    """scripts/up runs them inside the stack, where nginx has another name."""
    fake_ollama_on_the_host.forget()
    fake_ollama_on_the_host.enqueue(b'{"models":[]}', headers={"Content-Type": JSON})
    code = (ROOT / "scripts/lib/first_steps.py").read_text()
    arguments = ("exec", "--no-TTY", "--env", "ADDRESS=127.0.0.1:1", "api", "python3", "-c", code)
    assert "LocalChat is up" in stack.run(*arguments)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "@URL@"}, 200),
        ({"Origin": "http://localhost:5173", "Sec-Fetch-Site": "cross-site"}, 200),
        ({"Origin": "https://gpu-box.lan", "Host": "gpu-box.lan"}, 200),
        ({"Origin": "https://gpu-box.lan:8443", "Host": "gpu-box.lan:8443"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": f"{JSON}; charset=utf-8"}, 200),
    ],
    ids=str,
)
def test_a_login_comes_from_a_program_or_a_page_of_ours(stack: Stack, headers: dict[str, str], status: int) -> None:
    """The API sees the client's own Host with its port, to compare it with the page's Origin."""
    sent = {name: value.replace("@URL@", stack.url) for name, value in headers.items()}
    assert log_in(stack, **sent).status_code == status


def test_an_origin_of_a_megabyte_is_refused(stack: Stack) -> None:
    """By nginx, like every header of that size."""
    assert log_in(stack, Origin="https://" + "a" * 1_000_000).status_code in (400, 431, 494)

"""An error names what failed: Ollama, the API or the request, at any request size and in every dialect."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.support.stack import Stack, chat, until

DIALECTS = ["/chat", "/api/chat", "/v1/chat/completions", "/v1/messages"]
# Above the default limit of nginx, 1 MB.
LARGE = chat("word " * 600_000)
API_TIMEOUT = "proxy_read_timeout 60s"  # api-request.conf


@contextmanager
def stopped(stack: Stack, service: str) -> Iterator[None]:
    stack.run("stop", "--timeout", "2", service)
    try:
        yield
    finally:
        stack.run("start", service)
        until(lambda: httpx.get(f"{stack.url}/health").status_code == 200, f"{service} is back")


@pytest.mark.parametrize(("service", "blamed"), [("ollama", "Ollama"), ("api", "LocalChat's API")])
@pytest.mark.parametrize("in_chunks", [False, True], ids=["with a length", "in chunks"])
def test_a_large_request_is_not_blamed_for_an_outage(
    stack: Stack, client: httpx.Client, service: str, blamed: str, *, in_chunks: bool
) -> None:
    """502, not 413: nobody should shrink their pictures because a service is down."""
    content = client.build_request("POST", "/chat", json=LARGE).content
    with stopped(stack, service):
        answers = [client.post(path, content=iter([content]) if in_chunks else content) for path in DIALECTS]
    assert [answer.status_code for answer in answers] == [502] * len(DIALECTS)
    assert [list(answer.json()) for answer in answers] == [["detail"], ["error"], ["error"], ["type", "error"]]
    assert all(f"{blamed} is unreachable" in answer.text for answer in answers)


@pytest.mark.parametrize(
    "path", ["/chat/completions", "/completions", "/embeddings", "/responses", "/messages", "/v1/v1/messages"]
)
def test_a_large_request_is_not_blamed_for_its_base_url(client: httpx.Client, path: str) -> None:
    """404 with the intended base URL, not 413."""
    answer = client.post(path, json=LARGE)
    assert answer.status_code == 404
    assert "the client's base URL has to " in answer.json()["error"]["message"]


@contextmanager
def waiting_for_the_api(stack: Stack, seconds: int) -> Iterator[None]:
    """nginx gives up on the API after `seconds`, not after 60."""

    def exchange(old: str, new: str) -> None:
        edit = f"sed -i 's/{old}/{new}/' /tmp/nginx/api-request.conf && kill -HUP $(cat /tmp/nginx/nginx.pid)"
        stack.run("exec", "--no-TTY", "nginx", "sh", "-c", edit)

    shorter = f"proxy_read_timeout {seconds}s"
    exchange(API_TIMEOUT, shorter)
    try:
        yield
    finally:
        exchange(shorter, API_TIMEOUT)


def test_a_silent_api_is_not_ollamas_fault(stack: Stack) -> None:
    """504 naming the API, without Ollama's setting."""

    def ask() -> httpx.Response | None:
        try:
            return httpx.post(f"{stack.url}/api/chat", json=chat(), timeout=5)
        # An old nginx worker may have taken the request; it still waits for a minute.
        except httpx.ReadTimeout:
            return None

    with waiting_for_the_api(stack, 1):
        stack.run("pause", "api")
        try:
            until(ask, "nginx gives up on the API")
            answer = ask()
        finally:
            stack.run("unpause", "api")
    assert answer is not None
    assert (answer.status_code, answer.json()) == (504, {"error": "LocalChat's API did not respond in time."})


@pytest.mark.parametrize("path", [*DIALECTS, "/", "/models"])
def test_the_cookies_of_other_programs_on_this_host_are_no_hindrance(client: httpx.Client, path: str) -> None:
    """Browsers send them whatever the port: 32 kB in one header get through to the API."""
    answer = client.get(path, headers={"Cookie": f"a={'x' * 32_000}"})
    assert answer.status_code in (200, 404, 405)
    assert "cookies" not in answer.text


@pytest.mark.parametrize("path", DIALECTS)
def test_too_many_cookies_are_named_with_the_remedy(stack: Stack, path: str) -> None:
    """431 in the path's dialect, for one header that is too large and for too many of them."""
    one = {"Cookie": f"a={'x' * 41_000}"}
    many = {f"X-{number}": "x" * 7_000 for number in range(12)}
    for headers in (one, many):
        answer = httpx.post(f"{stack.url}{path}", headers=headers, json={})
        assert answer.status_code == 431
        assert answer.headers["Content-Type"] == "application/json"
        assert "delete this host's cookies" in answer.text


def test_a_url_that_is_too_long_is_not_blamed_on_cookies(stack: Stack) -> None:
    """414."""
    answer = httpx.get(f"{stack.url}/{'x' * 41_000}")
    assert (answer.status_code, answer.json()) == (414, {"detail": "The URL is too long."})

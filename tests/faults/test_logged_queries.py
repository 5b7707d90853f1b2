"""Credentials in a URL appear in no log, whatever goes wrong with the request."""

import pytest

from tests.faults.gateway import CHAT, Gateway, is_up
from tests.faults.kill import kill
from tests.support.fake_ollama import FakeOllama
from tests.support.fixtures import FAKE_TIMEOUT_SECONDS
from tests.support.stack import Stack, until

SECRET = "correct-horse"
QUERY = f"?token={SECRET}&x=a,b%22{SECRET}"


@pytest.fixture
def front(stack: Stack) -> Gateway:
    return Gateway(stack.url, stack.email, stack.password)


def seen(stack: Stack) -> str:
    return stack.logs("nginx") + stack.logs("api")


def test_no_query_reaches_a_log_when_ollama_fails(stack: Stack, front: Gateway, ollama: FakeOllama) -> None:
    """Dead before the first byte, silent past the limit, broken mid-stream; the errors themselves are logged."""
    ollama.enqueue_no_answer("reset")
    ollama.enqueue_no_answer("silence")
    ollama.enqueue(b"x", ending="reset")
    ollama.enqueue_raw(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    with front.client(FAKE_TIMEOUT_SECONDS + 5) as client:
        statuses = [client.post(f"/chat{QUERY}", json=CHAT, headers={"Referer": f"http://x/{QUERY}"}) for _ in range(2)]
    for _ in range(2):
        raw = f"GET /models{QUERY} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {front.token}\r\n\r\n"
        front.send_raw(raw.encode(), wait_seconds=1)
    assert [answer.status_code for answer in statuses] == [502, 504]
    until(lambda: "upstream timed out" in seen(stack), "nginx logs its errors")
    assert SECRET not in seen(stack)


def test_no_query_of_what_is_refused_reaches_a_log(stack: Stack, front: Gateway) -> None:
    """A body that is too large, an unknown path, a malformed one, no token, a wrong method."""
    with front.client() as client:
        large = client.post(f"/chat{QUERY}", content=b"x" * 2_000_000)
        others = [
            client.get(f"/{path}{QUERY}") for path in ("nothing", "files/..%2f", "files/x", "api/create", "login")
        ]
    assert large.status_code == 413
    assert {answer.status_code for answer in others} <= {404, 405}
    for line in (f"GET /x{QUERY} y HTTP/1.1", f"GET /../..{QUERY} HTTP/1.1", f"BAD /{QUERY} HTTP/9.9", f"GET /{QUERY}"):
        front.send_raw(f"{line}\r\nHost: x\r\nX: \x01\r\n\r\n".encode(), wait_seconds=1)
    until(lambda: "too large body" in seen(stack), "nginx logs its errors")
    assert SECRET not in seen(stack)


def test_no_query_reaches_a_log_when_the_api_dies(stack: Stack, front: Gateway) -> None:
    """Whatever nginx logs about it."""
    with front.client() as client:
        kill(stack, "api", "master")
        until(lambda: client.get(f"/health{QUERY}").status_code in (200, 503), "the API is back")
    until(lambda: is_up(front.url), "it answers")
    assert SECRET not in seen(stack)

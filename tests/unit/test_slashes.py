"""A base URL that ends in a slash: the intended path answers, and nothing else becomes reachable."""

import pytest

from api.http.slashes import meant
from tests.support.fake_ollama import FakeOllama
from tests.unit.files import upload
from tests.unit.serving import Gateway

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
GATEWAYS = pytest.mark.parametrize("fixture", ["gateway", "behind_nginx"])


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ("/", "/"),
        ("//", "/"),
        ("///", "/"),
        ("/chat", "/chat"),
        ("//chat", "/chat"),
        ("/chat///", "/chat"),
        ("//v1//chat///completions//", "/v1/chat/completions"),
        ("/v1/models/org//m", "/v1/models/org/m"),
        # Not normalised: dots, and the names of uploads.
        ("/./chat", "/./chat"),
        ("/x/..//chat", "/x/../chat"),
        ("/files/a/", "/files/a/"),
        ("/files//a", "/files//a"),
        ("//files/a", "/files/a"),
        ("/chat\n/", "/chat\n"),
        ("*", "*"),
    ],
)
def test_slashes_are_counted_once(sent: str, path: str) -> None:
    """Several count as one, and a trailing one does not count."""
    assert meant(sent) == path


@GATEWAYS
@pytest.mark.parametrize(
    "path", ["//chat", "/chat/", "//api/chat", "/api//chat/", "//v1/chat/completions", "/v1/messages/"]
)
def test_a_path_with_more_slashes_is_answered(
    request: pytest.FixtureRequest, ollama: FakeOllama, fixture: str, path: str
) -> None:
    """Without a redirect: many clients follow none, or lose the token or the body on the way."""
    gateway: Gateway = request.getfixturevalue(fixture)
    ollama.enqueue(b"{}\n")
    answer = gateway.client.post(gateway.url + path, json=CHAT)
    reached = answer.headers.get("X-LocalChat-Path") or ollama.requests[0].path
    assert (answer.status_code, reached) == (200, "/api/chat" if path.strip("/") == "chat" else meant(path))


@GATEWAYS
@pytest.mark.parametrize(
    "path", ["//api/create", "/api/create/", "/api//blobs//x", "//chat/..", "//chat%0a", "/chat%0a/", "/x//"]
)
def test_nothing_forbidden_has_another_spelling(request: pytest.FixtureRequest, fixture: str, path: str) -> None:
    """404 as without the extra slashes."""
    gateway: Gateway = request.getfixturevalue(fixture)
    raw = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {gateway.token}\r\n\r\n"
    assert gateway.send(raw.encode()).startswith(b"HTTP/1.1 404 ")


def test_a_stranger_stays_one(gateway: Gateway) -> None:
    """401 in the dialect of the intended path."""
    answers = [
        gateway.stranger.post(gateway.url + path, json=CHAT) for path in ("//chat", "//api/chat/", "/v1//messages")
    ]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert [list(answer.json()) for answer in answers] == [["detail"], ["error"], ["type", "error"]]


def test_a_download_path_goes_after_a_slash(gateway: Gateway) -> None:
    """`base_url + download_path`, with a trailing slash in the base URL."""
    path = upload(gateway, b"hi").json()["download_path"]
    assert gateway.client.get(f"{gateway.url}/{path}").content == b"hi"
    assert gateway.client.get(f"{path}/").status_code == 404

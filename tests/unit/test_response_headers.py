"""The security headers of every response, from the API and from nginx."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from api.http.response_headers import DATA_HEADERS
from tests.support.fake_ollama import FakeOllama
from tests.unit.files import upload
from tests.unit.serving import Gateway

ROOT = Path(__file__).parents[2]
POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"


def is_data(headers: object) -> bool:
    found = dict(headers)  # type: ignore[call-overload]
    return all(found.get(name.lower()) == value for name, value in DATA_HEADERS.items())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(
            ("GET", path)
            for path in ("/health", "/live", "/openapi.json", "/nothing", "/models", "/files/x", "/api/ps")
        ),
        *(("POST", path) for path in ("/login", "/chat", "/upload", "/v1/messages", "/models")),
        ("GET", "/models%0A"),
        ("OPTIONS", "/chat"),
    ],
)
def test_an_answer_of_the_api_is_data(behind_nginx: Gateway, method: str, path: str) -> None:
    """Not a page, not framed, no guessed type; and not cached, since caches go by the URL only."""
    preflight = (
        {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"} if method == "OPTIONS" else {}
    )
    response = behind_nginx.stranger.request(method, path, headers=preflight)
    assert is_data(response.headers.items())
    assert response.headers["Cache-Control"] == "no-store"


def test_a_token_is_not_stored(gateway: Gateway) -> None:
    """In any cache (RFC 6749, 5.1)."""
    response = gateway.log_in()
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")


def test_what_the_api_carries_is_data(gateway: Gateway, ollama: FakeOllama) -> None:
    """Without nginx too: a response of Ollama's, and a file, which its user's browser may cache."""
    ollama.enqueue(b"{}")
    path = upload(gateway, b"hi").json()["download_path"]
    for response in (gateway.client.get("/models"), gateway.client.get(path)):
        assert is_data(response.headers.items())
    assert response.headers["Cache-Control"] == "private, no-cache"


def test_what_cannot_be_read_is_answered_with_data(behind_nginx: Gateway) -> None:
    """Where no middleware runs."""
    head = behind_nginx.send(b"GET / HTTP/1.1\r\nHost: x\r\nX: \x01\r\n\r\n").partition(b"\r\n\r\n")[0].decode()
    assert is_data((line.partition(": ")[0].lower(), line.partition(": ")[2]) for line in head.split("\r\n"))


def test_nginx_says_the_same() -> None:
    """On every response that it creates or relays."""
    snippets = "".join((ROOT / "nginx" / f"{name}-headers.conf").read_text() for name in ("common", "response"))
    said = {
        name: value.strip('"')
        for name, value in re.findall(r"^add_header (\S+) (.*) always;$", snippets, flags=re.MULTILINE)
    }
    assert said.items() >= DATA_HEADERS.items()


def test_docs_runs_its_own_scripts_and_no_others(gateway: Gateway) -> None:
    """The inline one is allowed by its hash; nothing is loaded from, or sent, elsewhere."""
    response = gateway.stranger.get("/docs")
    policy = response.headers["Content-Security-Policy"]
    (script,) = re.findall("<script>(.*?)</script>", response.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}'; " in policy
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_docs_asks_nobody_to_check_it(gateway: Gateway) -> None:
    """Anywhere but on localhost, Swagger UI would send the address of /openapi.json to swagger.io."""
    assert '"validatorUrl": null' in gateway.stranger.get("/docs").text

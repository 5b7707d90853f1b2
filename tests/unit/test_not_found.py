"""What a 404 says: why a route is refused on purpose, and which base URL was meant."""

import re
from urllib.parse import unquote

import pytest

from api.ollama.allowlist import REFUSED, Row
from api.ollama.dialects import Dialect, dialect_of
from tests.unit.serving import Gateway

# The key that holds the message in each protocol.
SHAPES = {
    Dialect.LOCALCHAT: ["detail"],
    Dialect.OLLAMA: ["error"],
    Dialect.OPENAI: ["error"],
    Dialect.ANTHROPIC: ["type", "error"],
}


@pytest.mark.parametrize("name", ["m%3Fx", "m%23x", "m%3F"])
def test_a_models_name_is_read_to_its_end(behind_nginx: Gateway, name: str) -> None:
    """`?` and `#`, escaped, are part of it: such a model is not found, and no other is returned instead."""
    answer = behind_nginx.client.get(f"/v1/models/{name}")
    assert answer.status_code == 404
    assert f"model '{unquote(name)}' not found" in answer.json()["error"]["message"]


@pytest.mark.parametrize("fixture", ["gateway", "behind_nginx"])
@pytest.mark.parametrize("route", REFUSED, ids=lambda route: route.path)
def test_what_is_refused_on_purpose_says_why(request: pytest.FixtureRequest, fixture: str, route: Row) -> None:
    """404 as before, with the table's reason, for every method of the row, with and without a token."""
    gateway: Gateway = request.getfixturevalue(fixture)
    path = re.sub(r"[:*]\w+", "x", route.path)
    for method in set(route.methods.split()) - {"HEAD", "CONNECT"}:
        for client in (gateway.client, gateway.stranger):
            answer = client.request(method, path)
            assert (answer.status_code, list(answer.json())) == (404, SHAPES[dialect_of(path)])
            assert f"{method} {path} is not offered here: {route.reason}." in answer.text


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/create"), ("POST", "/api/create2"), ("POST", "/api/blobs"), ("GET", "/x")]
)
def test_an_unknown_route_is_not_refused_on_purpose(gateway: Gateway, method: str, path: str) -> None:
    """Another method or another path gets the standard message."""
    answer = gateway.stranger.request(method, path)
    assert answer.status_code == 404
    assert f"There is no {method} {path} here; see /docs." in answer.text


@pytest.mark.parametrize("fixture", ["gateway", "behind_nginx"])
@pytest.mark.parametrize(
    ("method", "path", "meant", "advice"),
    [
        ("POST", "/chat/completions", "/v1/chat/completions", "end in /v1"),
        ("POST", "/completions", "/v1/completions", "end in /v1"),
        ("POST", "/embeddings", "/v1/embeddings", "end in /v1"),
        ("POST", "/responses", "/v1/responses", "end in /v1"),
        ("GET", "/models/smollm2:135m", "/v1/models/smollm2:135m", "end in /v1"),
        # Some clients of Anthropic's protocol expect /v1 in the base URL, its own SDK adds it.
        ("POST", "/messages", "/v1/messages", "end in /v1"),
        ("POST", "/v1/v1/messages", "/v1/messages", "be without its /v1"),
        ("POST", "/v1/v1/chat/completions", "/v1/chat/completions", "be without its /v1"),
        ("POST", "/v1/api/chat", "/api/chat", "be without its /v1"),
        ("GET", "/api/v1/models", "/v1/models", "be without its /api"),
        ("POST", "/api/api/chat", "/api/chat", "be without its /api"),
        ("POST", "/generate", "/api/generate", "end in /api"),
        ("GET", "/tags", "/api/tags", "end in /api"),
    ],
)
def test_another_base_url_is_named(  # noqa: PLR0913, PLR0917
    request: pytest.FixtureRequest, fixture: str, method: str, path: str, meant: str, advice: str
) -> None:
    """404 in the dialect of the intended path, without a token too."""
    gateway: Gateway = request.getfixturevalue(fixture)
    protocol = Dialect.ANTHROPIC if "messages" in meant else Dialect.OPENAI
    protocol = Dialect.OLLAMA if meant.startswith("/api/") else protocol
    for client in (gateway.client, gateway.stranger):
        answer = client.request(method, path)
        assert (answer.status_code, list(answer.json())) == (404, SHAPES[protocol])
        assert f"There is no {method} {path} here, but {method} {meant}" in answer.text
        assert f"the client's base URL has to {advice}." in answer.text


def test_no_advice_leads_to_what_is_refused(gateway: Gateway) -> None:
    """`/create` is not redirected to `/api/create`, which nobody may use."""
    for path in ("/create", "/push", "/v1/api/create", "/api/v1/responses/compact"):
        assert "base URL" not in gateway.stranger.post(path).text

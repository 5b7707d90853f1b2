"""Only the paths in the table reach Ollama, however others are spelled."""

import json
import random
import re
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from api.ollama.allowlist import OLLAMAS, Access
from api.ollama.dialects import PREFIXES, Dialect
from tests.support.fake_ollama import FakeOllama, wait_until
from tests.support.models import MODEL
from tests.support.stack import ROOT, Stack

pytestmark = pytest.mark.stack("stack_before_fake_ollama")

SEED = 20_261_124
VARIANTS = 2_500
NOT_OLLAMAS_OWN = {("HEAD", route.path) for route in OLLAMAS if route.head_as_get}
ALLOWED = [route for route in OLLAMAS if route.access is not Access.NOBODY]
# Routes that Ollama does not print but has, or almost has.
MORE_FORBIDDEN = [
    "/debug/pprof/heap",
    "/debug/pprof/",
    "/api/pull2",
    "/api",
    "/v1",
    "/v2/x",
    "/api/chat2",
    "/v1/engines",
]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]


def test_the_table_has_every_route_of_the_running_ollama(shared_stack: Stack) -> None:
    """A version of Ollama with a new route is noticed here: allow it or refuse it, and say why."""
    printed = set(re.findall(r"\[GIN-debug\] ([A-Z]+) +(/\S*) +-->", shared_stack.logs("ollama")))
    table = {(method, route.path) for route in OLLAMAS for method in route.methods.split()}
    assert len(printed) > 40
    assert printed == table - NOT_OLLAMAS_OWN


@pytest.mark.parametrize(
    "path", ["/api/create", "/api/push", "/api/blobs/", "/api/me", "/api/signout", "/api/experimental/", "/api/codex/"]
)
def test_what_must_never_be_reached_is_refused(path: str) -> None:
    """A change to the table has to change this too."""
    routes = [route for route in OLLAMAS if route.path.startswith(path)]
    assert routes
    assert {route.access for route in routes} == {Access.NOBODY}


def test_every_refusal_in_the_table_has_a_reason() -> None:
    """It says why."""
    assert all(route.reason for route in OLLAMAS if route.access is Access.NOBODY)


def test_nginx_and_the_api_tell_protocols_apart_alike() -> None:
    """By the same prefixes, in the same order."""
    conf = (ROOT / "nginx/error-bodies.conf").read_text()
    (block,) = re.findall(r"map \$path \$protocol \{(.*?)\}", conf, re.DOTALL)
    listed = [(prefix.replace("/+", "/"), name) for prefix, name in re.findall(r'"~\^(\S+)"\s+(\w+);', block)]
    assert listed == [(prefix, protocol.value) for prefix, protocol in PREFIXES.items()]


def bodies(path: str) -> dict[str, object]:
    if path == "/api/copy":
        return {"source": MODEL, "destination": "x"}
    return {"model": MODEL}


@pytest.mark.parametrize("route", [r for r in ALLOWED if ":" not in r.path], ids=lambda route: route.path)
def test_what_is_allowed_reaches_ollama(client: httpx.Client, ollama: FakeOllama, route: object) -> None:
    """Method, path and body are the client's, the query is dropped, and the answer is Ollama's.

    A pull's body is the API's, which contains only what was checked.
    """
    method, path = route.methods.split()[0], route.path  # type: ignore[attr-defined]
    answer = b'{"made-by":"ollama"}'
    # The API requests a pull too, at its own time.
    times = 2 if path == "/api/pull" else 1
    for _ in range(times):
        ollama.enqueue(answer, headers={"Content-Type": "application/json"})
    body = None if method == "GET" else bodies(path)
    response = client.request(method, f"{path}?beta=true", json=body)
    assert response.content == answer
    wait_until(lambda: len(ollama.requests) == times, f"it is asked for {times} times")
    sent = {(request.method, request.path) for request in ollama.requests}
    assert sent == {(method, path)}
    received = [request.body for request in ollama.requests]
    if path == "/api/pull":
        assert [json.loads(one) for one in received] == [body, body]
    else:
        assert received == [response.request.content]


def spellings(path: str, chance: random.Random) -> str:
    """Another spelling of `path`, which something on the way might read as `path`."""
    at = chance.choice([index for index, letter in enumerate(path) if letter == "/"])
    letters = [index for index, letter in enumerate(path) if letter.isalpha()]
    one = chance.choice(letters) if letters else 0
    return chance.choice(
        [
            path[:at] + "/" + path[at:],
            path[:at] + "/." + path[at:],
            path[:at] + "/x/.." + path[at:],
            path[:at] + "/x/%2e%2e" + path[at:],
            path[:at] + "/%2e" + path[at:],
            path[:at] + "%2f" + path[at + 1 :],
            path[:at] + "%5c" + path[at + 1 :],
            path[:at] + ";x" + path[at:],
            path + ";x=y",
            path + "/",
            path + "//",
            path + "%20",
            path + "%00",
            path + "%0a",
            path + ".",
            path + "?/api/chat",
            path + "#/api/chat",
            path.upper(),
            path[:one] + path[one].swapcase() + path[one + 1 :],
            path[:one] + f"%{ord(path[one]):02x}" + path[one + 1 :],
            path[:one] + f"%25{ord(path[one]):02x}" + path[one + 1 :],
            "/chat/.." + path,
            "/api/chat/.." + path,
            "/v1/models/.." + path,
            "/v1/models/../.." + path,
            "/v1/models/x%2f..%2f.." + quote(path, safe=""),
            "http://ollama:11434" + path,
            "http://localhost" + path,
            "//ollama:11434" + path,
            "\\" + path,
        ]
    )


def reaches_an_allowed_route(method: str, target: str) -> bool:
    """Whether it names a listed path: percent-encoding and extra slashes do not change a name."""
    path = urlsplit(target).path if target.startswith("http") else target.partition("?")[0].partition("#")[0]
    path = re.sub(r"%([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), path)
    path = re.sub("/+", "/", path).rstrip("/") or "/"
    return any(
        method in route.methods.split()
        and (path == route.path or (":model" in route.path and path.startswith("/v1/models/")))
        for route in ALLOWED
    )


def forbidden() -> Iterator[tuple[str, str]]:
    """Methods and targets, the same for the same seed."""
    chance = random.Random(SEED)
    paths = [re.sub(r"[:*]\w+", "x", route.path) for route in OLLAMAS] + MORE_FORBIDDEN
    while True:
        path = chance.choice(paths)
        target = chance.choice([path, spellings(path, chance), spellings(path, chance)])
        method = chance.choice([*METHODS, "POST", "POST"])
        if not reaches_an_allowed_route(method, target):
            yield method, target


def ask(stack: Stack, method: str, target: str, accept: str) -> int:
    """The response status for a raw request with a valid token and body."""
    url = urlsplit(stack.url)
    body = (
        b'{"model":"smollm2:135m","name":"x","source":"x","destination":"y"}' if method in ("POST", "DELETE") else b""
    )
    head = (
        f"{method} {target} HTTP/1.1\r\nHost: localchat\r\nConnection: close\r\n"
        f"Authorization: Bearer {stack.token}\r\nAccept: {accept}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((url.hostname, url.port), timeout=10) as connection:
        connection.sendall(head.encode("latin-1") + body)
        answer = connection.recv(65_536)
    return int(answer.split(b" ", 2)[1])


def test_nothing_else_reaches_ollama_in_any_spelling(stack: Stack, ollama: FakeOllama) -> None:
    """Thousands of spellings of forbidden paths, and wrong spellings of allowed ones.

    Alternately as a client and as a browser asks: the page is only at /.
    """
    print(f"seed {SEED}")
    variants = forbidden()
    asked = [next(variants) for _ in range(VARIANTS)]
    assert len(set(asked)) > 1_500
    answers = {}
    for number, (method, target) in enumerate(asked):
        answers[method, target] = ask(stack, method, target, ["*/*", "text/html"][number % 2])
        assert ollama.requests == [], f"{method} {target}"
    surprising = {key: status for key, status in answers.items() if status not in (400, 404, 405)}
    assert surprising == {}


SHAPES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "/chat": lambda body: list(body) == ["detail"],
    "/api/chat": lambda body: list(body) == ["error"] and isinstance(body["error"], str),
    "/v1/chat/completions": lambda body: {"message", "type", "param", "code"} == set(body["error"]),
    "/v1/messages": lambda body: body["type"] == "error" and {"type", "message"} == set(body["error"]),
}
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}


def has_shape(path: str, response: httpx.Response, status: int) -> bool:
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"].startswith("application/json")
    return SHAPES[path](response.json())


@pytest.mark.parametrize("path", SHAPES)
def test_refusals_have_the_shape_of_the_protocol(
    stack: Stack, client: httpx.Client, ollama: FakeOllama, path: str
) -> None:
    """Whether from the API (400, 401, 403, 422) or from nginx (413, 502, 504)."""
    assert has_shape(path, httpx.post(stack.url + path, json=CHAT), 401)
    assert has_shape(path, client.post(path, content='{"model":"a","model":"b"}'), 400)
    assert has_shape(path, client.post(path, json={**CHAT, "model": "gpt-oss:120b-cloud"}), 403)
    assert has_shape(path, client.post(path, json=[]), 422)
    assert has_shape(path, client.post(path, content=b" " * (1024 * 1024 + 1)), 413)
    assert ollama.requests == []
    ollama.enqueue_no_answer("reset")
    assert has_shape(path, client.post(path, json=CHAT), 502)
    ollama.enqueue_no_answer("silence")
    assert has_shape(path, client.post(path, json=CHAT), 504)


@pytest.mark.parametrize("path", ["/api/none", "/v1/none", "/v1/messages/none"])
def test_an_unknown_route_has_the_shape_of_the_protocol(client: httpx.Client, path: str) -> None:
    """404, even if the path exists with another method."""
    protocol = {"/api/none": "/api/chat", "/v1/none": "/v1/chat/completions", "/v1/messages/none": "/v1/messages"}[path]
    assert has_shape(protocol, client.get(path), 404)


def test_a_page_may_use_every_protocol(stack: Stack, client: httpx.Client, ollama: FakeOllama) -> None:
    """CORS_ORIGINS works like OLLAMA_ORIGINS: preflight and response, with any headers of a client library."""
    origin = {"Origin": "http://localhost:5173"}
    wanted = "authorization,x-api-key,x-stainless-lang,anthropic-version,openai-beta"
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": wanted}
    for path in SHAPES:
        preflight = httpx.options(stack.url + path, headers={**origin, **ask})
        assert preflight.headers["Access-Control-Allow-Origin"] == origin["Origin"]
        assert set(wanted.split(",")) <= set(re.split(", ?", preflight.headers["Access-Control-Allow-Headers"]))
        ollama.enqueue(b"{}\n")
        answer = client.post(path, json=CHAT, headers=origin)
        assert answer.headers.get_list("Access-Control-Allow-Origin") == [origin["Origin"]]


def test_dialects_are_all_tried() -> None:
    """A new dialect has to be added here."""
    assert len(SHAPES) == len(Dialect)

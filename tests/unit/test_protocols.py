"""Ollama's, OpenAI's and Anthropic's protocols: authentication, validation, and pulls that continue."""

import base64
import json
import secrets
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import httpx
import pytest

from api.ollama import pulls
from api.ollama.dialects import Dialect, dialect_of
from api.ollama.model_names import canonical, is_cloud, is_name
from tests.support.fake_ollama import FakeOllama, wait_until
from tests.unit.conftest import Serve
from tests.unit.people import add_person
from tests.unit.serving import Gateway

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
JSON_TYPE = {"Content-Type": "application/json"}


def basic(password: str, user: str = "localchat") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def as_clients_send_it(credentials: str) -> list[str]:
    """Basic credentials as in RFC 7617, and as encoded by hand."""
    scheme, _, encoded = credentials.partition(" ")
    unpadded, for_urls = encoded.rstrip("="), encoded.replace("+", "-").replace("/", "_")
    with_line_end = base64.b64encode(base64.b64decode(encoded) + b"\n").decode()
    forms = [encoded, unpadded, for_urls, for_urls.rstrip("="), with_line_end]
    return [credentials.replace(scheme, spelling) for spelling in ("Basic", "basic", "BASIC ")] + [
        f"{scheme} {form}" for form in forms
    ]


def list_models(gateway: Gateway, **headers: str) -> httpx.Response:
    return gateway.stranger.get(
        "/v1/models", headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def test_a_token_comes_in_the_header_that_the_client_knows(behind_nginx: Gateway) -> None:
    """As a bearer token, as Anthropic's API key, as a proxy's password."""
    token = behind_nginx.token
    for headers in (
        {"Authorization": f"Bearer {token}"},
        {"X_Api_Key": token},
        {"Proxy_Authorization": basic(token)},
        {"Proxy_Authorization": basic(token, user="")},
        {"Authorization": basic(token)},
        {"Authorization": basic(token, user="")},
    ):
        assert list_models(behind_nginx, **headers).status_code == 200


@pytest.mark.parametrize("fixture", ["gateway", "behind_nginx"])
@pytest.mark.parametrize("header", ["Authorization", "Proxy_Authorization"])
@pytest.mark.parametrize("user", ["", "ollama", "admin@local", "\u00fc?>~\u00ff"])
def test_a_token_comes_as_the_password_of_a_url(
    request: pytest.FixtureRequest, ollama: FakeOllama, fixture: str, header: str, user: str
) -> None:
    """`http://user:token@host`, with any user name, in every encoding that clients use."""
    gateway: Gateway = request.getfixturevalue(fixture)
    ollama.answer_always(lambda: (b"{}",))
    for credentials in as_clients_send_it(basic(gateway.token, user)):
        assert list_models(gateway, **{header: credentials}).status_code == 200, credentials


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Api_Key": ""},
        {"X_Api_Key": "x"},
        {"Proxy_Authorization": basic("x")},
        {"Proxy_Authorization": "Basic !"},
        {"Proxy_Authorization": "Basic /w=="},
        {"Proxy_Authorization": "Basic"},
        {"Proxy_Authorization": "Basic !BASIC"},
        {"Authorization": basic("x")},
        {"Authorization": basic("")},
        {"Authorization": "Basic !"},
        {"Authorization": "Basic /w=="},
        {"Authorization": "Basic a"},
        {"Authorization": "Basic ===="},
        {"Authorization": "Basic"},
        {"Authorization": "Basic TOKEN"},
        {"Authorization": "Basic !BASIC"},
        {"Authorization": "Basic BASIC BASIC"},
        {"Authorization": "Bearer BASIC"},
        {"Authorization": "Digest BASIC"},
        {"Authorization": "Basic USER"},
        {"Api_Key": "TOKEN"},
        {"Proxy_Authorization": "Bearer TOKEN"},
        {"Authorization": "Bearer x", "X_Api_Key": "TOKEN"},
    ],
    ids=str,
)
def test_anything_else_is_no_token(behind_nginx: Gateway, headers: dict[str, str]) -> None:
    """401, in OpenAI's format; a bad bearer token is not rescued by another header or by being a user name."""
    token = behind_nginx.token
    known = {"TOKEN": token, "BASIC": basic(token), "USER": basic("", user=token)}
    for word, value in known.items():
        headers = {name: text.replace(word, value.removeprefix("Basic ")) for name, text in headers.items()}
    response = list_models(behind_nginx, **headers)
    assert (response.status_code, response.json()["error"]["type"]) == (401, "authentication_error")


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/v1/messages", Dialect.ANTHROPIC),
        ("/v1/messages/batches", Dialect.ANTHROPIC),
        ("/v1/models", Dialect.OPENAI),
        ("/api/none", Dialect.OLLAMA),
        ("/apis", Dialect.LOCALCHAT),
        ("/chat", Dialect.LOCALCHAT),
        ("/", Dialect.LOCALCHAT),
    ],
)
def test_protocols_are_told_apart_by_path(path: str, dialect: Dialect) -> None:
    """Whether the path exists or not."""
    assert dialect_of(path) is dialect


def test_the_api_alone_carries_every_protocol(gateway: Gateway, ollama: FakeOllama) -> None:
    """Server-sent events unchanged, with their type; the same body and path, no query."""
    events = b'data: {"choices":[]}\n\ndata: [DONE]\n\n'
    ollama.enqueue(events, headers={"Content-Type": "text/event-stream"})
    body = b'{"model" : "m","messages":[]}'
    response = gateway.client.post("/v1/chat/completions?x=y", content=body)
    assert (response.headers["Content-Type"], response.content) == ("text/event-stream", events)
    sent = ollama.requests[0]
    assert (sent.method, sent.path, sent.body) == ("POST", "/v1/chat/completions", body)


def test_head_is_asked_of_ollama_as_head(gateway: Gateway, ollama: FakeOllama) -> None:
    """Ollama's own clients start with it."""
    ollama.enqueue(headers={"Content-Type": "text/plain", "Content-Length": "17"})
    assert gateway.client.head("/").status_code == 200
    assert (ollama.requests[0].method, ollama.requests[0].path) == ("HEAD", "/")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/show", {}),
        ("/api/show", {"model": ""}),
        ("/api/show", {"model": 1}),
        ("/api/show", {"model": ["m"]}),
        ("/api/generate", []),
        ("/api/copy", {"source": "m"}),
        ("/api/pull", {"model": "m", "stream": "no"}),
        ("/api/pull", {"model": "m" * 594}),
        ("/api/pull", {"model": "m", "name": "http://host/m"}),
        ("/api/pull", {"model": "../m"}),
        ("/api/pull", {"model": "m@sha256:1"}),
    ],
)
def test_what_is_checked_is_refused_with_the_reason(behind_nginx: Gateway, path: str, body: object) -> None:
    """422; everything else is for Ollama to validate."""
    response = behind_nginx.client.post(path, json=body)
    assert response.status_code == 422
    assert response.json()["error"]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/v1/messages", "Model"),
        ("/v1/messages", "NAME"),
        ("/api/pull", "MODEL"),
        ("/api/pull", "\u017ftream"),
        ("/api/copy", "Source"),
        ("/api/copy", "de\u017ftination"),
    ],
)
def test_a_checked_field_cannot_come_in_another_case(behind_nginx: Gateway, path: str, key: str) -> None:
    """Go would treat it as the one that was checked."""
    body = json.dumps({"model": "m", "source": "a", "destination": "b", key: "x:cloud"}, ensure_ascii=False).encode()
    assert behind_nginx.client.post(path, content=body).status_code == 400


@pytest.mark.parametrize("model", ["x:cloud", "x:120b-cloud", "x:CLOUD", " x: cloud ", "host:5000/x:cloud"])
@pytest.mark.parametrize(
    ("path", "field"), [("/chat", "model"), ("/v1/responses", "model"), ("/api/show", "name"), ("/api/copy", "source")]
)
def test_no_model_of_the_cloud_is_asked(behind_nginx: Gateway, path: str, field: str, model: str) -> None:
    """Whatever answers at OLLAMA_URL; names are parsed as Ollama parses them."""
    body = {"messages": [], "destination": "y", "source": "z", field: model}
    response = behind_nginx.client.post(path, json=body)
    assert response.status_code == 403
    assert "cloud" in response.text
    assert "X-Accel-Redirect" not in response.headers


@pytest.mark.parametrize("name", ["cloud", "x-cloud", "cloud/x", "x:clouds", "host:5000/x-cloud", "x:latest", ""])
def test_a_cloud_in_the_name_is_not_the_cloud(name: str) -> None:
    """Only the tag counts."""
    assert not is_cloud(name)


@pytest.mark.parametrize("name", ["m", "m:tag", "a/m:1.5-b_x", "hf.co/org/M.gguf:Q4_K_M", "host:5000/a/m"])
def test_names_are_names(name: str) -> None:
    """With or without host, namespace and tag."""
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "/m", "m/", "a//m", "http://m", "m:", "..", "a/../m", "m m", "m\n", "m?x", "m#x"])
def test_no_url_and_no_path_is_a_name(name: str) -> None:
    """Nothing that leads anywhere but to a registry."""
    assert not is_name(name)


def test_two_spellings_of_one_model_are_one() -> None:
    """Host, namespace and tag have defaults, and case does not matter."""
    spellings = ("m", "M:latest", "library/m", "registry.ollama.ai/library/m:LATEST")
    assert {canonical(name) for name in spellings} == {"m:latest"}
    assert canonical("host:5000/a/m") == "host:5000/a/m:latest"


WITHOUT_BODY = {"/models": "/api/tags", **{path: path for path in ("/api/tags", "/v1/models", "/v1/models/m", "/")}}


@pytest.mark.parametrize("path", WITHOUT_BODY)
@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_body_that_nobody_asked_for_is_ignored(
    gateway: Gateway, behind_nginx: Gateway, ollama: FakeOllama, path: str, *, in_chunks: bool
) -> None:
    """Like Ollama. It is not passed on, since nobody has checked it."""
    ollama.enqueue(b"{}")
    content = b"POST /api/delete HTTP/1.1\r\n\r\n"
    answer = gateway.client.request("GET", path, content=iter([content]) if in_chunks else content)
    assert answer.status_code == 200
    (sent,) = ollama.requests
    assert (sent.method, sent.path, sent.body) == ("GET", WITHOUT_BODY[path], b"")
    told = behind_nginx.client.request("GET", path, content=b"{}").headers
    assert (told["X-Accel-Redirect"], told["X-LocalChat-Path"]) == ("@ollama_get", WITHOUT_BODY[path])
    assert behind_nginx.client.get(path).headers["X-Accel-Redirect"] == "@ollama"


@pytest.mark.parametrize("path", ["/models", "/v1/models", "/v1/models/m", "/api/ps", "/api/tags", "/api/version", "/"])
def test_head_is_answered_as_get_is(gateway: Gateway, behind_nginx: Gateway, ollama: FakeOllama, path: str) -> None:
    """Without the body; if Ollama has no HEAD, with GET."""
    ollama.enqueue(headers={"Content-Type": "application/json", "Content-Length": "0"})
    answer = gateway.client.head(path)
    assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (200, "application/json", b"")
    asked_with_get = behind_nginx.client.head(path).headers["X-Accel-Redirect"] == "@ollama_get"
    assert asked_with_get is (ollama.requests[0].method == "GET") is (path.startswith("/v1/") or path == "/api/ps")


def test_head_tells_whether_a_model_is_there(behind_nginx: Gateway, ollama: FakeOllama) -> None:
    """Also for a name with a slash, for which Ollama has no route."""
    for name, status in (("org/m", 200), ("org/n", 404)):
        ollama.enqueue(models("org/m:latest"), headers=JSON_TYPE)
        answer = behind_nginx.client.head(f"/v1/models/{name}")
        assert (answer.status_code, answer.content) == (status, b"")


def test_administration_is_for_administrators(serve_with: Serve) -> None:
    """403 for others, who may still chat."""
    gateway = serve_with(behind_nginx=True)
    member = add_person(gateway).session
    for method, path in [("POST", "/api/pull"), ("DELETE", "/api/delete"), ("POST", "/api/copy")]:
        response = member.request(method, path, json={"model": "m", "source": "m", "destination": "n"})
        assert (response.status_code, list(response.json())) == (403, ["error"])
    assert member.post("/api/chat", json=CHAT).status_code == 200


BEGINNING = b'{"status":"pulling manifest"}\n'
PROGRESS = b'{"status":"pulling 1","digest":"sha256:1","total":2,"completed":1}\n'
SUCCESS = b'{"status":"success"}\n'


def ask_for(gateway: Gateway, model: str) -> None:
    assert gateway.client.post("/api/pull", json={"model": model}).headers["X-LocalChat-Path"] == "/api/pull"


def test_a_pull_is_waited_for_to_its_end(
    serve_with: Serve, ollama: FakeOllama, caplog: pytest.LogCaptureFixture
) -> None:
    """By the API itself, once however often it is requested; and again after it has ended."""
    gateway = serve_with(behind_nginx=True)
    gate = ollama.gate()
    ollama.enqueue(BEGINNING, PROGRESS, gate, SUCCESS)
    ask_for(gateway, "m")
    request = ollama.wait_for_request()
    assert (request.path, json.loads(request.body)) == ("/api/pull", {"model": "m"})
    ask_for(gateway, "M:latest")
    assert len(ollama.requests) == 1
    with caplog.at_level("INFO"):
        gate.open()
        wait_until(lambda: "pull of m ended: success" in caplog.text, "the log reports the end")
    ollama.enqueue(b'{"error":"no such host"}\n')
    ask_for(gateway, "m")
    wait_until(lambda: "pull of m failed: no such host" in caplog.text, "the log reports the failure")
    assert len(ollama.requests) == 2


def test_the_api_has_begun_a_pull_before_a_client_joins(gateway: Gateway, ollama: FakeOllama) -> None:
    """A download fails when its first client disconnects early, so the API is always the first."""
    begun, ended = ollama.gate(), ollama.gate()
    ollama.enqueue(BEGINNING, begun, PROGRESS, ended, SUCCESS)
    ollama.enqueue(BEGINNING, SUCCESS)
    with ThreadPoolExecutor() as pool:
        asking = pool.submit(gateway.client.post, "/api/pull", json={"model": "joined", "stream": True})
        ollama.wait_for_request()
        # Long enough to notice a client that starts too early.
        assert wait([asking], timeout=0.2).not_done
        assert [json.loads(request.body) for request in ollama.requests] == [{"model": "joined"}]
        begun.open()
        assert asking.result().content == BEGINNING + SUCCESS
    ended.open()
    assert json.loads(ollama.requests[1].body) == {"model": "joined", "stream": True}


@pytest.mark.parametrize(
    "wish", [{}, {"stream": False}, {"stream": None}, {"insecure": True, "username": "x"}], ids=str
)
def test_only_what_was_checked_of_a_pull_is_passed_on(
    gateway: Gateway, behind_nginx: Gateway, ollama: FakeOllama, wish: dict[str, object]
) -> None:
    """Open WebUI always asks for an insecure registry. The name may come as `name`; both modes agree."""
    for _ in range(3):
        ollama.enqueue(PROGRESS, SUCCESS)
    name = f"host:5000/a/{secrets.token_hex(4)}"
    gateway.client.post("/api/pull", json={"name": name, **wish})
    told = behind_nginx.client.post("/api/pull", json={"name": name, **wish}).headers
    assert told["X-Accel-Redirect"] == "@ollama_with_our_body"
    sent = {"model": name, **({"stream": False} if wish.get("stream") is False else {})}
    assert [json.loads(ollama.requests[1].body), json.loads(told["X-LocalChat-Body"])] == [sent, sent]


def test_a_pull_that_cannot_begin_is_ollamas_to_refuse(gateway: Gateway, ollama: FakeOllama) -> None:
    """The client's own request gets Ollama's status and message."""
    refusal = b'{"error":"invalid model name"}'
    ollama.enqueue(refusal, status=400, headers=JSON_TYPE)
    ollama.enqueue(refusal, status=400, headers=JSON_TYPE)
    answer = gateway.client.post("/api/pull", json={"model": "refused"})
    assert (answer.status_code, answer.content) == (400, refusal)


def test_a_slow_registry_does_not_keep_the_client_waiting(
    gateway: Gateway, ollama: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client's own request goes to Ollama, which reports its progress."""
    monkeypatch.setattr(pulls, "BEGINS_WITHIN_SECONDS", 0.1)
    gate = ollama.gate()
    ollama.enqueue(BEGINNING, gate, SUCCESS)
    ollama.enqueue(BEGINNING, SUCCESS)
    assert gateway.client.post("/api/pull", json={"model": "slow"}).content == BEGINNING + SUCCESS
    gate.open()


def test_a_pull_that_another_client_spoiled_is_begun_again(
    serve_with: Serve, ollama: FakeOllama, caplog: pytest.LogCaptureFixture
) -> None:
    """Ollama fails a layer for every waiting client when the one that started it disconnects."""
    gateway = serve_with(behind_nginx=True)
    ollama.enqueue(PROGRESS, b'{"error":"context canceled"}\n')
    ollama.enqueue(PROGRESS, SUCCESS)
    with caplog.at_level("INFO"):
        ask_for(gateway, "m")
        wait_until(lambda: "pull of m ended: success" in caplog.text, "the second attempt succeeds")


def test_progress_without_a_total_is_not_waited_for_for_ever(
    serve_with: Serve, ollama: FakeOllama, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ollama keeps reporting a layer that was abandoned by the client that started it."""
    monkeypatch.setattr(pulls, "NO_TOTAL_SECONDS", 0.1)
    gateway = serve_with(behind_nginx=True)
    stuck = b'{"status":"pulling 1","digest":"sha256:1"}\n'
    ollama.enqueue(PROGRESS, stuck, 0.2, stuck, ending="silence")
    ollama.enqueue(PROGRESS, SUCCESS)
    with caplog.at_level("INFO"):
        ask_for(gateway, "m")
        wait_until(lambda: "pull of m ended: success" in caplog.text, "the second attempt succeeds")


def models(*names: str) -> bytes:
    return json.dumps({"object": "list", "data": [{"id": name, "object": "model"} for name in names]}).encode()


def retrieve(gateway: Gateway, model: str) -> Any:
    return gateway.client.get(f"/v1/models/{model}").json()


def test_a_name_with_a_slash_is_looked_up_in_ollamas_list(behind_nginx: Gateway, ollama: FakeOllama) -> None:
    """Ollama has no route for such a name."""
    ollama.enqueue(models("x:latest", "org/m:latest"), headers=JSON_TYPE)
    assert retrieve(behind_nginx, "org/M") == {"id": "org/m:latest", "object": "model"}
    ollama.enqueue(models("x:latest"), headers=JSON_TYPE)
    assert retrieve(behind_nginx, "org/m")["error"]["type"] == "not_found_error"
    ollama.enqueue(b'{"object":"list","data":null}', headers=JSON_TYPE)
    assert retrieve(behind_nginx, "org/m")["error"]["type"] == "not_found_error"
    ollama.enqueue(b'{"error":{"message":"x"}}', status=500, headers=JSON_TYPE)
    assert retrieve(behind_nginx, "org/m") == {"error": {"message": "x"}}
    ollama.enqueue_no_answer("reset")
    assert behind_nginx.client.get("/v1/models/org/m").status_code == 502


def test_a_name_without_a_slash_is_ollamas_to_find(behind_nginx: Gateway) -> None:
    """It is passed on like anything else; an invalid name is not."""
    assert behind_nginx.client.get("/v1/models/m:tag").headers["X-LocalChat-Path"] == "/v1/models/m:tag"
    for strange in ("m%20m", "m%3fx", "..%2fx", "m%00"):
        assert behind_nginx.client.get(f"/v1/models/{strange}").status_code == 404

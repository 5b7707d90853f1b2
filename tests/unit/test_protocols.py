"""Ollama's, OpenAI's and Anthropic's protocols: who is let in, what is checked, and how a pull is kept going."""

import base64
import json
from typing import Any

import httpx
import pytest

from api.auth import Accounts
from api.model_names import canonical, is_cloud, is_name
from api.protocols import Protocol, protocol_of
from tests.fake_ollama import FakeOllama, wait_until
from tests.unit.conftest import Serve
from tests.unit.serving import Gateway

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
JSON_TYPE = {"Content-Type": "application/json"}


def basic(password: str, user: str = "localchat") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


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
    ):
        assert list_models(behind_nginx, **headers).status_code == 200


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
        {"Api_Key": "TOKEN"},
        {"Proxy_Authorization": "Bearer TOKEN"},
        {"Authorization": "Bearer x", "X_Api_Key": "TOKEN"},
    ],
    ids=str,
)
def test_anything_else_is_no_token(behind_nginx: Gateway, headers: dict[str, str]) -> None:
    """401, in OpenAI's shape; a bad bearer token is not made good by another header."""
    token = behind_nginx.token
    good_basic = basic(token).removeprefix("Basic ")
    headers = {name: value.replace("TOKEN", token).replace("BASIC", good_basic) for name, value in headers.items()}
    response = list_models(behind_nginx, **headers)
    assert (response.status_code, response.json()["error"]["type"]) == (401, "authentication_error")


@pytest.mark.parametrize(
    ("path", "protocol"),
    [
        ("/v1/messages", Protocol.ANTHROPIC),
        ("/v1/messages/batches", Protocol.ANTHROPIC),
        ("/v1/models", Protocol.OPENAI),
        ("/api/none", Protocol.OLLAMA),
        ("/apis", Protocol.LOCALCHAT),
        ("/chat", Protocol.LOCALCHAT),
        ("/", Protocol.LOCALCHAT),
    ],
)
def test_protocols_are_told_apart_by_path(path: str, protocol: Protocol) -> None:
    """Whether there is such a path or not."""
    assert protocol_of(path) is protocol


def test_the_api_alone_carries_every_protocol(gateway: Gateway, ollama: FakeOllama) -> None:
    """Server-sent events as they come, with their type; the same body, the same path, no query."""
    events = b'data: {"choices":[]}\n\ndata: [DONE]\n\n'
    ollama.enqueue(events, headers={"Content-Type": "text/event-stream"})
    body = b'{"model" : "m","messages":[]}'
    response = gateway.client.post("/v1/chat/completions?x=y", content=body)
    assert (response.headers["Content-Type"], response.content) == ("text/event-stream", events)
    sent = ollama.requests[0]
    assert (sent.method, sent.path, sent.body) == ("POST", "/v1/chat/completions", body)


def test_head_is_asked_of_ollama_as_head(gateway: Gateway, ollama: FakeOllama) -> None:
    """As its own clients do, before anything else."""
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
        ("/api/pull", {"model": "m", "insecure": True}),
        ("/api/pull", {"model": "m", "insecure": "false"}),
        ("/api/pull", {"model": "m", "name": "http://host/m"}),
        ("/api/pull", {"model": "../m"}),
        ("/api/pull", {"model": "m@sha256:1"}),
    ],
)
def test_what_is_checked_is_refused_with_the_reason(behind_nginx: Gateway, path: str, body: object) -> None:
    """422; the rest of a request is Ollama's business."""
    response = behind_nginx.client.post(path, json=body)
    assert response.status_code == 422
    assert response.json()["error"]


@pytest.mark.parametrize("key", ["Model", "MODEL", "Name", "Insecure", "Source", "de\u017ftination"])
def test_what_is_checked_cannot_be_there_in_another_case(behind_nginx: Gateway, key: str) -> None:
    """Go would take it for the one that was checked."""
    body = json.dumps({"model": "m", "source": "a", "destination": "b", key: "x:cloud"}, ensure_ascii=False).encode()
    for path in ("/api/pull", "/api/copy", "/v1/messages"):
        assert behind_nginx.client.post(path, content=body).status_code == 400


@pytest.mark.parametrize("model", ["x:cloud", "x:120b-cloud", "x:CLOUD", " x: cloud ", "host:5000/x:cloud"])
@pytest.mark.parametrize(
    ("path", "field"), [("/chat", "model"), ("/v1/responses", "model"), ("/api/show", "name"), ("/api/copy", "source")]
)
def test_no_model_of_the_cloud_is_asked(behind_nginx: Gateway, path: str, field: str, model: str) -> None:
    """Whatever answers at OLLAMA_URL; the spelling is read as Ollama reads it."""
    body = {"messages": [], "destination": "y", "source": "z", field: model}
    response = behind_nginx.client.post(path, json=body)
    assert response.status_code == 403
    assert "cloud" in response.text
    assert "X-Accel-Redirect" not in response.headers


@pytest.mark.parametrize("name", ["cloud", "x-cloud", "cloud/x", "x:clouds", "host:5000/x-cloud", "x:latest", ""])
def test_a_cloud_in_the_name_is_not_the_cloud(name: str) -> None:
    """Only the tag tells."""
    assert not is_cloud(name)


@pytest.mark.parametrize("name", ["m", "m:tag", "a/m:1.5-b_x", "hf.co/org/M.gguf:Q4_K_M", "host:5000/a/m"])
def test_names_are_names(name: str) -> None:
    """With host, namespace and tag, or without."""
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "/m", "m/", "a//m", "http://m", "m:", "..", "a/../m", "m m", "m\n", "m?x", "m#x"])
def test_no_url_and_no_path_is_a_name(name: str) -> None:
    """Nothing that leads anywhere else than to a registry."""
    assert not is_name(name)


def test_two_spellings_of_one_model_are_one() -> None:
    """Host, namespace and tag have defaults, and case does not matter."""
    spellings = ("m", "M:latest", "library/m", "registry.ollama.ai/library/m:LATEST")
    assert {canonical(name) for name in spellings} == {"m:latest"}
    assert canonical("host:5000/a/m") == "host:5000/a/m:latest"


@pytest.mark.parametrize("path", ["/api/tags", "/v1/models", "/v1/models/m", "/"])
def test_what_takes_no_body_gets_none(behind_nginx: Gateway, path: str) -> None:
    """Nobody would have checked it."""
    response = behind_nginx.client.request("GET", path, content=b"{}")
    assert response.status_code == 422
    assert "X-Accel-Redirect" not in response.headers


def test_administration_is_for_administrators(serve_with: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """403 for others, who may chat."""
    gateway = serve_with(behind_nginx=True)
    monkeypatch.setattr(Accounts, "is_admin", lambda *_: False)
    for method, path in [("POST", "/api/pull"), ("DELETE", "/api/delete"), ("POST", "/api/copy")]:
        response = gateway.client.request(method, path, json={"model": "m", "source": "m", "destination": "n"})
        assert (response.status_code, list(response.json())) == (403, ["error"])
    assert gateway.client.post("/api/chat", json=CHAT).status_code == 200


def ask_for(gateway: Gateway, model: str) -> None:
    assert gateway.client.post("/api/pull", json={"model": model}).headers["X-LocalChat-Path"] == "/api/pull"


def test_a_pull_is_waited_for_to_its_end(
    serve_with: Serve, ollama: FakeOllama, caplog: pytest.LogCaptureFixture
) -> None:
    """By the API itself, once however often it is asked for; and anew after it has ended."""
    gateway = serve_with(behind_nginx=True)
    gate = ollama.gate()
    ollama.enqueue(b'{"status":"pulling manifest"}\n', gate, b'{"status":"success"}\n')
    ask_for(gateway, "m")
    request = ollama.wait_for_request()
    assert (request.path, json.loads(request.body)) == ("/api/pull", {"model": "m"})
    ask_for(gateway, "m")
    assert len(ollama.requests) == 1
    with caplog.at_level("INFO"):
        gate.open()
        wait_until(lambda: "pull of m ended: success" in caplog.text, "the log tells of the end")
    ollama.enqueue(b'{"error":"no such host"}\n')
    ask_for(gateway, "m")
    wait_until(lambda: "pull of m failed: no such host" in caplog.text, "the log tells of the failure")
    assert len(ollama.requests) == 2


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
    """It is carried like anything else; what is no name is not."""
    assert behind_nginx.client.get("/v1/models/m:tag").headers["X-LocalChat-Path"] == "/v1/models/m:tag"
    for strange in ("m%20m", "m%3fx", "..%2fx", "", "m%00"):
        assert behind_nginx.client.get(f"/v1/models/{strange}").status_code == 404

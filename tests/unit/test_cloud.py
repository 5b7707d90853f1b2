"""An Ollama with its cloud on: requests that it would send elsewhere are refused, and it is asked seldom."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from api.ollama import cloud
from tests.support.fake_ollama import FakeOllama, wait_until
from tests.unit.conftest import Serve
from tests.unit.serving import Gateway, closed_port

MESSAGES: list[object] = [{"role": "user", "content": "hi"}]
JSON_TYPE = {"Content-Type": "application/json"}
STUB = b'{"remote_host":"https://ollama.com:443","remote_model":"gpt-oss:120b"}'
LOCAL = b'{"details":{"family":"llama"}}'
PATHS = ["/chat", "/api/chat", "/api/generate", "/api/embed", "/api/embeddings", "/api/show", "/v1/chat/completions"]
PATHS += ["/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages"]
TOOLS = ["web_search", "web_search_20250305", "web_search_preview", " Web_Fetch_20250910", "web_search" + "x" * 500]


@pytest.fixture(autouse=True)
def _off_again(shared_ollama: FakeOllama) -> Iterator[None]:
    # The shared gateways cache what they were told.
    yield
    shared_ollama.cloud_is_off = True


@pytest.fixture
def cloudy(serve_with: Serve, ollama: FakeOllama) -> Gateway:
    """LocalChat in front of an Ollama with its cloud on."""
    ollama.cloud_is_off = False
    return serve_with(behind_nginx=True, max_body_mb=4)


def ask(gateway: Gateway, path: str = "/chat", model: str = "mine", **fields: object) -> httpx.Response:
    return gateway.client.post(path, json={"model": model, "messages": MESSAGES, **fields})


def is_refused(answer: httpx.Response) -> bool:
    assert ("X-Accel-Redirect" in answer.headers) == (answer.status_code == 200)
    return answer.status_code == 403


@pytest.mark.parametrize("path", PATHS)
def test_a_model_that_runs_elsewhere_is_refused_whatever_it_is_called(
    cloudy: Gateway, ollama: FakeOllama, path: str
) -> None:
    """`ollama cp x:cloud mine` makes one. Ollama is asked about the name as the client spells it."""
    ollama.enqueue(STUB, headers=JSON_TYPE)
    answer = ask(cloudy, path, "https://Mine:LATEST")
    assert is_refused(answer)
    assert "stays on this machine" in answer.text
    assert [(r.path, json.loads(r.body)) for r in ollama.requests] == [("/api/show", {"model": "https://Mine:LATEST"})]


def test_neither_is_it_copied_or_retrieved(cloudy: Gateway, ollama: FakeOllama) -> None:
    """Both names of a copy are checked."""
    for names in ({"source": "stub", "destination": "new"}, {"source": "local", "destination": "stub2"}):
        ollama.answers.clear()
        for name in names.values():
            ollama.enqueue(STUB if name.startswith("stub") else LOCAL, headers=JSON_TYPE)
        assert is_refused(cloudy.client.post("/api/copy", json=names))
    ollama.answers.clear()
    ollama.enqueue(STUB, headers=JSON_TYPE)
    assert is_refused(cloudy.client.get("/v1/models/retrieved"))


def test_it_may_be_deleted(cloudy: Gateway, ollama: FakeOllama) -> None:
    """Deleting runs nothing elsewhere."""
    ollama.enqueue(STUB, headers=JSON_TYPE)
    assert cloudy.client.request("DELETE", "/api/delete", json={"model": "mine"}).status_code == 200
    assert ollama.requests == []


def test_ollama_is_asked_about_a_model_once(cloudy: Gateway, ollama: FakeOllama) -> None:
    """Even if many requests want it at once; again when the answer has expired."""
    gate = ollama.gate()
    ollama.enqueue(gate, LOCAL, headers=JSON_TYPE)
    assert cloudy.token
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask, cloudy) for _ in range(8)]
        ollama.wait_for_request()
        gate.open()
        assert not any(is_refused(answer.result()) for answer in answers)
    assert len(ollama.requests) == 1


def test_what_is_known_of_a_model_grows_old(
    cloudy: Gateway, ollama: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name may now belong to another model."""
    monkeypatch.setattr(cloud, "REMEMBERED_SECONDS", 0)
    ollama.enqueue(LOCAL, headers=JSON_TYPE)
    ollama.enqueue(STUB, headers=JSON_TYPE)
    assert [is_refused(ask(cloudy)) for _ in range(2)] == [False, True]


@pytest.mark.parametrize("answer", [b'{"error":"model not found"}', b"[]", b"not json"])
def test_what_ollama_does_not_know_is_its_own_to_refuse(cloudy: Gateway, ollama: FakeOllama, answer: bytes) -> None:
    """A missing model may exist a moment later, so the answer is not cached."""
    for _ in range(2):
        ollama.enqueue(answer, status=404, headers=JSON_TYPE)
    ollama.enqueue(STUB, headers=JSON_TYPE)
    assert [is_refused(ask(cloudy)) for _ in range(3)] == [False, False, True]


def test_many_names_take_up_no_more_memory(
    cloudy: Gateway, ollama: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller can make up any number of names; the oldest is forgotten."""
    monkeypatch.setattr(cloud, "MAX_REMEMBERED", 3)
    ollama.answer_always(lambda: [LOCAL], JSON_TYPE)
    for number in (0, 0, 1, 2, 3, 0):
        ask(cloudy, model=f"m{number}")
    assert len(ollama.requests) == 5
    for _ in range(2):
        ask(cloudy, model="m" * 600)
    assert len(ollama.requests) == 7


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/messages"])
@pytest.mark.parametrize("kind", TOOLS, ids=lambda kind: kind[:22])
def test_a_tool_that_ollama_has_run_elsewhere_is_refused(cloudy: Gateway, path: str, kind: str) -> None:
    """In the protocol's own format, with what to do."""
    own = {"type": "function", "name": "web_search", "parameters": {}}
    answer = ask(cloudy, path, tools=[own, {"type": kind, "name": "web_search"}])
    assert is_refused(answer)
    error = answer.json()["error"]
    assert error["type"] == "permission_error"
    assert "OLLAMA_NO_CLOUD" in error["message"]


@pytest.mark.parametrize("kind", ["web_search", "web_search" + "x" * 500, "web_search" + "\n" * 30])
def test_neither_is_one_overlooked_in_a_large_body(cloudy: Gateway, kind: str) -> None:
    """Long strings are skipped there; Ollama looks at how a type begins."""
    assert is_refused(ask(cloudy, "/v1/responses", tools=[{"type": kind}], input="x" * 2_200_000))


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/messages"])
@pytest.mark.parametrize(
    "tools",
    [[{"name": "web_search"}], [{"type": "function", "name": "web_search"}], [{"type": "custom"}], [], None, "x", [1]],
    ids=str,
)
def test_a_tool_that_the_client_runs_is_not(cloudy: Gateway, ollama: FakeOllama, path: str, tools: object) -> None:
    """Whatever its name. An invalid tool is Ollama's to refuse."""
    ollama.enqueue(LOCAL, headers=JSON_TYPE)
    assert not is_refused(ask(cloudy, path, tools=tools))


@pytest.mark.parametrize("fields", [{"Tools": [{"type": "web_search"}]}, {"tools": [{"TYPE": "web_search"}]}], ids=str)
def test_a_tool_cannot_come_in_another_case(cloudy: Gateway, fields: dict[str, object]) -> None:
    """Go would treat it as the one that was checked."""
    assert cloudy.client.post("/v1/responses", json={"model": "m", **fields}).status_code == 400


def test_with_the_cloud_off_nothing_is_asked_or_refused(behind_nginx: Gateway, ollama: FakeOllama) -> None:
    """Ollama then refuses on its own, and Codex, which offers a web search by default, works."""
    assert not is_refused(ask(behind_nginx, "/v1/responses", tools=[{"type": "web_search"}]))
    assert not is_refused(ask(behind_nginx, model="anything"))
    assert ollama.requests == []


def test_a_cloud_that_is_on_is_reported_at_the_start(
    serve_with: Serve, ollama: FakeOllama, caplog: pytest.LogCaptureFixture
) -> None:
    """With what to do; if the cloud is off, nothing is logged."""
    assert not is_refused(ask(serve_with(behind_nginx=True)))  # so Ollama has been asked
    ollama.cloud_is_off = False
    with caplog.at_level("WARNING"):
        serve_with()
        wait_until(lambda: "OLLAMA_NO_CLOUD=1" in caplog.text, "the log warns of the cloud")
    assert caplog.text.count("OLLAMA_NO_CLOUD") == 1


def test_an_ollama_that_is_down_stops_nothing(serve_with: Serve) -> None:
    """Neither the start nor a request, which is passed on so that the client gets the error."""
    down = serve_with(behind_nginx=True, ollama_url=f"http://127.0.0.1:{closed_port()}")
    assert not is_refused(ask(down, "/v1/responses", tools=[{"type": "web_search"}]))


def test_what_ollama_said_last_stands_while_it_cannot_be_asked(
    cloudy: Gateway, ollama: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ollama may be back by the time the request reaches it."""
    monkeypatch.setattr(cloud, "REMEMBERED_SECONDS", 0)
    ollama.enqueue(STUB, headers=JSON_TYPE)
    ollama.enqueue_no_answer("reset")
    assert [is_refused(ask(cloudy)) for _ in range(2)] == [True, True]

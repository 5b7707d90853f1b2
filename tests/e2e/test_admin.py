"""How administrators manage models: pull, copy, delete. The pulls come from our own registry, over TLS."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.conftest import OtherOllama
from tests.e2e.registry import LAYER_BYTES, Registry
from tests.support.stack import until

pytestmark = pytest.mark.stack("stack_before_other_ollama")

Event = dict[str, object]


def models(client: httpx.Client) -> list[str]:
    return [model["name"] for model in client.get("/api/tags").json()["models"]]


def events(answer: httpx.Response) -> Iterator[Event]:
    for line in answer.iter_lines():
        event: Event = json.loads(line)
        assert "error" not in event, event
        yield event


def half_way(event: Event) -> bool:
    return event.get("completed") == LAYER_BYTES // 2


def delete(client: httpx.Client, model: str) -> None:
    assert client.request("DELETE", "/api/delete", json={"model": model}).status_code == 200


def test_a_pull_goes_on_when_its_client_leaves(
    client: httpx.Client, model_registry: Registry, other_ollama: OtherOllama
) -> None:
    """Ollama stops a download when its last waiting client disconnects; the API keeps waiting."""
    layer = model_registry.add("tests/left")
    name = model_registry.name("tests/left")
    with client.stream("POST", "/api/pull", json={"model": name}) as answer:
        assert any(map(half_way, events(answer)))
    until(lambda: '"/api/pull"' in other_ollama.log(), "Ollama has noticed the disconnect")
    layer.rest.set()
    until(lambda: f"{name}:latest" in models(client), "the model is installed")
    assert layer.downloads == 1
    delete(client, f"{name}:latest")


def test_a_pull_goes_on_when_its_client_leaves_at_once(client: httpx.Client, model_registry: Registry) -> None:
    """Ollama fails a download for everybody when its first client disconnects; that is never the client."""
    layer = model_registry.add("tests/left-at-once")
    name = model_registry.name("tests/left-at-once")
    layer.rest.set()
    with client.stream("POST", "/api/pull", json={"model": name}) as answer:
        next(events(answer))
    until(lambda: f"{name}:latest" in models(client), "the model is installed")
    assert layer.downloads == 1
    delete(client, f"{name}:latest")


def test_open_webui_can_pull(client: httpx.Client, model_registry: Registry) -> None:
    """It always asks for an insecure registry, but gets the model over TLS. Without streaming it is one object."""
    layer = model_registry.add("tests/webui")
    name = model_registry.name("tests/webui")
    layer.rest.set()
    with client.stream("POST", "/api/pull", json={"name": name, "insecure": True, "stream": True}) as answer:
        assert list(events(answer))[-1] == {"status": "success"}
    again = client.post("/api/pull", json={"name": name, "insecure": True, "stream": False})
    assert again.json() == {"status": "success"}
    delete(client, f"{name}:latest")


def test_a_model_that_does_not_exist_is_ollamas_to_report(client: httpx.Client, model_registry: Registry) -> None:
    """As a line of the stream or, without streaming, as a status."""
    missing = {"model": model_registry.name("tests/missing")}
    streamed = client.post("/api/pull", json=missing)
    whole = client.post("/api/pull", json={**missing, "stream": False})
    assert [streamed.status_code, whole.status_code] == [200, 500]
    assert (
        json.loads(streamed.text.splitlines()[-1])
        == whole.json()
        == {"error": "pull model manifest: file does not exist"}
    )


def test_asking_again_joins_the_running_pull(client: httpx.Client, model_registry: Registry) -> None:
    """The second request sees the first one's progress and its end; the model is downloaded once."""
    layer = model_registry.add("tests/joined")
    name = model_registry.name("tests/joined")
    with client.stream("POST", "/api/pull", json={"model": name}) as first:
        assert any(map(half_way, events(first)))
        with client.stream("POST", "/api/pull", json={"model": name}) as second:
            progress = events(second)
            assert any(map(half_way, progress))
            layer.rest.set()
            assert list(progress)[-1] == {"status": "success"}
    assert layer.downloads == 1
    delete(client, f"{name}:latest")


def test_copies_and_deletes(client: httpx.Client) -> None:
    """The copy appears and disappears; the original stays."""
    copied = client.post("/api/copy", json={"source": "smollm2:135m", "destination": "of-mine"})
    assert (copied.status_code, "of-mine:latest" in models(client)) == (200, True)
    delete(client, "of-mine")
    assert "of-mine:latest" not in models(client)
    assert "smollm2:135m" in models(client)


def test_a_name_with_slashes_is_found(client: httpx.Client) -> None:
    """OpenAI's GET /v1/models/{id}: Ollama's own entry, although Ollama has no route for such a name."""
    client.post("/api/copy", json={"source": "smollm2:135m", "destination": "somebody/else:tag"})
    listed = next(e for e in client.get("/v1/models").json()["data"] if e["id"] == "somebody/else:tag")
    found = client.get("/v1/models/somebody/else:tag")
    quoted = client.get("/v1/models/somebody%2Felse%3Atag")
    assert found.json() == quoted.json() == listed
    delete(client, "somebody/else:tag")
    assert client.get("/v1/models/somebody/else:tag").status_code == 404


def test_only_names_are_pulled(client: httpx.Client) -> None:
    """No URL; nothing reaches Ollama."""
    for body in ({"model": "http://host/x/y"}, {"name": "https://host/x"}):
        answer = client.post("/api/pull", json=body)
        assert (answer.status_code, list(answer.json())) == (422, ["error"])

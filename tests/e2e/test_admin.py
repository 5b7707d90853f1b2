"""What administrators do with models: pull, copy, delete. From a registry of our own, over TLS."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.conftest import OtherOllama
from tests.e2e.registry import LAYER_BYTES, Registry
from tests.e2e.stack import Stack, until

Event = dict[str, object]


@pytest.fixture
def stack(stack_before_other_ollama: Stack) -> Stack:
    return stack_before_other_ollama


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
    """Ollama stops a download when the last who waits for it leaves; the API waits on."""
    layer = model_registry.add("tests/left")
    name = model_registry.name("tests/left")
    with client.stream("POST", "/api/pull", json={"model": name}) as answer:
        assert any(map(half_way, events(answer)))
    until(lambda: '"/api/pull"' in other_ollama.log(), "Ollama has noticed that the client left")
    layer.rest.set()
    until(lambda: f"{name}:latest" in models(client), "the model is there")
    assert layer.downloads == 1
    delete(client, f"{name}:latest")


def test_asking_again_joins_the_running_pull(client: httpx.Client, model_registry: Registry) -> None:
    """The second sees how far the first has come, and the end; it is downloaded once."""
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
    """The copy is there, and then it is not; the original stays."""
    copied = client.post("/api/copy", json={"source": "smollm2:135m", "destination": "of-mine"})
    assert (copied.status_code, "of-mine:latest" in models(client)) == (200, True)
    delete(client, "of-mine")
    assert "of-mine:latest" not in models(client)
    assert "smollm2:135m" in models(client)


def test_a_name_with_slashes_is_found(client: httpx.Client) -> None:
    """OpenAI's GET /v1/models/{id}: Ollama's own entry, though it has no route for such a name."""
    client.post("/api/copy", json={"source": "smollm2:135m", "destination": "somebody/else:tag"})
    listed = next(e for e in client.get("/v1/models").json()["data"] if e["id"] == "somebody/else:tag")
    found = client.get("/v1/models/somebody/else:tag")
    quoted = client.get("/v1/models/somebody%2Felse%3Atag")
    assert found.json() == quoted.json() == listed
    delete(client, "somebody/else:tag")
    assert client.get("/v1/models/somebody/else:tag").status_code == 404


def test_only_names_are_pulled(client: httpx.Client) -> None:
    """No URL, no insecure registry; nothing is asked of Ollama."""
    for body in ({"model": "http://host/x/y"}, {"model": "x", "insecure": True}, {"name": "https://host/x"}):
        answer = client.post("/api/pull", json=body)
        assert (answer.status_code, list(answer.json())) == (422, ["error"])

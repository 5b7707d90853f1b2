"""A stack in front of an existing Ollama."""

import httpx
import pytest

from tests.e2e.conftest import OtherOllama
from tests.support.models import MODEL
from tests.support.stack import Stack, bridge_address, chat

pytestmark = pytest.mark.stack("stack_before_other_ollama")


def test_api_and_nginx_follow_ollama_url(stack: Stack, client: httpx.Client, other_ollama: OtherOllama) -> None:
    """Both reach the other Ollama on the host; the stack's own does not run."""
    health = httpx.get(f"{stack.url}/health").json()
    assert health == {"status": "ok", "ollama_url": other_ollama.url}
    assert client.post("/chat", json=chat(stream=False)).json()["done"] is True
    assert sorted(stack.run("ps", "--all", "--services").split()) == ["api", "nginx", "reader"]


def test_what_its_cloud_would_answer_is_refused(stack: Stack, client: httpx.Client, other_ollama: OtherOllama) -> None:
    """A copy of a cloud model, and a web search; the log says how to turn the cloud off."""
    assert "OLLAMA_NO_CLOUD=1" in stack.logs("api")
    itself = other_ollama.url.replace("host.docker.internal", bridge_address())
    httpx.post(f"{itself}/api/create", json={"model": "of-mine", "from": "gpt-oss:120b-cloud", "stream": False})
    assert "remote_host" in httpx.post(f"{itself}/api/show", json={"model": "of-mine"}).json()
    refused = client.post("/chat", json=chat(model="Of-Mine:latest"))
    assert (refused.status_code, list(refused.json())) == (403, ["detail"])
    search = {"model": MODEL, "input": "hi", "tools": [{"type": "web_search"}]}
    refused = client.post("/v1/responses", json=search)
    assert (refused.status_code, refused.json()["error"]["type"]) == (403, "permission_error")
    assert client.request("DELETE", "/api/delete", json={"model": "of-mine"}).status_code == 200

"""A stack in front of an Ollama that people already run."""

import httpx
import pytest

from tests.e2e.conftest import OtherOllama
from tests.e2e.stack import Stack, chat


@pytest.fixture
def stack(stack_before_other_ollama: Stack) -> Stack:
    return stack_before_other_ollama


def test_api_and_nginx_follow_ollama_url(stack: Stack, client: httpx.Client, other_ollama: OtherOllama) -> None:
    """Both reach the other Ollama, on the host; the stack's own does not run."""
    health = httpx.get(f"{stack.url}/health").json()
    assert health == {"status": "ok", "ollama_url": other_ollama.url}
    assert client.post("/chat", json=chat(stream=False)).json()["done"] is True
    assert sorted(stack.run("ps", "--all", "--services").split()) == ["api", "nginx"]

"""A stack in front of an Ollama that people already run."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.stack import Stack, chat, free_port, run, running_stack, until


@pytest.fixture
def other_ollama(models: Path) -> Iterator[str]:
    """The port of an Ollama on the host: the real one, published where containers see the host."""
    (gateway,) = run(
        "docker", "network", "inspect", "bridge", "--format", "{{range .IPAM.Config}}{{.Gateway}}{{end}}"
    ).split()
    port = free_port()
    image = os.environ.get("OLLAMA_IMAGE") or run("docker", "compose", "config", "--images", "ollama").strip()
    publish = f"{gateway}:{port}:11434"
    container = run(
        "docker", "run", "--detach", "--publish", publish, "--volume", f"{models}:/root/.ollama", image
    ).strip()
    try:
        until(lambda: "smollm2" in run("docker", "exec", container, "ollama", "list"), "the other Ollama answers")
        yield str(port)
    finally:
        run("docker", "rm", "--force", container)


@pytest.fixture
def stack(
    environment: pytest.MonkeyPatch,
    models: Path,
    other_ollama: str,
    tmp_path: Path,
    stack: Stack,  # noqa: ARG001  The shared one: it has made the model.
) -> Iterator[Stack]:
    url = f"http://host.docker.internal:{other_ollama}"
    with running_stack(tmp_path, models, environment.setenv, OLLAMA_URL=url) as running:
        yield running


def test_api_and_nginx_follow_ollama_url(stack: Stack, other_ollama: str) -> None:
    """Both reach the other Ollama, on the host; the stack's own does not run."""
    health = httpx.get(f"{stack.url}/health").json()
    assert health == {"status": "ok", "ollama_url": f"http://host.docker.internal:{other_ollama}"}
    with stack.client() as client:
        assert client.post("/chat", json=chat(stream=False)).json()["done"] is True
    assert sorted(stack.run("ps", "--all", "--services").split()) == ["api", "nginx"]

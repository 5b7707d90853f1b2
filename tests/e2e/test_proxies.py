"""A machine whose Docker puts a proxy into every container (`proxies` in its client's configuration)."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.servers import RefusingProxy
from tests.support.fixtures import NewModels
from tests.support.stack import Stack, bridge_address, chat, run, running_stack

LIBRARY = "registry.ollama.ai:443"


@pytest.fixture(scope="module")
def proxy() -> Iterator[RefusingProxy]:
    with RefusingProxy(bridge_address()) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def stack(
    environment: pytest.MonkeyPatch,
    new_models: NewModels,
    proxy: RefusingProxy,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    # Built first: a build's downloads are not tested here.
    run("docker", "compose", "build", "--quiet")
    configuration = tmp_path_factory.mktemp("docker")
    proxies = {"default": {"httpProxy": proxy.url, "httpsProxy": proxy.url, "noProxy": "example.org"}}
    (configuration / "config.json").write_text(json.dumps({"proxies": proxies}))
    folder = tmp_path_factory.mktemp("proxied")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_CONFIG", str(configuration))
        with running_stack(folder, environment.setenv, OLLAMA_DATA=str(new_models("proxied"))) as running:
            yield running


def test_nothing_inside_asks_a_proxy(stack: Stack, client: httpx.Client, proxy: RefusingProxy) -> None:
    """The stack starts, is healthy, and streams; the proxy sees none of it."""
    assert proxy.url in stack.run("exec", "--no-TTY", "ollama", "env")
    assert "1 of 1 available" in stack.logs("starter-models")
    assert httpx.get(f"{stack.url}/health").json()["status"] == "ok"
    assert client.post("/chat", json=chat(num_predict=2)).text.count("\n") >= 2
    stack.run("exec", "--no-TTY", "ollama", "ollama", "list")
    assert {line for line in proxy.asked if LIBRARY not in line} == set()


def test_scripts_ask_no_proxy(stack: Stack) -> None:
    """At the end of scripts/up, from the API's container to nginx."""
    code = Path("scripts/lib/first_steps.py").read_text()
    assert "LocalChat is up" in stack.run("exec", "--no-TTY", "--env", "ADDRESS=x", "api", "python3", "-c", code)


def test_downloads_ask_the_proxy(stack: Stack, proxy: RefusingProxy) -> None:
    """Models come through it if the machine has no other way out."""
    pull = ["docker", "exec", stack.inspect("ollama")["Id"], "ollama", "pull", "no-such-model"]
    subprocess.run(pull, capture_output=True, check=False)
    assert f"CONNECT {LIBRARY} HTTP/1.1" in proxy.asked

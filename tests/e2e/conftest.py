"""The stacks that the end-to-end tests share, each started once from the production Compose file."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
import trustme

from tests.e2e import registry
from tests.e2e.registry import Registry

# Each of them is a fixture here too.
from tests.support.fixtures import (
    STACK_URL,
    NewModels,
    environment,
    fake_ollama_on_the_host,
    new_models,
    ollama,
    own_stack,
    pytest_runtest_makereport,
    run_folder,
    running_before_fake_ollama,
    shared_stack,
    stack_before_fake_ollama,
)
from tests.support.runs import new_name
from tests.support.stack import Stack, bridge_address, free_port, run, running_stack, until


@pytest.fixture(scope="session")
def model_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    authority = trustme.CA()
    certificate = tmp_path_factory.mktemp("registry") / "ca.pem"
    authority.cert_pem.write_to_path(certificate)
    with Registry(bridge_address(), authority, certificate) as running:
        yield running


@dataclass(frozen=True)
class OtherOllama:
    """A real Ollama on the host, published on the address at which containers see the host."""

    container: str
    url: str

    def log(self) -> str:
        return run("docker", "logs", self.container)


@pytest.fixture(scope="session")
def other_ollama(new_models: NewModels, model_registry: Registry) -> Iterator[OtherOllama]:
    image = os.environ.get("OLLAMA_IMAGE") or run("docker", "compose", "config", "--images", "ollama").strip()
    port = free_port()
    options = [
        f"--name={new_name('other-ollama')}",
        f"--publish={bridge_address()}:{port}:11434",
        f"--volume={new_models('other')}:/root/.ollama",
        f"--volume={model_registry.certificate}:/ca.pem:ro",
        "--env=SSL_CERT_FILE=/ca.pem",
        f"--add-host={registry.HOST}:{bridge_address()}",
        f"--add-host={registry.BLOB_HOST}:{bridge_address()}",
    ]
    container = run("docker", "run", "--detach", *options, image).strip()
    try:
        until(lambda: "smollm2" in run("docker", "exec", container, "ollama", "list"), "the other Ollama answers")
        yield OtherOllama(container, f"http://host.docker.internal:{port}")
    finally:
        run("docker", "rm", "--force", container)


@pytest.fixture(scope="session")
def stack_before_other_ollama(
    environment: pytest.MonkeyPatch, other_ollama: OtherOllama, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("other")
    with running_stack(folder, environment.setenv, OLLAMA_URL=other_ollama.url) as running:
        yield running


@pytest.fixture
def stack(request: pytest.FixtureRequest) -> Stack:
    """The shared stack, or the one named by the mark `stack`. Its logs are shown on failure."""
    mark = request.node.get_closest_marker("stack")
    chosen: Stack = request.getfixturevalue(mark.args[0] if mark else "shared_stack")
    return chosen


@pytest.fixture(autouse=True)
def _only_tests_of_the_stack_at_stack_url(request: pytest.FixtureRequest) -> None:
    if STACK_URL and not {"stack", "shared_stack"} & set(request.fixturenames):
        pytest.skip("does not use the stack at STACK_URL")


@pytest.fixture
def client(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the gateway, with a token."""
    with stack.client() as client:
        yield client

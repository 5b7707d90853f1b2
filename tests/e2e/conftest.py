"""The stacks that the end-to-end tests share, each from the production compose file and started once."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import trustme

from tests.e2e import registry
from tests.e2e.registry import Registry
from tests.e2e.stack import (
    BASE_IMAGES,
    Stack,
    bridge_address,
    documented_settings,
    free_port,
    run,
    running_stack,
    until,
)
from tests.fake_ollama import FakeOllama

LOG_LINES = "40"
FAKE_TIMEOUT_SECONDS = 2


@pytest.fixture(scope="session")
def environment() -> Iterator[pytest.MonkeyPatch]:
    """The shell's variables win over an env file, so those of another stack are out of the way. Images stay."""
    with pytest.MonkeyPatch.context() as patch:
        # Its image cannot be pulled without a registry; each stack is ended by its project name instead.
        patch.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
        for name in documented_settings() - BASE_IMAGES - {"EXTRA_CA_FILE"}:
            patch.delenv(name, raising=False)
        yield patch


@pytest.fixture(scope="session")
def models() -> Path:
    """Where the test models stay from run to run, outside every project's volumes."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "localchat" / "test-models"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def shared_stack(
    environment: pytest.MonkeyPatch, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The whole of it, with a real Ollama and a real model."""
    with running_stack(tmp_path_factory.mktemp("stack"), models, environment.setenv) as running:
        yield running


@pytest.fixture(scope="session")
def model_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    authority = trustme.CA()
    certificate = tmp_path_factory.mktemp("registry") / "ca.pem"
    authority.cert_pem.write_to_path(certificate)
    with Registry(bridge_address(), authority, certificate) as running:
        yield running


@dataclass(frozen=True)
class OtherOllama:
    """A real Ollama on the host, published where containers see the host."""

    container: str
    url: str

    def log(self) -> str:
        return run("docker", "logs", self.container)


@pytest.fixture(scope="session")
def other_ollama(
    models: Path,
    model_registry: Registry,
    shared_stack: Stack,  # noqa: ARG001  It has made the model.
) -> Iterator[OtherOllama]:
    image = os.environ.get("OLLAMA_IMAGE") or run("docker", "compose", "config", "--images", "ollama").strip()
    port = free_port()
    options = [
        f"--publish={bridge_address()}:{port}:11434",
        f"--volume={models}:/root/.ollama",
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
    environment: pytest.MonkeyPatch, models: Path, other_ollama: OtherOllama, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("other")
    with running_stack(folder, models, environment.setenv, OLLAMA_URL=other_ollama.url) as running:
        yield running


@pytest.fixture(scope="session")
def fake_ollama_on_the_host() -> Iterator[FakeOllama]:
    with FakeOllama(bridge_address()) as ollama:
        yield ollama


StackBeforeFake = Callable[..., AbstractContextManager[Stack]]


@pytest.fixture(scope="session")
def running_before_fake_ollama(
    environment: pytest.MonkeyPatch,
    models: Path,
    fake_ollama_on_the_host: FakeOllama,
    tmp_path_factory: pytest.TempPathFactory,
) -> StackBeforeFake:
    """Runs a stack with the settings it is called with: nginx and API are real, Ollama is scripted."""
    url = f"http://host.docker.internal:{fake_ollama_on_the_host.port}"

    def run_one(**settings: str) -> AbstractContextManager[Stack]:
        return running_stack(tmp_path_factory.mktemp("fake"), models, environment.setenv, OLLAMA_URL=url, **settings)

    return run_one


@pytest.fixture(scope="session")
def stack_before_fake_ollama(running_before_fake_ollama: StackBeforeFake) -> Iterator[Stack]:
    """For faults, and to see what reaches Ollama: a silence of two seconds is too long."""
    limits = {"OLLAMA_TIMEOUT_SECONDS": str(FAKE_TIMEOUT_SECONDS), "MAX_BODY_MB": "1", "MAX_UPLOAD_MB": "1"}
    with running_before_fake_ollama(**limits) as running:
        yield running


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    """The stack of most tests. A module that needs another overrides this, and the logs of a failure are that one's."""
    return shared_stack


@pytest.fixture
def client(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the door, with a token."""
    with stack.client() as client:
        yield client


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and stack is not None:
        logs = run("docker", "compose", "--project-name", stack.project, "logs", "--no-color", "--tail", LOG_LINES)
        report.sections.append(("the stack's logs", logs))
    return report

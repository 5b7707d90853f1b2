"""The stacks that tests share, each started once from the production Compose file. Imported by conftest.py."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.fake_ollama import FakeOllama
from tests.support.models import new_store
from tests.support.runs import IMAGE_TAG, own_folder
from tests.support.stack import (
    BASE_IMAGES,
    Stack,
    StackElsewhere,
    bridge_address,
    documented_settings,
    run,
    running_stack,
)

LOG_LINES = "40"
STACK_URL = os.environ.get("STACK_URL", "")
FAKE_TIMEOUT_SECONDS = 2


@pytest.fixture(scope="session")
def environment() -> Iterator[pytest.MonkeyPatch]:
    """Unsets LocalChat's variables, which would override an env file, except those for images."""
    with pytest.MonkeyPatch.context() as patch:
        # Its image may not be available; each stack is removed by its project name instead.
        patch.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
        for name in documented_settings() - BASE_IMAGES - {"EXTRA_CA_FILE"}:
            patch.delenv(name, raising=False)
        patch.setenv("IMAGE_TAG", IMAGE_TAG)
        yield patch


@pytest.fixture(scope="session")
def run_folder() -> Iterator[Path]:
    """For the files that Ollama's container writes. Removes what killed runs left."""
    if STACK_URL:
        pytest.skip("needs a stack of its own, not the one at STACK_URL")
    with own_folder() as folder:
        yield folder


NewModels = Callable[[str], Path]


@pytest.fixture(scope="session")
def new_models(
    environment: pytest.MonkeyPatch, run_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> NewModels:
    """Makes a model store for one Ollama, with only the test model, so that pulls do not affect other tests."""

    def fill(store: Path) -> None:
        folder = tmp_path_factory.mktemp("first-model")
        with running_stack(folder, environment.setenv, OLLAMA_DATA=str(store)):
            pass

    return lambda name: new_store(run_folder, name, fill)


@pytest.fixture(scope="session")
def own_stack(
    environment: pytest.MonkeyPatch, new_models: NewModels, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with running_stack(folder, environment.setenv, OLLAMA_DATA=str(new_models("shared"))) as running:
        yield running


@pytest.fixture(scope="session")
def shared_stack(request: pytest.FixtureRequest) -> Stack:
    """The stack with a real Ollama and a real model; the one at STACK_URL if set."""
    if STACK_URL:
        email, password = os.environ.get("STACK_EMAIL", "admin@local"), os.environ.get("STACK_PASSWORD", "changeme")
        return StackElsewhere(STACK_URL, email, password)
    own: Stack = request.getfixturevalue("own_stack")
    return own


@pytest.fixture(scope="session")
def fake_ollama_on_the_host() -> Iterator[FakeOllama]:
    with FakeOllama(bridge_address()) as ollama:
        yield ollama


StackBeforeFake = Callable[..., AbstractContextManager[Stack]]


@pytest.fixture(scope="session")
def running_before_fake_ollama(
    environment: pytest.MonkeyPatch,
    run_folder: Path,  # noqa: ARG001  removes what killed runs left
    fake_ollama_on_the_host: FakeOllama,
    tmp_path_factory: pytest.TempPathFactory,
) -> StackBeforeFake:
    """Runs a stack with the given settings: nginx and the API are real, Ollama is scripted."""
    url = f"http://host.docker.internal:{fake_ollama_on_the_host.port}"

    def run_one(*overlays: Path, **settings: str) -> AbstractContextManager[Stack]:
        folder = tmp_path_factory.mktemp("fake")
        return running_stack(folder, environment.setenv, *overlays, OLLAMA_URL=url, **settings)

    return run_one


@pytest.fixture(scope="session")
def stack_before_fake_ollama(running_before_fake_ollama: StackBeforeFake) -> Iterator[Stack]:
    """For faults, and for tests of what reaches Ollama. Two seconds of silence time out."""
    limits = {"OLLAMA_TIMEOUT_SECONDS": str(FAKE_TIMEOUT_SECONDS), "MAX_BODY_MB": "1", "MAX_UPLOAD_MB": "1"}
    with running_before_fake_ollama(**limits) as running:
        yield running


@pytest.fixture
def ollama(fake_ollama_on_the_host: FakeOllama) -> FakeOllama:
    """For tests of a stack in front of it; reset for each test."""
    fake_ollama_on_the_host.forget()
    return fake_ollama_on_the_host


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and stack is not None and stack.project:
        logs = run("docker", "compose", "--project-name", stack.project, "logs", "--no-color", "--tail", LOG_LINES)
        report.sections.append(("the stack's logs", logs))
    return report

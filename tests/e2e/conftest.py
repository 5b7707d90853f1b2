"""The stack that the end-to-end tests share: started once, from the production compose file, with a real model."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.stack import BASE_IMAGES, Stack, documented_settings, run, running_stack

LOG_LINES = "40"


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
def stack(environment: pytest.MonkeyPatch, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack"), models, environment.setenv) as running:
        yield running


@pytest.fixture
def client(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the door, with a token."""
    with stack.client() as client:
        yield client


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and stack is not None:  # type: ignore[attr-defined]
        logs = run("docker", "compose", "--project-name", stack.project, "logs", "--no-color", "--tail", LOG_LINES)
        report.sections.append(("the stack's logs", logs))  # type: ignore[attr-defined]
    return report

"""Three doors to one scripted Ollama: nginx and the API in their containers, the API alone, and a naive gateway.

The first two are LocalChat's two ways of running; the third is the control, which has to fail where they pass.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# Each of them is a fixture here too.
from tests.e2e.conftest import (  # noqa: F401
    FAKE_TIMEOUT_SECONDS,
    environment,
    fake_ollama_on_the_host,
    models,
    pytest_runtest_makereport,
    running_before_fake_ollama,
    stack_before_fake_ollama,
)
from tests.e2e.stack import ROOT, Stack, free_port, until
from tests.fake_ollama import FakeOllama
from tests.faults.door import Door, is_up

PASSWORD = "changeme"


@pytest.fixture
def ollama(fake_ollama_on_the_host: FakeOllama) -> FakeOllama:  # noqa: F811
    """What all three lead to. It remembers nothing of the test before."""
    fake_ollama_on_the_host.forget()
    return fake_ollama_on_the_host


@pytest.fixture
def stack(stack_before_fake_ollama: Stack) -> Stack:  # noqa: F811
    return stack_before_fake_ollama


@contextmanager
def uvicorn(app: str, folder: Path, **settings: str) -> Iterator[Door]:
    """A server of its own for `app`, with its files in `folder`."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--log-level", "warning"]
    variables = {"UPLOAD_DIR": str(folder / "uploads"), "STATE_DIR": str(folder / "state"), **settings}
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | variables)
    try:
        door = Door(f"http://127.0.0.1:{port}", "admin@local", PASSWORD, process.kill)
        until(lambda: is_up(door.url), f"{app} answers at {door.url}")
        yield door
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def alone(fake_ollama_on_the_host: FakeOllama, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:  # noqa: F811
    """LocalChat without nginx."""
    settings = {
        "OLLAMA_URL": fake_ollama_on_the_host.url,
        "OLLAMA_TIMEOUT_SECONDS": str(FAKE_TIMEOUT_SECONDS),
        "MAX_BODY_MB": "1",
    }
    with uvicorn("api.main:app", tmp_path_factory.mktemp("alone"), **settings) as door:
        yield door


@pytest.fixture(scope="session")
def naive(fake_ollama_on_the_host: FakeOllama, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:  # noqa: F811
    """The control."""
    folder = tmp_path_factory.mktemp("naive")
    settings = {"NAIVE_OLLAMA_URL": fake_ollama_on_the_host.url, "NAIVE_UPLOADS": str(folder)}
    with uvicorn("tests.naive_gateway:app", folder, **settings) as door:
        yield door


@pytest.fixture(params=["behind nginx", "alone"])
def door(request: pytest.FixtureRequest, stack: Stack, alone: Door) -> Door:
    """LocalChat, both ways of running."""
    return alone if request.param == "alone" else Door(stack.url, stack.email, stack.password)

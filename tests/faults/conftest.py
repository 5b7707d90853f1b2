"""Three gateways to one scripted Ollama: nginx and the API in their containers, only the API, and a naive gateway.

The first two are LocalChat's modes; the third is the control, which has to fail where they pass.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.gateway import Gateway, is_up

# Fixtures here too.
from tests.faults.people import make_person, person
from tests.support.fake_ollama import FakeOllama

# Each of them is a fixture here too.
from tests.support.fixtures import (
    FAKE_TIMEOUT_SECONDS,
    environment,
    fake_ollama_on_the_host,
    ollama,
    pytest_runtest_makereport,
    run_folder,
    running_before_fake_ollama,
    stack_before_fake_ollama,
)
from tests.support.stack import ROOT, Stack, free_port, until

PASSWORD = "changeme"


@pytest.fixture
def stack(stack_before_fake_ollama: Stack) -> Stack:
    return stack_before_fake_ollama


@contextmanager
def uvicorn(app: str, folder: Path, **settings: str) -> Iterator[Gateway]:
    """A server for `app`, with its files in `folder`."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--log-level", "warning"]
    variables = {"UPLOAD_DIR": str(folder / "uploads"), "STATE_DIR": str(folder / "state"), **settings}
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | variables)
    try:
        gateway = Gateway(f"http://127.0.0.1:{port}", "admin@local", PASSWORD, process.kill)
        until(lambda: is_up(gateway.url), f"{app} answers at {gateway.url}")
        yield gateway
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def alone(fake_ollama_on_the_host: FakeOllama, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """LocalChat without nginx."""
    settings = {
        "OLLAMA_URL": fake_ollama_on_the_host.url,
        "OLLAMA_TIMEOUT_SECONDS": str(FAKE_TIMEOUT_SECONDS),
        "MAX_BODY_MB": "1",
    }
    with uvicorn("api.main:app", tmp_path_factory.mktemp("alone"), **settings) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def naive(fake_ollama_on_the_host: FakeOllama, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The control."""
    folder = tmp_path_factory.mktemp("naive")
    settings = {"NAIVE_OLLAMA_URL": fake_ollama_on_the_host.url, "NAIVE_UPLOADS": str(folder)}
    with uvicorn("tests.support.naive_gateway:app", folder, **settings) as gateway:
        yield gateway


@pytest.fixture(params=["behind nginx", "alone"])
def gateway(request: pytest.FixtureRequest, stack: Stack, alone: Gateway) -> Gateway:
    """LocalChat in both modes."""
    return alone if request.param == "alone" else Gateway(stack.url, stack.email, stack.password)

"""Killed processes: streams that nginx carries continue, and the rest recovers within seconds."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.conftest import uvicorn
from tests.faults.gateway import Gateway
from tests.faults.kill import kill
from tests.faults.load import Load, answer
from tests.support.fake_ollama import FakeOllama
from tests.support.stack import Stack, until

RECOVERY_SECONDS = 10


@pytest.fixture
def load(stack: Stack, ollama: FakeOllama) -> Iterator[Load]:
    """50 streams and 20 requests a second, running."""
    ollama.otherwise = answer
    with Load(Gateway(stack.url, stack.email, stack.password), streams=50, requests_per_second=10) as load:
        load.wait_until_it_runs()
        yield load


def is_healthy(stack: Stack) -> bool:
    try:
        with stack.client() as client:
            return client.get("/models").status_code == 200
    except httpx.TransportError:
        return False


def seconds_to_recover(stack: Stack, do: Callable[[], None]) -> float:
    """From the fault to the first of five consecutive healthy responses."""
    do()
    started = time.monotonic()
    until(lambda: all(is_healthy(stack) for _ in range(5)), "everything has recovered", seconds=RECOVERY_SECONDS)
    return time.monotonic() - started


@pytest.mark.parametrize("which", ["one worker", "workers", "master"])
def test_a_killed_api_cuts_no_stream(stack: Stack, load: Load, which: str) -> None:
    """Streams that nginx carries no longer need the API. Requests fail for seconds at most."""
    killed_at = time.monotonic()
    seconds = seconds_to_recover(stack, lambda: kill(stack, "api", which))
    print(f"recovered after {seconds:.1f} s; failed until then: {len(load.failures)} of {sum(load.done.values())}")
    before = load.done["stream"]
    until(lambda: load.done["stream"] >= before + 60, "all streams that ran have ended", seconds=30)
    cut = [failure for failure in load.of_kind("stream") if "cut" in failure.reason or failure.at < killed_at]
    assert cut == []
    assert not [failure for failure in load.failures if failure.at > killed_at + RECOVERY_SECONDS]


def test_a_killed_worker_of_nginx_cuts_only_its_own_streams(stack: Stack, load: Load) -> None:
    """A new one replaces it at once."""
    seconds = seconds_to_recover(stack, lambda: kill(stack, "nginx", "one worker"))
    print(f"recovered after {seconds:.1f} s; cut: {len(load.of_kind('stream'))} of 50 streams")
    assert seconds < RECOVERY_SECONDS
    assert stack.inspect("nginx")["RestartCount"] == 0


def test_a_killed_nginx_comes_back(stack: Stack, load: Load) -> None:
    """The container restarts, and the same load continues."""
    seconds = seconds_to_recover(stack, lambda: kill(stack, "nginx", "master"))
    print(f"recovered after {seconds:.1f} s; cut: {len(load.of_kind('stream'))} streams")
    before = load.done["stream"]
    until(lambda: load.done["stream"] >= before + 50, "streams run again", seconds=30)


def test_the_naive_gateway_loses_its_streams(ollama: FakeOllama, tmp_path: Path) -> None:
    """The control: streams that Python carries end with it."""
    ollama.otherwise = answer
    settings = {"NAIVE_OLLAMA_URL": ollama.url, "NAIVE_UPLOADS": str(tmp_path)}
    with uvicorn("tests.support.naive_gateway:app", tmp_path, **settings) as gateway, Load(gateway, streams=10) as load:
        load.wait_until_it_runs()
        gateway.kill()
        until(lambda: len(load.failures) >= 8, "its streams are cut")
    assert any("cut" in failure.reason for failure in load.failures)

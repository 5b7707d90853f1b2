"""Processes that are killed: what nginx carries goes on, and the rest is well again within seconds."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.stack import Stack, run, until
from tests.fake_ollama import Answer, FakeOllama, Request
from tests.faults.conftest import uvicorn
from tests.faults.door import Door
from tests.faults.load import Load, paced_stream

WELL_AGAIN_SECONDS = 10
# Processes of a container by their command line, seen from the host: a process numbered 1 cannot be killed from within.
KILL = """
import os, signal, sys
from pathlib import Path
master, which = int(sys.argv[1]), sys.argv[2]
def parent(pid): return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
children = [int(p.name) for p in Path("/proc").glob("[0-9]*") if p.name != "1" and parent(p.name) == master]
for pid in [master] if which == "master" else children[:1] if which == "one worker" else children:
    os.kill(pid, signal.SIGKILL)
    print(pid)
"""


def kill(stack: Stack, service: str, which: str) -> None:
    """SIGKILL to `one worker`, to all `workers` or to the `master` of a service."""
    master = stack.inspect(service)["State"]["Pid"]
    image = stack.inspect("api")["Image"]
    privileges = ["--pid=host", "--privileged", "--user=0", "--network=none"]
    assert run("docker", "run", "--rm", *privileges, image, "python3", "-c", KILL, str(master), which).split()


def answer(request: Request) -> Answer:
    """A list of models, or a stream of five seconds."""
    if request.path == "/api/tags":
        return Answer(200, {"Content-Type": "application/json"}, (b'{"models":[]}',), "complete")
    return Answer(200, {"Content-Type": "application/x-ndjson"}, paced_stream(), "complete")


@pytest.fixture
def load(stack: Stack, ollama: FakeOllama) -> Iterator[Load]:
    """50 streams and 20 requests a second, running."""
    ollama.otherwise = answer
    with Load(Door(stack.url, stack.email, stack.password), streams=50, requests_per_second=10) as load:
        load.wait_until_it_runs()
        yield load


def is_well(stack: Stack) -> bool:
    try:
        with stack.client() as client:
            return client.get("/models").status_code == 200
    except httpx.TransportError:
        return False


def seconds_until_well(stack: Stack, do: Callable[[], None]) -> float:
    """From the fault to the first of five answers in a row that are as they should be."""
    do()
    started = time.monotonic()
    until(lambda: all(is_well(stack) for _ in range(5)), "it is well again", seconds=WELL_AGAIN_SECONDS)
    return time.monotonic() - started


@pytest.mark.parametrize("which", ["one worker", "workers", "master"])
def test_a_killed_api_cuts_no_stream(stack: Stack, load: Load, which: str) -> None:
    """Streams that nginx carries are none of the API's business any more. Requests fail for seconds at most."""
    killed_at = time.monotonic()
    seconds = seconds_until_well(stack, lambda: kill(stack, "api", which))
    print(f"well again after {seconds:.1f} s; failed meanwhile: {len(load.failures)} of {sum(load.done.values())}")
    before = load.done["stream"]
    until(lambda: load.done["stream"] >= before + 60, "all streams that ran have ended", seconds=30)
    cut = [failure for failure in load.of_kind("stream") if "cut" in failure.reason or failure.at < killed_at]
    assert cut == []
    assert not [failure for failure in load.failures if failure.at > killed_at + WELL_AGAIN_SECONDS]


def test_a_killed_worker_of_nginx_cuts_its_streams_alone(stack: Stack, load: Load) -> None:
    """Another takes its place at once."""
    seconds = seconds_until_well(stack, lambda: kill(stack, "nginx", "one worker"))
    print(f"well again after {seconds:.1f} s; cut: {len(load.of_kind('stream'))} of 50 streams")
    assert seconds < WELL_AGAIN_SECONDS
    assert stack.inspect("nginx")["RestartCount"] == 0


def test_a_killed_nginx_comes_back(stack: Stack, load: Load) -> None:
    """The container is started again, and the same load runs on it."""
    seconds = seconds_until_well(stack, lambda: kill(stack, "nginx", "master"))
    print(f"well again after {seconds:.1f} s; cut: {len(load.of_kind('stream'))} streams")
    before = load.done["stream"]
    until(lambda: load.done["stream"] >= before + 50, "streams run again", seconds=30)


def test_the_naive_gateway_loses_its_streams(ollama: FakeOllama, tmp_path: Path) -> None:
    """The control: where Python carries the bytes, they end with it."""
    ollama.otherwise = answer
    settings = {"NAIVE_OLLAMA_URL": ollama.url, "NAIVE_UPLOADS": str(tmp_path)}
    with uvicorn("tests.naive_gateway:app", tmp_path, **settings) as door, Load(door, streams=10) as load:
        load.wait_until_it_runs()
        door.kill()
        until(lambda: len(load.failures) >= 8, "its streams are cut")
    assert any("cut" in failure.reason for failure in load.failures)

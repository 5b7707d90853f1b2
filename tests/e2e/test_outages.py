"""What fails, fails truthfully; what comes back, works again without anybody's help."""

import json
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.e2e.stack import EMAIL, FREED_WITHIN_SECONDS, MODEL, Stack, chat, inspect, run, tell_a_story, until

KILL_THE_WORKERS = """
import os, signal
from pathlib import Path
for stat in Path("/proc").glob("[0-9]*/stat"):
    pid, parent = stat.parent.name, stat.read_text().rpartition(")")[2].split()[1]
    if parent == "1" and b"gunicorn" in Path(f"/proc/{pid}/cmdline").read_bytes():
        os.kill(int(pid), signal.SIGKILL)
        print(pid)
"""


@pytest.fixture
def ollama_stopped(stack: Stack) -> Iterator[None]:
    stack.run("stop", "--timeout", "2", "ollama")
    yield
    stack.run("start", "ollama")
    until(lambda: httpx.get(f"{stack.url}/health").status_code == 200, "Ollama is back")


def test_killed_workers_cut_no_stream(stack: Stack, client: httpx.Client) -> None:
    """nginx carries the stream, so the API's death is none of its business; new workers take over."""
    with client.stream("POST", "/chat", json=tell_a_story(num_predict=300)) as response:
        lines = response.iter_lines()
        next(lines)
        assert len(stack.python("api", KILL_THE_WORKERS).split()) == 2
        last = json.loads(list(lines)[-1])
    assert last["done"] is True
    until(lambda: client.get("/models").status_code == 200, "the API answers again", seconds=10)


def test_a_client_that_leaves_mid_stream_frees_ollama(stack: Stack, client: httpx.Client) -> None:
    """nginx closes the upstream; Ollama stops decoding."""
    before = len(stack.answer_seconds())
    asked = time.monotonic()
    with client.stream("POST", "/chat", json=tell_a_story(num_predict=2000)) as response:
        next(response.iter_lines())
    left_after = time.monotonic() - asked
    until(lambda: len(stack.answer_seconds()) == before + 1, "Ollama ends the chat", seconds=5)
    assert stack.answer_seconds()[-1] < left_after + FREED_WITHIN_SECONDS


def test_a_client_that_leaves_before_the_first_token_frees_ollama(stack: Stack, client: httpx.Client) -> None:
    """There is nothing to send yet that could fail; nginx notices all the same."""
    before = len(stack.answer_seconds())
    long_question = chat("word " * 3000, num_predict=1)
    asked = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        client.post("/chat", json=long_question, timeout=0.3)
    left_after = time.monotonic() - asked
    until(lambda: len(stack.answer_seconds()) == before + 1, "Ollama ends the chat", seconds=5)
    assert stack.answer_seconds()[-1] < left_after + FREED_WITHIN_SECONDS


@pytest.mark.usefixtures("ollama_stopped")
def test_without_ollama_it_says_so(stack: Stack, client: httpx.Client) -> None:
    """502 on chat and models, 503 on health, in JSON; the API itself stays healthy."""
    answer = client.post("/chat", json=chat())
    health = httpx.get(f"{stack.url}/health")
    assert (answer.status_code, client.get("/models").status_code) == (502, 502)
    assert answer.json()["detail"].startswith("Ollama cannot be reached")
    assert health.status_code == 503
    assert health.json()["status"] == "unavailable"
    assert "Ollama" in health.json()["detail"]
    assert stack.inspect("api")["State"]["Health"]["Status"] == "healthy"
    entry = stack.access_log(answer)
    assert (entry["caller"], entry["model"], entry["method"], entry["path"]) == (EMAIL, MODEL, "POST", "/chat")


def test_with_ollama_back_it_works_again(stack: Stack, client: httpx.Client) -> None:
    """Nothing else is touched."""
    started = stack.inspect("nginx")["State"]["StartedAt"], stack.inspect("api")["State"]["StartedAt"]
    stack.run("stop", "--timeout", "2", "ollama")
    stack.run("start", "ollama")
    until(lambda: client.post("/chat", json=chat(num_predict=1)).status_code == 200, "chat works again")
    assert started == (stack.inspect("nginx")["State"]["StartedAt"], stack.inspect("api")["State"]["StartedAt"])


@pytest.mark.parametrize("service", ["api", "ollama"])
def test_a_recreated_container_is_found_at_its_new_address(stack: Stack, client: httpx.Client, service: str) -> None:
    """nginx asks for the name again."""
    old_address = address_of(stack, service)
    stack.run("rm", "--stop", "--force", service)
    squatters: list[str] = []
    try:
        # Others take the free addresses up to the old one, so that the new container gets another.
        while old_address not in map(address_in(stack.network("inside")), squatters):
            assert len(squatters) < 8, f"{old_address} is not given out again"
            squatters.append(
                run("docker", "run", "--detach", "--rm", "--network", stack.network("inside"), *sleeper(stack)).strip()
            )
        stack.run("up", "--detach", "--wait", "--no-deps", service)
        assert address_of(stack, service) != old_address
        until(lambda: client.get("/models").status_code == 200, f"nginx finds the new {service}", seconds=10)
    finally:
        run("docker", "rm", "--force", *squatters)


def test_a_recreated_stack_keeps_tokens_and_uploads(stack: Stack, client: httpx.Client) -> None:
    """The signing key is made once, for all workers and for all containers to come."""
    upload = client.post("/upload", files={"file": ("kept.txt", b"kept too")}).json()
    stack.run("up", "--detach", "--wait", "--force-recreate")
    assert client.get("/models").status_code == 200
    assert client.get(upload["download_path"]).content == b"kept too"


def test_a_worker_killed_while_uploading_leaves_nothing(stack: Stack) -> None:
    """The next worker sweeps up."""

    def endless() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n' + b"a" * 100_000
        until(lambda: ".partial" in listing(stack), "the upload is on disk")
        stack.python("api", KILL_THE_WORKERS)
        yield b"a"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    with stack.client() as client:
        answer = client.post("/upload", content=endless(), headers=headers)
    assert answer.status_code == 502
    assert answer.json()["detail"].startswith("LocalChat's API cannot be reached")
    until(lambda: ".partial" not in listing(stack), "the partial upload is gone")


def listing(stack: Stack) -> str:
    return stack.python("api", "import os; print(os.listdir('/data/uploads'))")


def address_of(stack: Stack, service: str) -> str:
    return address_in(stack.network("inside"))(stack.inspect(service)["Id"])


def address_in(network: str) -> Callable[[str], str]:
    """Gives a container's address there."""

    def address(container: str) -> str:
        found: str = inspect(container)["NetworkSettings"]["Networks"][network]["IPAddress"]
        return found

    return address


def sleeper(stack: Stack) -> list[str]:
    return ["--entrypoint", "sleep", stack.inspect("nginx")["Config"]["Image"], "60"]

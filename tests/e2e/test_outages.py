"""Failures are reported as they are, and everything recovers on its own."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.e2e.servers import Names
from tests.support.models import MODEL
from tests.support.stack import (
    EMAIL,
    FREED_WITHIN_SECONDS,
    Stack,
    bridge_address,
    chat,
    inspect,
    run,
    tell_a_story,
    until,
)

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
    """nginx carries the stream, so it does not need the API; new workers take over."""
    with client.stream("POST", "/chat", json=tell_a_story(num_predict=300)) as response:
        lines = response.iter_lines()
        next(lines)
        assert len(stack.python("api", KILL_THE_WORKERS).split()) == 2
        last = json.loads(list(lines)[-1])
    assert last["done"] is True
    until(lambda: client.get("/models").status_code == 200, "the API is back", seconds=10)


def test_a_client_that_leaves_mid_stream_frees_ollama(stack: Stack, client: httpx.Client) -> None:
    """nginx closes the upstream; Ollama stops decoding."""
    before = len(stack.answer_seconds())
    asked = time.monotonic()
    with client.stream("POST", "/chat", json=tell_a_story(num_predict=2000)) as response:
        next(response.iter_lines())
    left_after = time.monotonic() - asked
    until(lambda: len(stack.answer_seconds()) == before + 1, "Ollama stops the chat", seconds=5)
    assert stack.answer_seconds()[-1] < left_after + FREED_WITHIN_SECONDS


def test_a_client_that_leaves_before_the_first_token_frees_ollama(stack: Stack, client: httpx.Client) -> None:
    """There is nothing to send yet that could fail; nginx notices all the same."""
    before = len(stack.answer_seconds())
    long_question = chat("word " * 3000, num_predict=1)
    asked = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        client.post("/chat", json=long_question, timeout=0.3)
    left_after = time.monotonic() - asked
    until(lambda: len(stack.answer_seconds()) == before + 1, "Ollama stops the chat", seconds=5)
    assert stack.answer_seconds()[-1] < left_after + FREED_WITHIN_SECONDS


@pytest.mark.usefixtures("ollama_stopped")
def test_without_ollama_it_says_so(stack: Stack, client: httpx.Client) -> None:
    """502 on chat and models, 503 on health, in JSON; the API itself stays healthy."""
    answer = client.post("/chat", json=chat())
    health = httpx.get(f"{stack.url}/health")
    assert (answer.status_code, client.get("/models").status_code) == (502, 502)
    assert answer.json()["detail"].startswith("Ollama is unreachable")
    assert health.status_code == 503
    assert health.json()["status"] == "unavailable"
    assert "Ollama" in health.json()["detail"]
    assert stack.inspect("api")["State"]["Health"]["Status"] == "healthy"
    entry = stack.access_log(answer)
    assert (entry["caller"], entry["model"], entry["method"], entry["path"]) == (EMAIL, MODEL, "POST", "/chat")


def test_with_ollama_back_it_works_again(stack: Stack, client: httpx.Client) -> None:
    """Without any other action."""
    started = stack.inspect("nginx")["State"]["StartedAt"], stack.inspect("api")["State"]["StartedAt"]
    stack.run("stop", "--timeout", "2", "ollama")
    stack.run("start", "ollama")
    until(lambda: client.post("/chat", json=chat(num_predict=1)).status_code == 200, "chat works again")
    assert started == (stack.inspect("nginx")["State"]["StartedAt"], stack.inspect("api")["State"]["StartedAt"])


@pytest.mark.parametrize("service", ["api", "ollama"])
def test_a_recreated_container_is_found_at_its_new_address(stack: Stack, client: httpx.Client, service: str) -> None:
    """nginx resolves the name again."""
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


NGINX_CONF = "/tmp/nginx/nginx.conf"


def reload_nginx(stack: Stack, change: str) -> None:
    """Changes its configuration with a sed script and reloads it."""
    stack.run(
        "exec",
        "--no-TTY",
        "nginx",
        "sh",
        "-c",
        f"sed -i '{change}' {NGINX_CONF}; kill -HUP $(cat /tmp/nginx/nginx.pid)",
    )


def last_known(stack: Stack) -> str:
    return stack.run("exec", "--no-TTY", "nginx", "cat", "/tmp/nginx/ollama-last-known.conf")


@pytest.fixture
def names(stack: Stack) -> Iterator[Names]:
    """A DNS server for nginx instead of Docker's: it knows the stack's Ollama."""
    until(lambda: f"server {address_of(stack, 'ollama')}:" in last_known(stack), "nginx knows where Ollama is")
    with Names(bridge_address(), address_of(stack, "ollama")) as names:
        reload_nginx(stack, f"s/resolver 127.0.0.11 /resolver {names.address} /")
        until(lambda: names.asked >= 2, "nginx asks for Ollama's address")
        yield names
        reload_nginx(stack, f"s/resolver {names.address} /resolver 127.0.0.11 /")


def test_a_lost_name_stops_no_chat(client: httpx.Client, names: Names) -> None:
    """nginx uses the last known address until the name resolves again."""
    for known in [None, names.known]:
        names.known, asked = known, names.asked
        until(lambda seen=asked: names.asked >= seen + 4, "nginx asks again")  # type: ignore[misc]
        assert {client.post("/chat", json=chat(num_predict=1)).status_code for _ in range(5)} == {200}


def health_check(stack: Stack) -> int:
    """The exit status of nginx's own health check, run now."""
    command = stack.inspect("nginx")["Config"]["Healthcheck"]["Test"][1:]
    return subprocess.run(["docker", "exec", stack.inspect("nginx")["Id"], *command], check=False).returncode


def test_the_health_of_nginx_is_what_clients_get(stack: Stack, client: httpx.Client) -> None:
    """Without an API behind it nginx is unhealthy, although it runs."""
    assert health_check(stack) == 0
    stack.run("stop", "--timeout", "2", "api")
    assert (client.get("/models").status_code, health_check(stack)) == (502, 1)
    stack.run("start", "api")
    until(lambda: client.get("/models").status_code == 200, "the API is back")
    assert health_check(stack) == 0
    assert '"path":"/live"' not in stack.logs("nginx")


@pytest.mark.usefixtures("ollama_stopped")
def test_an_outage_of_ollama_is_no_illness_of_nginx(stack: Stack) -> None:
    """It is no reason to restart nginx."""
    assert health_check(stack) == 0


def test_a_recreated_stack_keeps_tokens_and_uploads(stack: Stack, client: httpx.Client) -> None:
    """The signing key is generated once, for all workers and all later containers."""
    upload = client.post("/upload", files={"file": ("kept.txt", b"kept too")}).json()
    stack.run("up", "--detach", "--wait", "--force-recreate")
    assert client.get("/models").status_code == 200
    assert client.get(upload["download_path"]).content == b"kept too"


def test_a_worker_killed_while_uploading_leaves_nothing(stack: Stack) -> None:
    """The next worker removes the partial file."""

    def endless() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n' + b"a" * 100_000
        until(lambda: ".partial" in listing(stack), "the upload is on disk")
        stack.python("api", KILL_THE_WORKERS)
        yield b"a"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    with stack.client() as client:
        answer = client.post("/upload", content=endless(), headers=headers)
    assert answer.status_code == 502
    assert answer.json()["detail"].startswith("LocalChat's API is unreachable")
    until(lambda: ".partial" not in listing(stack), "the partial upload is deleted")


def listing(stack: Stack) -> str:
    return stack.python("api", "import os; print(*os.walk('/data/uploads'))")


def address_of(stack: Stack, service: str) -> str:
    return address_in(stack.network("inside"))(stack.inspect(service)["Id"])


def address_in(network: str) -> Callable[[str], str]:
    """Returns a function from a container to its address in the network."""

    def address(container: str) -> str:
        found: str = inspect(container)["NetworkSettings"]["Networks"][network]["IPAddress"]
        return found

    return address


def sleeper(stack: Stack) -> list[str]:
    return ["--entrypoint", "sleep", stack.inspect("nginx")["Config"]["Image"], "60"]

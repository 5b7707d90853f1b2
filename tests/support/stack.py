"""A running LocalChat: the production Compose file under its own project name and port."""

import json
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest
from testcontainers.compose import DockerCompose

from tests.support.models import MODEL
from tests.support.runs import new_name

ROOT = Path(__file__).parents[2]
EMAIL = "admin@example.org"
PASSWORD = "correct horse battery staple"
BASE_IMAGES = {"PYTHON_IMAGE", "NGINX_IMAGE", "NODE_IMAGE", "OLLAMA_IMAGE"}
FREED_WITHIN_SECONDS = 0.25
# At temperature 0 and seed 1 the starter model always answers this with the same 31 tokens.
PLANETS = "List the planets of the solar system."


class Stack:
    """A running stack, seen from outside and from inside."""

    def __init__(self, compose: DockerCompose, project: str, url: str, env_file: Path) -> None:
        self._compose = compose
        self.env_file = str(env_file)
        self.project = project
        self.url = url
        self.email, self.password = EMAIL, PASSWORD

    @cached_property
    def token(self) -> str:
        response = httpx.post(f"{self.url}/login", json={"email": self.email, "password": self.password})
        response.raise_for_status()
        token: str = response.json()["access_token"]
        return token

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)

    def run(self, *arguments: str) -> str:
        """Standard output of `docker compose …` in this project. Raises with its standard error."""
        return run(*self._compose.compose_command_property, *arguments)

    def python(self, service: str, code: str) -> str:
        """The output of Python code run in a service's container."""
        return self.run("exec", "--no-TTY", service, "python3", "-c", code)

    def inspect(self, service: str) -> dict[str, Any]:
        """`docker inspect` of a service's container."""
        return inspect(self.run("ps", "--all", "--quiet", service).strip())

    def logs(self, service: str) -> str:
        return self.run("logs", "--no-log-prefix", "--no-color", service)

    def access_log(self, response: httpx.Response) -> dict[str, Any]:
        """nginx's log line for the response."""
        (line,) = [line for line in self.logs("nginx").splitlines() if response.headers["X-Request-ID"] in line]
        entry: dict[str, Any] = json.loads(line)
        return entry

    def answer_seconds(self) -> list[float]:
        """How long Ollama worked on each answer so far, aborted ones included, according to its log."""
        found = re.findall(r"\| +([\d.]+)(m?s) \|[^|]*\| POST +\"/(?:api/chat|v1/)", self.logs("ollama"))
        return [float(number) / (1000 if unit == "ms" else 1) for number, unit in found]

    def network(self, name: str) -> str:
        return f"{self.project}_{name}"


class StackElsewhere(Stack):
    """A stack that is already running. Tests can call it, but are skipped when they need access to its containers."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self.url = url.rstrip("/")
        self.project = ""
        self.email, self.password = email, password

    def run(self, *arguments: str) -> str:  # noqa: ARG002
        pytest.skip("needs the containers, not only STACK_URL")

    def network(self, name: str) -> str:  # noqa: ARG002
        pytest.skip("needs the networks, not only STACK_URL")


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def inspect(container: str) -> dict[str, Any]:
    (facts,) = json.loads(run("docker", "inspect", container))
    assert isinstance(facts, dict)
    return facts


def documented_settings() -> set[str]:
    """The names in .env.example."""
    return set(re.findall(r"^# ([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def bridge_address() -> str:
    """The host's address as containers see it: a test server listening there is `host.docker.internal` to them."""
    gateway = "{{range .IPAM.Config}}{{.Gateway}}{{end}}"
    return run("docker", "network", "inspect", "bridge", "--format", gateway).strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(is_so: Callable[[], object], what: str, seconds: float = 20) -> None:
    """Polls until `is_so()`; fails after `seconds`, naming `what` did not happen."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"within {seconds} s this did not happen: {what}"
        time.sleep(0.05)


def leaked(stack: Stack) -> list[str]:
    """The secrets in the stack's logs: tokens, the password, the signing key."""
    logs = stack.run("logs", "--no-color")
    where = "os.environ['SECRET_KEY'] or open('/data/state/secret_key').read()"
    key = stack.python("api", f"import os; print({where})").strip()
    secrets = {"a token": r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}", "the password": PASSWORD, "the signing key": key}
    return [name for name, pattern in secrets.items() if re.search(pattern, logs)]


@contextmanager
def running_stack(
    folder: Path, monkeypatch_env: Callable[[str, str], None], *overlays: Path, **settings: str
) -> Iterator[Stack]:
    """A stack with these settings, removed with its volumes at the end."""
    project = new_name()
    address = f"127.0.0.1:{free_port()}"
    defaults = {"BIND": address, "ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD}
    env_file = folder / "env"
    env_file.write_text("".join(f"{name}='{value}'\n" for name, value in {**defaults, **settings}.items()))
    # The only way to set the project's name with DockerCompose.
    monkeypatch_env("COMPOSE_PROJECT_NAME", project)
    compose = DockerCompose(
        ROOT,
        compose_file_name=["docker-compose.yml", *map(str, overlays)],
        env_file=str(env_file),
        build=True,
        quiet_build=True,
    )
    # By name in each command, because a second stack changes the variable.
    compose.compose_command_property += ["--project-name", project]
    stack = Stack(compose, project, f"http://{address}", env_file)
    try:
        # Not `with compose`: it removes the containers before the reason for a failed start can be read.
        try:
            compose.start()
        except subprocess.CalledProcessError:
            print(stack.run("ps", "--all"), stack.run("logs", "--no-color", "--tail", "20"))
            raise
        yield stack
        # Checked last, after everything the tests did.
        assert leaked(stack) == []
    finally:
        compose.stop()


def chat(prompt: str = PLANETS, *, stream: bool = True, num_predict: int = 32, model: str = MODEL) -> dict[str, Any]:
    """A chat request with a bounded, reproducible answer."""
    return {
        "model": model,
        "messages": [{"role": "user", "content": prompt}],
        "stream": stream,
        "options": {"temperature": 0, "seed": 1, "num_predict": num_predict},
    }


def tell_a_story(num_predict: int = 600) -> dict[str, Any]:
    """A chat that runs for seconds, so that something can happen during it."""
    return chat("Write a long story about the sea.", num_predict=num_predict)

"""A running LocalChat: the production compose file under a project name and a port of its own."""

import json
import re
import secrets
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from testcontainers.compose import DockerCompose

ROOT = Path(__file__).parents[2]
EMAIL = "admin@example.org"
PASSWORD = "correct horse battery staple"
MODEL = "smollm2:135m"
BASE_IMAGES = {"PYTHON_IMAGE", "NGINX_IMAGE", "NODE_IMAGE", "OLLAMA_IMAGE"}
FREED_WITHIN_SECONDS = 0.25
# At temperature 0 and seed 1 the starter model answers this with the same 31 tokens each time.
PLANETS = "List the planets of the solar system."


class Stack:
    """What a test does with a running stack: talk to its door, and reach behind it."""

    def __init__(self, compose: DockerCompose, project: str, url: str, env_file: Path) -> None:
        self._compose = compose
        self.env_file = str(env_file)
        self.project = project
        self.url = url
        self.email, self.password = EMAIL, PASSWORD

    @cached_property
    def token(self) -> str:
        response = httpx.post(f"{self.url}/login", json={"email": EMAIL, "password": PASSWORD})
        response.raise_for_status()
        token: str = response.json()["access_token"]
        return token

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)

    def run(self, *arguments: str) -> str:
        """`docker compose …` in this project; its standard output. Raises with its standard error."""
        return run(*self._compose.compose_command_property, *arguments)

    def python(self, service: str, code: str) -> str:
        """What Python prints inside a service's container."""
        return self.run("exec", "--no-TTY", service, "python3", "-c", code)

    def inspect(self, service: str) -> dict[str, Any]:
        """`docker inspect` of a service's container."""
        return inspect(self.run("ps", "--all", "--quiet", service).strip())

    def logs(self, service: str) -> str:
        return self.run("logs", "--no-log-prefix", "--no-color", service)

    def access_log(self, response: httpx.Response) -> dict[str, Any]:
        """nginx's line about it."""
        (line,) = [line for line in self.logs("nginx").splitlines() if response.headers["X-Request-ID"] in line]
        entry: dict[str, Any] = json.loads(line)
        return entry

    def answer_seconds(self) -> list[float]:
        """How long Ollama worked on each answer so far, as its own log says; one that was broken off included."""
        found = re.findall(r"\| +([\d.]+)(m?s) \|[^|]*\| POST +\"/(?:api/chat|v1/)", self.logs("ollama"))
        return [float(number) / (1000 if unit == "ms" else 1) for number, unit in found]

    def network(self, name: str) -> str:
        return f"{self.project}_{name}"


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
    """Where containers see this host: a server of the tests that listens there is `host.docker.internal` to them."""
    gateway = "{{range .IPAM.Config}}{{.Gateway}}{{end}}"
    return run("docker", "network", "inspect", "bridge", "--format", gateway).strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(is_so: Callable[[], object], what: str, seconds: float = 20) -> None:
    """Polls until `is_so`; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def leaked(stack: Stack) -> list[str]:
    """The secrets that stand in a log of the stack: what a token looks like, the password, the signing key."""
    logs = stack.run("logs", "--no-color")
    where = "os.environ['SECRET_KEY'] or open('/data/state/secret_key').read()"
    key = stack.python("api", f"import os; print({where})").strip()
    secrets = {"a token": r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}", "the password": PASSWORD, "the signing key": key}
    return [name for name, pattern in secrets.items() if re.search(pattern, logs)]


@contextmanager
def running_stack(
    folder: Path, models: Path, monkeypatch_env: Callable[[str, str], None], **settings: str
) -> Iterator[Stack]:
    """A stack with these settings, ended with its volumes. Its models stay, in `models`."""
    project = f"localchat-test-{secrets.token_hex(3)}"
    address = f"127.0.0.1:{free_port()}"
    defaults = {"BIND": address, "ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD, "OLLAMA_DATA": str(models)}
    env_file = folder / "env"
    env_file.write_text("".join(f"{name}='{value}'\n" for name, value in {**defaults, **settings}.items()))
    # The one way to name a project that DockerCompose leaves.
    monkeypatch_env("COMPOSE_PROJECT_NAME", project)
    compose = DockerCompose(
        ROOT, compose_file_name="docker-compose.yml", env_file=str(env_file), build=True, quiet_build=True
    )
    # Each command gets the project by name, because a second stack sets the variable anew.
    compose.compose_command_property += ["--project-name", project]
    stack = Stack(compose, project, f"http://{address}", env_file)
    try:
        # Not `with compose`: it throws the containers away before anybody has read why they did not start.
        try:
            compose.start()
        except subprocess.CalledProcessError:
            print(stack.run("ps", "--all"), stack.run("logs", "--no-color", "--tail", "20"))
            raise
        yield stack
        # After all that the tests did to it.
        assert leaked(stack) == []
    finally:
        compose.stop()


def chat(prompt: str = PLANETS, *, stream: bool = True, num_predict: int = 32, model: str = MODEL) -> dict[str, Any]:
    """A chat request whose answer is the same each time, and bounded."""
    return {
        "model": model,
        "messages": [{"role": "user", "content": prompt}],
        "stream": stream,
        "options": {"temperature": 0, "seed": 1, "num_predict": num_predict},
    }


def tell_a_story(num_predict: int = 600) -> dict[str, Any]:
    """A chat that goes on for seconds: long enough for something to happen meanwhile."""
    return chat("Write a long story about the sea.", num_predict=num_predict)

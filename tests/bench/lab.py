"""Starts and stops what is measured: the production stack, and the peers next to it."""

import json
import os
import secrets
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.gateways import DIRECT, LOCALCHAT, NGINX_ALONE, Gateway
from tests.bench.resources import Cgroup
from tests.support.runs import IMAGE_TAG
from tests.support.stack import BASE_IMAGES, documented_settings, free_port, inspect, run

HERE = Path(__file__).parent
LOAD_IMAGE = f"localchat/bench-load:{IMAGE_TAG}"
EMAIL = "bench@example.org"
PASSWORD = "only measured with"
UPLOADS = "/uploads"
HARDENING = ["--cap-drop=ALL", "--security-opt=no-new-privileges:true"]
# The API's user, which owns the uploads.
UPLOADER = "--user=10001:10001"


CATCH_UP_SECONDS = 60
IDLE_CORES = 0.1


class Project:
    """A stack from the production Compose file, under its own name and port."""

    def __init__(self, name: str, folder: Path, **settings: str) -> None:
        self.name = name
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        address = self.url.removeprefix("http://")
        defaults = {"BIND": address, "ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD}
        self._env_file = folder / f"{name}.env"
        self._env_file.write_text("".join(f"{key}='{value}'\n" for key, value in {**defaults, **settings}.items()))

    def compose(self, *arguments: str) -> str:
        env_file = f"--env-file={self._env_file}"
        return run("docker", "compose", f"--project-name={self.name}", env_file, "--progress=quiet", *arguments)

    def container(self, service: str) -> str:
        return self.compose("ps", "--quiet", service).strip()

    def end(self) -> None:
        self.compose("down", "--volumes", "--timeout=1")

    def token(self) -> str:
        answer = self.ask("/login", {"email": EMAIL, "password": PASSWORD})
        token: str = json.loads(answer)["access_token"]
        return token

    def ask(self, path: str, body: dict[str, Any], token: str = "") -> bytes:
        """The first line of the answer."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as response:
            line: bytes = response.readline()
            return line


class Lab:
    """The stack under load, with its peers. Containers are known by id."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.fake = self._run("fake", "--network-alias=fake-ollama", LOAD_IMAGE)
        # Under another name: the stack's own nginx is on this network too, and must reach it by one path only.
        self._join_edge(self.fake, "fake-direct")
        uploads = f"--volume={project.name}_uploads:{UPLOADS}"
        self.generator = self._run("load", uploads, "--entrypoint=sleep", LOAD_IMAGE, "infinity", network="edge")
        self.gateways = [self._direct(), self._nginx_alone(), self._localchat()]

    def load(self, scenario: str, *flags: str) -> dict[str, Any]:
        """The load generator's measurements."""
        result: dict[str, Any] = json.loads(run("docker", "exec", self.generator, "load", scenario, *flags))
        return result

    @contextmanager
    def loading(self, scenario: str, *flags: str) -> Iterator[None]:
        """Load in the background, unmeasured; it has ended when the block ends."""
        command = ["docker", "exec", self.generator, "load", scenario, *flags]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as load:
            yield
            load.wait(timeout=120)

    @contextmanager
    def awake(self, gateway: Gateway) -> Iterator[None]:
        """Lets a gateway run. Peers are paused otherwise, so as not to disturb others' measurements."""
        if not gateway.is_peer:
            yield
            return
        self.wake(gateway)
        try:
            yield
        finally:
            self.put_to_sleep(gateway)

    def wake(self, gateway: Gateway) -> None:
        run("docker", "unpause", *gateway.containers.values())

    def put_to_sleep(self, gateway: Gateway) -> None:
        """Once it has finished its work: a peer may lag far behind its clients."""
        groups = [Cgroup(container) for container in gateway.containers.values()]
        for _ in range(CATCH_UP_SECONDS):
            before = sum(group.cpu_seconds() for group in groups)
            time.sleep(1)
            if sum(group.cpu_seconds() for group in groups) - before < IDLE_CORES:
                break
        run("docker", "pause", *gateway.containers.values())

    def image_mb(self, gateway: Gateway) -> dict[str, float]:
        images = {name: inspect(container)["Image"] for name, container in gateway.containers.items()}
        return {name: inspect(image)["Size"] / 1e6 for name, image in images.items()}

    def in_uploads(self, script: str) -> str:
        """The output of a shell in the uploads folder, errors included."""
        return run("docker", "exec", f"--workdir={UPLOADS}", self.generator, "sh", "-c", f"({script}) 2>&1")

    def add(self, gateway: Gateway) -> None:
        self.gateways.append(gateway)

    def run_beside(self, name: str, *arguments: str) -> str:
        """Runs a container on both of nginx's networks, called `name` on the edge."""
        container = self._run(name, *HARDENING, *arguments)
        self._join_edge(container, name)
        return container

    def await_answer(self, gateway: Gateway, within_seconds: float = 90) -> None:
        deadline = time.monotonic() + within_seconds
        while True:
            try:
                answered = self.load("sequential", "--count=1", *gateway.chat_request(1, 0))
                if answered["failed"] == 0:
                    return
            except AssertionError:
                pass
            assert time.monotonic() < deadline, f"{gateway.name} is not responding: {self._logs(gateway)}"
            time.sleep(0.5)

    def _logs(self, gateway: Gateway) -> str:
        return "\n".join(
            subprocess.run(
                ["docker", "logs", "--tail=20", container], capture_output=True, text=True, check=False
            ).stderr
            for container in gateway.containers.values()
        )

    def _run(self, name: str, *arguments: str, network: str = "inside") -> str:
        label = f"--label=localchat.bench={self.project.name}"
        container = f"--name={self.project.name}-{name}"
        to = f"--network={self.project.name}_{network}"
        return run("docker", "run", "--detach", "--log-opt=max-size=10m", label, container, to, *arguments).strip()

    def _join_edge(self, container: str, name: str) -> None:
        run("docker", "network", "connect", f"--alias={name}", f"{self.project.name}_edge", container)

    def _direct(self) -> Gateway:
        return Gateway(DIRECT, "http://fake-direct:11434", {}, put_upload="/sink", files="/blob/")

    def _nginx_alone(self) -> Gateway:
        container = self.run_beside(
            "nginx-alone",
            UPLOADER,
            "--read-only",
            "--tmpfs=/tmp:mode=1777",
            f"--volume={self.project.name}_uploads:/data/uploads",
            f"--volume={HERE / 'nginx-alone.conf'}:/nginx-alone.conf:ro",
            "--entrypoint=nginx",
            os.environ["NGINX_IMAGE"],
            "-c/nginx-alone.conf",
            "-e/dev/stderr",
            "-gdaemon off;",
        )
        return Gateway(
            NGINX_ALONE, "http://nginx-alone:8080", {"nginx": container}, put_upload="/files/", files="/files/"
        )

    def _localchat(self) -> Gateway:
        return Gateway(
            LOCALCHAT,
            "http://nginx:8080",
            {service: self.project.container(service) for service in ("nginx", "api")},
            authorization=f"Bearer {self.project.token()}",
            chat="/chat",
            models="/models",
            login="/login",
            form_upload="/upload",
            files="/files/",
        )


def forget_settings() -> None:
    """Unsets LocalChat's variables, which would override an env file, except those for images."""
    for name in documented_settings() - BASE_IMAGES - {"EXTRA_CA_FILE"}:
        os.environ.pop(name, None)
    os.environ["IMAGE_TAG"] = IMAGE_TAG


def build_load() -> None:
    go = [f"--build-arg=GO_IMAGE={os.environ['GO_IMAGE']}"] if "GO_IMAGE" in os.environ else []
    nginx = f"--build-arg=NGINX_IMAGE={os.environ['NGINX_IMAGE']}"
    run("docker", "buildx", "build", "--quiet", *go, nginx, f"--tag={LOAD_IMAGE}", str(HERE))


@contextmanager
def running_lab() -> Iterator[Lab]:
    """Starts everything, and stops everything however the run ends."""
    with tempfile.TemporaryDirectory() as folder:
        name = f"localchat-bench-{secrets.token_hex(3)}"
        project = Project(name, Path(folder), OLLAMA_URL="http://fake-ollama:11434", MAX_UPLOAD_MB="300")
        try:
            project.compose("up", "--build", "--wait")
            yield Lab(project)
        finally:
            _remove_what_ran_beside(project)
            project.end()


def _remove_what_ran_beside(project: Project) -> None:
    found = run("docker", "ps", "--all", "--quiet", f"--filter=label=localchat.bench={project.name}").split()
    if found:
        run("docker", "rm", "--force", "--volumes", *found)


def seconds_to_first_token(folder: Path, models: Path) -> float:
    """From `docker compose up`, with all images built and the model installed, to the first line of a real answer."""
    project = Project(f"localchat-bench-{secrets.token_hex(3)}", folder, OLLAMA_DATA=str(models))
    started = time.monotonic()
    try:
        project.compose("up", "--wait")
        chat = {"model": "smollm2:135m", "messages": [{"role": "user", "content": "Hello."}]}
        line = project.ask("/chat", chat, project.token())
        assert b'"content"' in line, line
        return time.monotonic() - started
    finally:
        project.end()

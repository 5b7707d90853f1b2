"""scripts/up and scripts/down as for a new user: in a fresh clone, with only the README."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkouts import copy_tree
from tests.support.fixtures import NewModels
from tests.support.models import MODEL
from tests.support.runs import IMAGE_TAG, new_name
from tests.support.stack import BASE_IMAGES, documented_settings, free_port, inspect, run

NO_SUCH_MODEL = "no-such-model:1b"


@dataclass
class Clone:
    """A clone of this repository whose stack has its own project name and port."""

    folder: Path
    project: str
    environment: dict[str, str]

    def script(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs it without a terminal; `stdout` has output and errors."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def config(self, **settings: str) -> dict[str, Any]:
        """The Compose file with all variables filled in."""
        command = ["docker", "compose", "config", "--format", "json"]
        output = subprocess.check_output(command, cwd=self.folder, env=self.environment | settings)
        config: dict[str, Any] = json.loads(output)
        return config

    def containers(self) -> list[str]:
        return run(
            "docker", "ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={self.project}"
        ).split()

    def volumes(self) -> list[str]:
        return run("docker", "volume", "ls", "--quiet", "--filter", f"name={self.project}_").split()


@pytest.fixture(scope="module")
def clone(new_models: NewModels, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    folder = tmp_path_factory.mktemp("new-user") / "localchat"
    copy_tree(folder)
    project = new_name()
    images = {name: value for name, value in os.environ.items() if name in BASE_IMAGES}
    environment = (
        shell_without_settings()
        | images
        | {
            "COMPOSE_PROJECT_NAME": project,
            "IMAGE_TAG": IMAGE_TAG,
            "BIND": f"127.0.0.1:{free_port()}",
            "OLLAMA_DATA": str(new_models("clone")),
            "STARTER_MODELS": f"{MODEL},{NO_SUCH_MODEL}",
        }
    )
    clone = Clone(folder, project, environment)
    yield clone
    clone.script("docker", "compose", "down", "--volumes")


@pytest.fixture(scope="module")
def first_output(clone: Clone) -> str:
    """The output of the first scripts/up."""
    done = clone.script("scripts/up", "--no-install")
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_up_ends_with_a_line_that_streams_tokens(clone: Clone, first_output: str) -> None:
    """Pasted into a shell, it prints the model's answer."""
    (line,) = re.findall(r"^  (curl .*)$", first_output, re.MULTILINE)
    answer = clone.script("bash", "-c", line).stdout
    assert '"done":false' in answer
    assert '"done":true' in answer


def test_up_says_where_and_as_whom(clone: Clone, first_output: str) -> None:
    """URL, account and models."""
    assert f"http://{clone.environment['BIND']}" in first_output
    assert "admin@local / changeme" in first_output
    assert MODEL in first_output


@pytest.mark.usefixtures("first_output")
def test_ollama_leaves_memory_to_the_machine(clone: Clone) -> None:
    """scripts/up writes a limit below the available memory; the user can change it."""
    (written,) = re.findall(r"^OLLAMA_MEMORY_LIMIT=(\d+)m$", (clone.folder / ".env").read_text(), re.MULTILINE)
    available = int(run("docker", "info", "--format", "{{.MemTotal}}"))
    container = clone.script("docker", "compose", "ps", "--quiet", "ollama").stdout.strip()
    assert inspect(container)["HostConfig"]["Memory"] == int(written) * 1024**2
    assert 0.8 < int(written) * 1024**2 / available < 0.9


@pytest.mark.usefixtures("first_output")
def test_a_model_that_cannot_be_installed_stops_nothing(clone: Clone) -> None:
    """The log says which, why, and what to do."""
    log = clone.script("docker", "compose", "logs", "--no-log-prefix", "starter-models").stdout
    assert f"{MODEL}: already installed" in log
    assert f"{NO_SUCH_MODEL}: unavailable: " in log
    assert f"ollama pull {NO_SUCH_MODEL}" in log


@pytest.mark.usefixtures("first_output")
def test_up_again_changes_nothing(clone: Clone) -> None:
    """The same containers, the same .env."""
    before = sorted(clone.containers()), (clone.folder / ".env").read_text()
    assert clone.script("scripts/up", "--no-install").returncode == 0
    assert (sorted(clone.containers()), (clone.folder / ".env").read_text()) == before


@pytest.mark.usefixtures("first_output")
def test_the_password_stays_with_its_owner(clone: Clone) -> None:
    """.env is readable only by its owner."""
    assert (clone.folder / ".env").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("ca_file", ["", ".extra-ca.pem"])
def test_no_secret_of_a_build_is_outside_the_folder(clone: Clone, ca_file: str) -> None:
    """Docker's builder may prompt for such a secret or refuse it, depending on the order of the images."""
    (secret,) = clone.config(EXTRA_CA_FILE=ca_file)["secrets"].values()
    assert Path(secret["file"]).is_relative_to(clone.folder)


def test_what_is_built_here_is_never_pulled(clone: Clone) -> None:
    """A registry's image of the same name is somebody else's."""
    services = clone.config()["services"].values()
    assert {service.get("pull_policy") for service in services if "build" in service} == {"build"}


@pytest.mark.parametrize("overlay", ["ollama/gpu-nvidia.yml", "ollama/gpu-amd.yml"])
def test_a_gpu_overlay_goes_with_the_stack(clone: Clone, overlay: str) -> None:
    """Compose accepts both files together."""
    done = clone.script("docker", "compose", "-f", "docker-compose.yml", "-f", overlay, "config", "--quiet")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.usefixtures("first_output")
def test_down_keeps_what_was_made(clone: Clone) -> None:
    """Containers go; uploads and the signing key stay until --volumes, which needs a confirmation."""
    assert clone.script("scripts/down").returncode == 0
    assert clone.containers() == []
    assert clone.volumes()

    refused = clone.script("scripts/down", "--volumes")
    assert refused.returncode == 1
    assert "--yes" in refused.stdout
    assert clone.volumes()

    assert clone.script("scripts/down", "--volumes", "--yes").returncode == 0
    assert clone.volumes() == []


WRITTEN = (
    "\ufeffBIND=127.0.0.1:81 # a comment\r\n"
    'export NGINX_IMAGE="mine/nginx:1"\r\n'
    "NODE_IMAGE=${REGISTRY-mine}/node:$TAG\r\n"
)


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """A folder for scripts/lib/settings.sh, with a .env from a Windows editor."""
    copy_tree(tmp_path)
    (tmp_path / ".env").write_text(WRITTEN, newline="")
    return tmp_path


def settings_script(folder: Path, command: str, **shell: str) -> subprocess.CompletedProcess[str]:
    script = f"set -euo pipefail; for part in say settings; do source scripts/lib/$part.sh; done; {command}"
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **shell}
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BIND", "127.0.0.1:81"),
        ("NGINX_IMAGE", "mine/nginx:1"),
        ("NODE_IMAGE", "mine/node:24"),
        ("PYTHON_IMAGE", ""),
        ("TAG", "24"),
    ],
)
def test_the_scripts_read_a_setting_as_compose_does(settings_file: Path, name: str, value: str) -> None:
    """With carriage returns, a byte-order mark, quotes, comments and variables."""
    assert settings_script(settings_file, f"setting {name}", TAG="24").stdout.rstrip("\n") == value


def test_up_says_what_compose_cannot_read(settings_file: Path) -> None:
    """An unterminated quote stops it before anything is built."""
    (settings_file / ".env").write_text("ADMIN_PASSWORD='K\n")
    done = settings_script(settings_file, "refuse_unreadable_env")
    assert done.returncode == 1
    assert "unterminated" in done.stderr
    assert "Correct .env" in done.stderr


def test_up_refuses_a_password_that_compose_would_change(settings_file: Path) -> None:
    """Before anything is built or started."""
    (settings_file / ".env").write_text("ADMIN_PASSWORD=K$xyz\n")
    command = [str(settings_file / "scripts/up"), "--no-install"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=shell_without_settings())
    assert done.returncode == 1
    assert "ADMIN_PASSWORD='…'" in done.stderr


def shell_without_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in documented_settings()}

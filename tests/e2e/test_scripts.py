"""scripts/up and scripts/down, as a new user runs them: in a clone of their own, with nothing but the README."""

import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stack import BASE_IMAGES, MODEL, ROOT, documented_settings, free_port, run

NO_SUCH_MODEL = "no-such-model:1b"


@dataclass
class Clone:
    """A clone of this repository whose stack has a project name and a port of its own."""

    folder: Path
    project: str
    environment: dict[str, str]

    def script(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs it to its end, without a terminal. Output and errors are in `stdout`."""
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
        """The Compose file with everything filled in."""
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
def clone(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    folder = tmp_path_factory.mktemp("new-user") / "localchat"
    copy_tree(folder)
    project = f"localchat-test-{secrets.token_hex(3)}"
    inherited = {name: value for name, value in os.environ.items() if name not in documented_settings() - BASE_IMAGES}
    environment = inherited | {
        "COMPOSE_PROJECT_NAME": project,
        "BIND": f"127.0.0.1:{free_port()}",
        "OLLAMA_DATA": str(models),
        "STARTER_MODELS": f"{MODEL},{NO_SUCH_MODEL}",
    }
    clone = Clone(folder, project, environment)
    yield clone
    clone.script("docker", "compose", "down", "--volumes")


def copy_tree(folder: Path) -> None:
    """What git knows or would take, as a clone of the next commit has it."""
    files = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    for name in filter(None, files):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            target.write_bytes((ROOT / name).read_bytes())
            target.chmod((ROOT / name).stat().st_mode)


@pytest.fixture(scope="module")
def first_output(clone: Clone) -> str:
    """What the first scripts/up says."""
    done = clone.script("scripts/up", "--no-install")
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_up_ends_with_a_line_that_streams_tokens(clone: Clone, first_output: str) -> None:
    """Pasted into a shell, it gives the model's answer."""
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
def test_a_model_that_cannot_be_had_stops_nothing(clone: Clone) -> None:
    """The log says which, why, and what to do."""
    log = clone.script("docker", "compose", "logs", "--no-log-prefix", "starter-models").stdout
    assert f"{MODEL}: is there" in log
    assert f"{NO_SUCH_MODEL}: NOT THERE: " in log
    assert f"ollama pull {NO_SUCH_MODEL}" in log


@pytest.mark.usefixtures("first_output")
def test_up_again_changes_nothing(clone: Clone) -> None:
    """The same containers, the same .env."""
    before = sorted(clone.containers()), (clone.folder / ".env").read_text()
    assert clone.script("scripts/up", "--no-install").returncode == 0
    assert (sorted(clone.containers()), (clone.folder / ".env").read_text()) == before


@pytest.mark.usefixtures("first_output")
def test_the_password_stays_with_its_owner(clone: Clone) -> None:
    """.env is readable by its owner alone."""
    assert (clone.folder / ".env").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("ca_file", ["", ".extra-ca.pem"])
def test_no_secret_of_a_build_is_outside_the_folder(clone: Clone, ca_file: str) -> None:
    """Docker's builder asks about one that is, or refuses, depending on the order in which it looks at the images."""
    (secret,) = clone.config(EXTRA_CA_FILE=ca_file)["secrets"].values()
    assert Path(secret["file"]).is_relative_to(clone.folder)


def test_what_is_built_here_is_never_pulled(clone: Clone) -> None:
    """In a registry, an image of the same name is somebody else's."""
    services = clone.config()["services"].values()
    assert {service.get("pull_policy") for service in services if "build" in service} == {"build"}


@pytest.mark.parametrize("overlay", ["ollama/gpu-nvidia.yml", "ollama/gpu-amd.yml"])
def test_a_gpu_overlay_goes_with_the_stack(clone: Clone, overlay: str) -> None:
    """Compose takes both files together."""
    done = clone.script("docker", "compose", "-f", "docker-compose.yml", "-f", overlay, "config", "--quiet")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.usefixtures("first_output")
def test_down_keeps_what_was_made(clone: Clone) -> None:
    """Containers go; uploads and the signing key stay, until --volumes, which does not delete without being told."""
    assert clone.script("scripts/down").returncode == 0
    assert clone.containers() == []
    assert clone.volumes()

    refused = clone.script("scripts/down", "--volumes")
    assert refused.returncode == 1
    assert "--yes" in refused.stdout
    assert clone.volumes()

    assert clone.script("scripts/down", "--volumes", "--yes").returncode == 0
    assert clone.volumes() == []

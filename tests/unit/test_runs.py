"""A run of the tests removes what killed runs left, and nothing of a running one."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.runs import NAME, own_folder, remove_from_docker

ANOTHER_RUN = """
import sys, time
from pathlib import Path
from tests.support.runs import own_folder
with own_folder(Path(sys.argv[1]), lambda name: False) as folder:
    (folder / "model").write_text("large")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def another_run(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", ANOTHER_RUN, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def folder_of(run: subprocess.Popen[str]) -> Path:
    assert run.stdout
    return Path(run.stdout.readline().strip())


def test_a_run_leaves_nothing(tmp_path: Path) -> None:
    with own_folder(tmp_path) as folder:
        (folder / "models").mkdir()
    assert not folder.exists()


def test_the_next_run_removes_what_a_killed_one_left(tmp_path: Path, another_run: subprocess.Popen[str]) -> None:
    """Its folder and, by its name, what it left in Docker."""
    left = folder_of(another_run)
    another_run.kill()
    another_run.wait()
    assert (left / "model").exists()
    found = {left.name: True}
    with own_folder(tmp_path, found.pop):
        assert left.exists(), "Compose may still be adding to it"
    with own_folder(tmp_path, lambda _: False):
        assert not left.exists()


def test_a_run_beside_it_keeps_what_it_has(tmp_path: Path, another_run: subprocess.Popen[str]) -> None:
    folder = folder_of(another_run)
    with own_folder(tmp_path, lambda name: pytest.fail(f"{name} is still running")) as own:
        assert own != folder
    assert (folder / "model").exists()


DOCKER = """#!/bin/sh
echo "$@" >>"$0.log"
case "$*" in *name=*) echo "$1-id" ;; *network=*) echo another-id ;; esac
"""


def test_what_it_left_in_docker_goes_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers first, including others' in its networks: what is in use cannot be removed."""
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert remove_from_docker(NAME)
    assert (tmp_path / "docker.log").read_text().splitlines() == [
        f"network ls --quiet --filter name={NAME}-",
        f"ps --all --quiet --filter name={NAME}-",
        "ps --all --quiet --filter network=network-id",
        "rm --force another-id ps-id",
        "network rm network-id",
        f"volume ls --quiet --filter name={NAME}-",
        "volume rm volume-id",
    ]

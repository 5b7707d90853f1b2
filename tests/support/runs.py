"""One run of the tests that need Docker: its name, its folder, and the clean-up after killed runs.

Everything that a run adds to Docker has a name that starts with the run's own, so that the next run finds it.
"""

import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "localchat"
# In the same folder as the cached model: hard links do not cross file systems.
RUNS = CACHE / "test-runs"
NAME = f"localchat-test-{secrets.token_hex(3)}"
# For images built by tests, so that they do not replace those of another checkout or of a stack in use.
IMAGE_TAG = f"test-{hashlib.sha256(str(Path(__file__).parents[2]).encode()).hexdigest()[:8]}"


def new_name(purpose: str = "") -> str:
    """A unique name for a Compose project or, with a purpose, for a container of this run."""
    return f"{NAME}-{purpose or secrets.token_hex(3)}"


@contextmanager
def own_folder(runs: Path = RUNS, forget: Callable[[str], bool] | None = None) -> Iterator[Path]:
    """This run's own folder, removed at the end. First removes what killed runs left, here and in Docker."""
    folder = runs / NAME
    with locked(runs):
        for lock in sorted(runs.glob("*/lock")):
            _remove_if_dead(lock, forget or remove_from_docker)
        folder.mkdir()
        held = (folder / "lock").open("w")
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        remove(folder)
        held.close()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Waits for exclusive access. The lock of a killed process is released."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_if_dead(lock: Path, forget: Callable[[str], bool]) -> None:
    with lock.open() as file:
        if _is_held(file):
            return
        # If something was found, a Compose command that outlived its run may still be adding: the next run looks again.
        if not forget(lock.parent.name):
            remove(lock.parent)


def _is_held(lock: IO[str]) -> bool:
    """A run holds its lock as long as it lives."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except PermissionError:
        # Needs root, because Ollama's container writes as root.
        image = os.environ.get("OLLAMA_IMAGE") or _docker("compose", "config", "--images", "ollama")[0]
        as_root = ["--rm", "--network=none", f"--volume={folder}:/folder", "--entrypoint=find"]
        _docker("run", *as_root, image, "/folder", "-mindepth", "1", "-delete")
        shutil.rmtree(folder)


def remove_from_docker(name: str) -> bool:
    """Removes a run's containers, networks and volumes. Networks are scarce: Docker has addresses for about thirty.

    Returns whether there were any.
    """
    networks = _docker("network", "ls", "--quiet", "--filter", f"name={name}-")
    filters = [f"name={name}-", *(f"network={network}" for network in networks)]
    containers = {found for which in filters for found in _docker("ps", "--all", "--quiet", "--filter", which)}
    if containers:
        _docker("rm", "--force", *sorted(containers))
    if networks:
        _docker("network", "rm", *networks)
    volumes = _docker("volume", "ls", "--quiet", "--filter", f"name={name}-")
    if volumes:
        _docker("volume", "rm", *volumes)
    return bool(containers or networks or volumes)


def _docker(*arguments: str) -> list[str]:
    root = Path(__file__).parents[2]
    return subprocess.run(
        ["docker", *arguments], cwd=root, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.split()

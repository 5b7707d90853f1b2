"""A model store for each Ollama of the tests, copied from a cached one that no Ollama writes to."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.runs import CACHE, locked

MODEL = "smollm2:135m"
MANIFEST = Path("models/manifests/registry.ollama.ai/library", *MODEL.split(":"))
CACHED = CACHE / "test-models"


def new_store(run: Path, name: str, fill: Callable[[Path], None], cached: Path = CACHED) -> Path:
    """Makes a store in the run's folder with only MODEL. `fill` gets the model if none is cached yet."""
    store = run / name
    store.mkdir()
    with locked(cached.parent):
        if not is_whole(cached):
            fill(store)
            assert is_whole(store), f"{MODEL} could not be installed; see the log of starter-models"
            _replace(cached, store, run)
            return store
    copy_model(cached, store)
    return store


def is_whole(store: Path) -> bool:
    """Whether MODEL and all its blobs exist."""
    try:
        return all((store / blob).stat().st_size == size_bytes for blob, size_bytes in _blobs(store))
    except (OSError, ValueError, KeyError):
        return False


def copy_model(source: Path, target: Path) -> None:
    """Copies only MODEL. Blobs are hard links: Ollama may remove them, but never writes to one."""
    for blob, _ in _blobs(source):
        (target / blob).parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source / blob, target / blob)
        except OSError:  # another file system, or root's file
            shutil.copyfile(source / blob, target / blob)
    (target / MANIFEST).parent.mkdir(parents=True, exist_ok=True)
    # A copy, because Ollama writes to manifests.
    shutil.copyfile(source / MANIFEST, target / MANIFEST)


def _blobs(store: Path) -> Iterator[tuple[Path, int]]:
    manifest = json.loads((store / MANIFEST).read_text())
    for described in [manifest["config"], *manifest["layers"]]:
        yield Path("models/blobs", described["digest"].replace(":", "-")), described["size"]


def _replace(cached: Path, store: Path, run: Path) -> None:
    """Replaces the cache atomically."""
    fresh = run / "cached"
    copy_model(store, fresh)
    if cached.exists():
        cached.rename(run / "cached-before")
    fresh.rename(cached)

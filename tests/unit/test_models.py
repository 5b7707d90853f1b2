"""Each Ollama of the tests has its own model store and cannot change the cached one."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.models import MANIFEST, is_whole, new_store

BLOBS = {"sha256:aa": b"weights", "sha256:bb": b"{}"}


def put_model(store: Path) -> None:
    """Stored as Ollama stores it."""
    (store / "models/blobs").mkdir(parents=True)
    for digest, data in BLOBS.items():
        (store / "models/blobs" / digest.replace(":", "-")).write_bytes(data)
    config, layer = ({"digest": digest, "size": len(data)} for digest, data in BLOBS.items())
    (store / MANIFEST).parent.mkdir(parents=True)
    (store / MANIFEST).write_text(json.dumps({"config": config, "layers": [layer]}))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


@pytest.fixture
def cached(tmp_path: Path) -> Path:
    put_model(tmp_path / "cached")
    return tmp_path / "cached"


def never(store: Path) -> None:
    pytest.fail(f"{store} is filled, though the model is cached")


def test_a_store_is_a_copy_of_the_cached_model(run: Path, cached: Path) -> None:
    assert files(new_store(run, "a", never, cached)) == files(cached)


def test_what_else_is_in_the_cache_stays_there(run: Path, cached: Path) -> None:
    """A killed run may have left it, before each run had its own store."""
    clean = files(cached)
    other = cached / "models/manifests/registry.test:1/tests/joined"
    other.parent.mkdir(parents=True)
    other.write_text("{}")
    assert files(new_store(run, "a", never, cached)) == clean


def test_the_cached_model_outlives_what_ollama_does(run: Path, cached: Path) -> None:
    """Ollama writes to manifests and removes blobs."""
    before = files(cached)
    store = new_store(run, "a", never, cached)
    (store / MANIFEST).write_text("changed")
    shutil.rmtree(store / "models/blobs")
    assert files(cached) == before


def test_the_first_store_fills_the_cache(run: Path, tmp_path: Path) -> None:
    """Once; the next one is a copy."""
    cached = tmp_path / "cached"
    first = new_store(run, "a", put_model, cached)
    assert files(cached) == files(first) == files(new_store(run, "b", never, cached))


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"half")])
@pytest.mark.parametrize("part", [MANIFEST, Path("models/blobs/sha256-aa")])
def test_a_damaged_cache_is_filled_anew(run: Path, cached: Path, damage: object, part: Path) -> None:
    damage(cached / part)  # type: ignore[operator]
    assert not is_whole(cached)
    new_store(run, "a", put_model, cached)
    assert is_whole(cached)


def test_a_model_that_cannot_be_installed_is_reported(run: Path, tmp_path: Path) -> None:
    """And leaves no cache that looks complete."""
    with pytest.raises(AssertionError, match="starter-models"):
        new_store(run, "a", lambda _: None, tmp_path / "cached")
    assert not is_whole(tmp_path / "cached")

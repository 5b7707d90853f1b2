"""UPLOAD_RETENTION_DAYS: uploads that are older go, by one worker at a time; nothing else does."""

import logging
import os
import time
from pathlib import Path

import pytest

from api.files import retention
from api.files.account import AccountUploads
from api.files.disk import locked
from api.files.retention import Retention
from api.files.store import UploadStore
from tests.support.fake_ollama import wait_until
from tests.unit.conftest import Serve
from tests.unit.files import upload

DAY_SECONDS = 86_400
OLD = "0123456789ab_old.txt"


@pytest.fixture(autouse=True)
def _log_all(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    return UploadStore(tmp_path, 1)


def commit(uploads: AccountUploads, name: str = "a.txt", *, days: float = 0) -> Path:
    """An upload of `days` ago."""
    with uploads.receive() as partial:
        partial.write(b"x")
        path = uploads.folder / partial.commit(name)
    make_old(path, days)
    return path


def make_old(path: Path, days: float) -> None:
    then = time.time() - days * DAY_SECONDS
    os.utime(path, (then, then))


def test_removes_what_is_older(store: UploadStore, caplog: pytest.LogCaptureFixture) -> None:
    """In every account, with the names that were kept; the log says how many."""
    old = [commit(store.of(account), "größe.txt", days=30.1) for account in ("ada", "bob", "settings")]
    young = {commit(store.of(account), "größe.txt", days=29.9) for account in ("ada", "bob")}
    Retention(store, 30).remove_old()
    assert not any(path.exists() for path in old)
    left = {path for path in store.folder.rglob("*") if path.is_file()}
    assert left == young | {path.with_name(f".{path.name}") for path in young}
    assert "3 uploads older than 30 days were removed" in caplog.text


def test_says_nothing_where_nothing_is_old(store: UploadStore, caplog: pytest.LogCaptureFixture) -> None:
    """Once an hour."""
    commit(store.of("ada"))
    Retention(store, 30).remove_old()
    assert caplog.text == ""


def test_leaves_alone_what_is_no_upload(store: UploadStore) -> None:
    """However old: an upload that is running, an operator's notes, a folder."""
    folder = store.of("ada").make_folder()
    others = [folder / "notes.txt", store.folder / "notes.txt", folder / ".bashrc", store.folder / "0_b" / OLD]
    with store.of("ada").receive():
        (partial,) = folder.iterdir()
        for path in others:
            path.parent.mkdir(exist_ok=True)
            path.touch()
        for path in [*others, partial]:
            make_old(path, 400)
        Retention(store, 30).remove_old()
        assert all(path.exists() for path in [*others, partial])


def test_removes_an_earlier_versions_files_too(store: UploadStore) -> None:
    """In the root, and where they were linked to; by the time of their upload."""
    (store.folder / OLD).touch()
    make_old(store.folder / OLD, 31)
    store.tidy()
    assert (store.folder / "settings" / OLD).exists()
    Retention(store, 30).remove_old()
    assert not (store.folder / "settings" / OLD).exists()
    assert not (store.folder / OLD).exists()


def test_a_file_that_is_open_is_read_to_its_end(store: UploadStore) -> None:
    """A download that is half-way goes on."""
    path = commit(store.of("ada"), days=31)
    with path.open("rb") as download:
        Retention(store, 30).remove_old()
        assert not path.exists()
        assert download.read() == b"x"


def test_one_process_at_a_time(store: UploadStore) -> None:
    """Another leaves it to that one, and waits for nobody."""
    path = commit(store.of("ada"), days=31)
    with locked(store.folder):
        Retention(store, 30).remove_old()
        assert path.exists()
    Retention(store, 30).remove_old()
    assert not path.exists()


def test_one_that_cannot_be_removed_holds_up_no_other(
    store: UploadStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named in the log."""
    stuck, others = commit(store.of("ada"), days=31), [commit(store.of(account), days=31) for account in ("ada", "bob")]
    unlink = Path.unlink

    def refuse_one(path: Path, *, missing_ok: bool = False) -> None:
        if path == stuck:
            raise PermissionError
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse_one)
    Retention(store, 30).remove_old()
    assert [path.exists() for path in (stuck, *others)] == [True, False, False]
    assert stuck.name in caplog.text
    assert "2 uploads older" in caplog.text


def test_a_fault_is_told_and_tried_again(
    store: UploadStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that cannot be read, say."""
    commit(store.of("ada"), days=31)

    def refuse(_: UploadStore) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr(UploadStore, "accounts", refuse)
    Retention(store, 30).remove_old()
    assert "tried again: not yours" in caplog.text


def test_removes_at_the_start_and_then_again(serve_with: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the background of a running LocalChat."""
    monkeypatch.setattr(retention, "INTERVAL_SECONDS", 0.05)
    gateway = serve_with(upload_retention_days=30)
    for _ in range(2):
        path = gateway.settings.upload_dir / "settings" / upload(gateway, b"x").json()["filename"]
        assert path.exists()
        make_old(path, 31)
        wait_until(lambda path=path: not path.exists(), "the old file is removed")  # type: ignore[misc]
    assert gateway.client.get("/files").json()["files"] == []


def test_keeps_everything_by_default(serve_with: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """UPLOAD_RETENTION_DAYS=0: nobody even looks."""
    looked: list[object] = []
    monkeypatch.setattr(Retention, "remove_old", looked.append)
    gateway = serve_with()
    path = gateway.settings.upload_dir / "settings" / upload(gateway, b"x").json()["filename"]
    make_old(path, 10_000)
    assert len(gateway.client.get("/files").json()["files"]) == 1
    assert looked == []

"""Each account's uploads in its own folder: visible only to it, cleaned up at each start, deleted with the account."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from api.errors import NotAuthenticated, UploadNotFound
from api.files.account import AccountUploads
from api.files.store import UploadStore

ORPHAN = "0123456789abcdef.partial"


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    return UploadStore(tmp_path, 1)


def commit(uploads: AccountUploads, data: bytes = b"x") -> str:
    with uploads.receive() as partial:
        partial.write(data)
        return partial.commit("a.txt")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_upload_is_in_its_accounts_folder(store: UploadStore, tmp_path: Path) -> None:
    """nginx reads it by its group; others cannot."""
    name = commit(store.of("ada"))
    assert store.of("ada").find(name) == tmp_path / "ada" / name
    assert (tmp_path / "ada").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("owner", ["ada", "settings"])
@pytest.mark.parametrize("other", ["bob", "settings", "ada"])
def test_nobody_else_finds_it(store: UploadStore, owner: str, other: str) -> None:
    """Whether the other account has a folder or not."""
    name = commit(store.of(owner))
    for _ in range(2):
        if other == owner:
            assert store.of(other).find(name)
        else:
            with pytest.raises(UploadNotFound):
                store.of(other).find(name)
        commit(store.of(other))


@pytest.mark.parametrize(
    "account_id", ["", ".", "..", "a/b", "/", "Ada", "a_b", "a.b", "a\n", "\0", "\u00e4", "a" * 65]
)
def test_what_is_no_id_has_no_folder(store: UploadStore, tmp_path: Path, account_id: str) -> None:
    """Users do not choose ids, so one that is not a plain name is our own bug."""
    with pytest.raises(ValueError, match="id"):
        store.of(account_id)
    with pytest.raises(ValueError, match="id"):
        store.remove(account_id)
    assert names(tmp_path) == []


def test_a_link_in_place_of_a_folder_is_not_followed(store: UploadStore, tmp_path: Path) -> None:
    """Neither to another account's folder nor out of the store; nothing is read, written or cleaned up there."""
    name = commit(store.of("ada"))
    (tmp_path / "ada" / ORPHAN).touch()
    (tmp_path / "bob").symlink_to("ada")
    with pytest.raises(UploadNotFound):
        store.of("bob").find(name)
    with pytest.raises(NotADirectoryError), store.of("bob").receive():
        pass
    store.remove("bob")
    assert not (tmp_path / "bob").is_symlink()
    assert store.of("ada").find(name)


@pytest.mark.parametrize("make", [os.mkfifo, Path.touch, lambda path: path.symlink_to("/nonexistent")])
def test_another_thing_in_place_of_a_folder_holds_nothing(store: UploadStore, tmp_path: Path, make: object) -> None:
    """The API does not wait for it, and starts."""
    assert callable(make)
    make(tmp_path / "bob")
    with pytest.raises(UploadNotFound):
        store.of("bob").find("0123456789ab_a.txt")
    store.tidy()
    assert "bob" in names(tmp_path)


def test_a_start_clears_up_in_every_folder(store: UploadStore, tmp_path: Path) -> None:
    """And in the root, where an earlier version wrote."""
    kept = {owner: commit(store.of(owner)) for owner in ("ada", "bob", "settings")}
    for folder in (tmp_path, *(tmp_path / owner for owner in kept)):
        (folder / ORPHAN).touch()
    with store.of("eve").receive():
        store.tidy()
        assert len(names(tmp_path / "eve")) == 1
    assert {owner: names(tmp_path / owner) for owner in kept} == {owner: [name] for owner, name in kept.items()}
    assert names(tmp_path) == ["ada", "bob", "eve", "settings"]


def test_a_folder_that_cannot_be_read_does_not_stop_the_start(
    store: UploadStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names it; the others are cleaned up."""
    for owner in ("ada", "bob"):
        (store.of(owner).make_folder() / ORPHAN).touch()
    list_folder = Path.iterdir

    def refuse_ada(path: Path) -> Iterator[Path]:
        if path.name == "ada":
            raise PermissionError
        return list_folder(path)

    monkeypatch.setattr(Path, "iterdir", refuse_ada)
    store.tidy()
    assert str(tmp_path / "ada") in caplog.text
    assert names(tmp_path / "bob") == []


def test_a_removed_account_has_no_files(store: UploadStore, tmp_path: Path) -> None:
    """Others keep theirs; removing it again changes nothing."""
    gone, kept = commit(store.of("ada")), commit(store.of("bob"))
    for _ in range(2):
        store.remove("ada")
        with pytest.raises(UploadNotFound):
            store.of("ada").find(gone)
        store.tidy()
    assert store.of("bob").find(kept)
    assert [path.name for path in tmp_path.rglob("*_a.txt")] == [kept]


def test_the_account_of_the_settings_stays(store: UploadStore) -> None:
    """It cannot be deleted, and an earlier version's uploads go into its folder."""
    name = commit(store.of("settings"))
    with pytest.raises(ValueError, match="settings"):
        store.remove("settings")
    assert store.of("settings").find(name)


def test_an_upload_to_a_removed_account_is_refused(store: UploadStore, tmp_path: Path) -> None:
    """Like a credential without an account; no folder is created."""
    store.remove("ada")
    with pytest.raises(NotAuthenticated), store.of("ada").receive():
        pass
    assert [path for path in tmp_path.rglob("*") if path.is_dir() or path.stat().st_size] == []


def test_an_upload_that_runs_while_its_account_is_removed_leaves_nothing(store: UploadStore, tmp_path: Path) -> None:
    """It is refused at its end."""
    with pytest.raises(NotAuthenticated), store.of("ada").receive() as partial:  # noqa: PT012  the whole block
        partial.write(b"x")
        store.remove("ada")
        partial.write(b"x")
        partial.commit("a.txt")
    assert [path for path in tmp_path.rglob("*") if path.is_dir() or path.stat().st_size] == []


def test_a_removal_that_was_killed_is_finished_at_the_next_start(store: UploadStore, tmp_path: Path) -> None:
    """The folder that it moved aside is deleted."""
    commit(store.of("ada"))
    (tmp_path / "ada").rename(tmp_path / "0123456789abcdef.removed")
    store.tidy()
    assert names(tmp_path) == ["settings"]


def test_uploads_and_removals_at_once_leave_nothing(store: UploadStore, tmp_path: Path) -> None:
    """In any order."""
    for number in range(50):
        account = store.of(f"a{number}")
        begin = threading.Barrier(4)

        def upload(account: AccountUploads = account, begin: threading.Barrier = begin) -> None:
            begin.wait()
            with suppress(NotAuthenticated, FileNotFoundError, NotADirectoryError):
                commit(account)

        def remove(number: int = number, begin: threading.Barrier = begin) -> None:
            begin.wait()
            store.remove(f"a{number}")

        threads = [threading.Thread(target=work) for work in (upload, remove, upload, remove)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    store.tidy()
    assert [
        path for path in tmp_path.rglob("*") if path.name != "settings" and (path.is_dir() or path.stat().st_size)
    ] == []

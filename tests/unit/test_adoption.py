"""Uploads of an earlier version go to the account of the settings, however often and in parallel that starts."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from api.errors import UploadNotFound
from api.files.adoption import adopt
from api.files.store import UploadStore

FILES = [f"{number:012x}_{number}.txt" for number in range(1_000)]
# Kills its own process at the 500th link or removal.
KILLED = """
import os, signal, sys
seen = 0
def hook(event, _):
    global seen
    if event == sys.argv[1]:
        seen += 1
        if seen == 500: os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
"""
ADOPT = """
import sys
from pathlib import Path
from api.files.adoption import adopt
adopt(Path(sys.argv[2]), Path(sys.argv[2], "settings"), float(sys.argv[3]))
"""
HOUR = 3600


@pytest.fixture
def old(tmp_path: Path) -> UploadStore:
    """A store as left by the earlier version, opened by this one but not yet tidied."""
    for name in FILES:
        (tmp_path / name).write_text(name)
    store = UploadStore(tmp_path, 1)
    store.of("settings").make_folder()
    return store


def adopting(store: UploadStore, script: str, event: str = "", *, seconds: float = HOUR) -> subprocess.Popen[bytes]:
    """Another starting process of this version."""
    command = [sys.executable, "-c", script, event, str(store.folder), str(seconds)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2])


def lost(store: UploadStore, where: Path | None = None) -> list[str]:
    """The files that are incomplete, as this version finds them or in a folder."""
    uploads = store.of("settings")
    return [name for name in FILES if (where / name if where else uploads.find(name)).read_text() != name]


def in_root(store: UploadStore) -> list[str]:
    return sorted(path.name for path in store.folder.iterdir() if path.is_file())


def test_the_earlier_version_still_finds_them(old: UploadStore) -> None:
    """During a redeploy it may run next to several starting processes of this version."""
    for _ in range(3):
        old.tidy()
        assert lost(old) == lost(old, old.folder) == lost(old, old.folder / "settings") == []


def test_they_leave_the_root_at_a_later_start(old: UploadStore) -> None:
    """Once the earlier version is gone. They are never copied."""
    before = {name: (old.folder / name).stat().st_ino for name in FILES}
    old.tidy()
    adopt(old.folder, old.folder / "settings", earlier_version_seconds=0)
    assert (in_root(old), lost(old, old.folder / "settings")) == ([], [])
    assert {name: (old.folder / "settings" / name).stat().st_ino for name in FILES} == before


def test_the_hour_begins_when_they_are_linked(old: UploadStore) -> None:
    """Not when they were stored, years ago."""
    for name in FILES:
        os.utime(old.folder / name, (0, 0))
    old.tidy()
    time.sleep(0.01)
    adopt(old.folder, old.folder / "settings", earlier_version_seconds=60)
    assert in_root(old) == FILES


@pytest.mark.parametrize("event", ["os.link", "os.remove"])
def test_a_kill_in_the_middle_loses_nothing(old: UploadStore, event: str) -> None:
    """After half of the links or half of the removals all are found, and the next start continues."""
    assert adopting(old, KILLED + ADOPT, event, seconds=0).wait(60) == -9
    linked = len(list((old.folder / "settings").iterdir()))
    assert (linked, len(in_root(old))) == ((499, 1_000) if event == "os.link" else (1_000, 501))
    assert lost(old) == []
    old.tidy()
    assert lost(old) == lost(old, old.folder / "settings") == []
    adopt(old.folder, old.folder / "settings", earlier_version_seconds=0)
    assert (in_root(old), lost(old, old.folder / "settings")) == ([], [])


@pytest.mark.parametrize("seconds", [0, HOUR])
def test_processes_that_start_at_once_lose_nothing(old: UploadStore, seconds: float) -> None:
    """Two workers of two replicas; until the files leave the root, each can be found at any moment."""
    processes = [adopting(old, ADOPT, seconds=seconds) for _ in range(4)]
    while any(process.poll() is None for process in processes):
        assert seconds == 0 or lost(old) == []
    assert [process.returncode for process in processes] == [0] * 4
    assert lost(old) == lost(old, old.folder / "settings") == []
    assert in_root(old) == (FILES if seconds else [])


def test_what_the_earlier_version_stores_afterwards_is_found(old: UploadStore) -> None:
    """An upload may finish there after this version has started; the next start moves it too."""
    old.tidy()
    late = "fffffffffff0_late.txt"
    (old.folder / late).write_text(late)
    assert old.of("settings").find(late) == old.folder / late
    old.tidy()
    assert old.of("settings").find(late) == old.folder / "settings" / late


def test_nobody_but_the_account_of_the_settings_finds_them(old: UploadStore) -> None:
    """Neither in the root nor in the folder."""
    for _ in range(2):
        with pytest.raises(UploadNotFound):
            old.of("bob").find(FILES[0])
        old.tidy()


def test_only_uploads_are_moved(tmp_path: Path) -> None:
    """Links, folders, pipes and other names stay, and no link is followed."""
    store = UploadStore(tmp_path, 1)
    (tmp_path / "0123456789ab_link").symlink_to("/etc/passwd")
    (tmp_path / "0123456789ab_folder").mkdir()
    os.mkfifo(tmp_path / "0123456789ab_pipe")
    (tmp_path / "notes.txt").touch()
    before = sorted(path.name for path in tmp_path.iterdir())
    store.tidy()
    assert list((tmp_path / "settings").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [*before, "settings"]


def test_where_none_can_be_moved_the_api_starts_and_finds_them(
    old: UploadStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """On a file system without hard links, or on a full one; the log says so once."""
    monkeypatch.setattr(os, "link", refuse)
    old.tidy()
    assert (in_root(old), lost(old)) == (FILES, [])
    assert len(caplog.records) == 1
    assert "1000 uploads stay" in caplog.text


def refuse(*_: object) -> None:
    raise PermissionError


def test_where_the_folder_cannot_be_made_the_api_starts_and_finds_them(
    old: UploadStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Something else has its name."""
    (old.folder / "settings").rmdir()
    (old.folder / "settings").symlink_to("/tmp")
    old.tidy()
    assert (in_root(old), lost(old)) == (FILES, [])
    assert "settings" in caplog.text


def test_two_files_of_one_name_are_both_kept(old: UploadStore) -> None:
    """This takes an operator or a coincidence: the file in the root differs from the one in the folder."""
    (old.folder / "settings" / FILES[0]).write_text("another")
    old.tidy()
    adopt(old.folder, old.folder / "settings", earlier_version_seconds=0)
    assert (in_root(old), (old.folder / FILES[0]).read_text()) == ([FILES[0]], FILES[0])
    assert old.of("settings").find(FILES[0]).read_text() == "another"

"""The store of uploads: whole under a safe name, or not there at all."""

import errno
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.errors import BodyTooLarge, DiskFull, UploadNotFound
from api.uploads import PartialUpload, UploadStore, safe_name

STORED = re.compile(r"[0-9a-f]{12}_[A-Za-z0-9][A-Za-z0-9._-]*")
MEBIBYTE = 1024 * 1024
ODD_NAMES = [
    "../../etc/passwd",
    "..\\..\\windows\\system32\\x.txt",
    "C:\\x",
    "/etc/passwd",
    "a\0b.txt",
    "a.txt\0",
    "x" * 5_000,
    "x" * 5_000 + ".txt",
    "a." + "x" * 5_000,
    "\u202etxt.exe",
    "\u05d0\u05d1.txt",
    "a\r\nX-Injected: 1.txt",
    'a"; filename="b.txt',
    "CON",
    "nul.txt",
    "",
    ".",
    "..",
    "...",
    ".bashrc",
    "-rf",
    "--",
    "_",
    " ",
    "\U0001f999",
    "a/../../b",
    "%2e%2e%2fx",
    "a.partial",
    "\ud800.txt",
]


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    return UploadStore(tmp_path, 1)


def keep(store: UploadStore, data: bytes, name: str = "a.txt") -> str:
    with store.receive() as partial:
        partial.write(data)
        return partial.keep(name)


@pytest.mark.parametrize("original", ODD_NAMES, ids=lambda name: ascii(name[:20]))
def test_a_stored_name_is_always_safe(store: UploadStore, tmp_path: Path, original: str) -> None:
    """Whatever the client calls it, the file is in the store under twelve hex digits and harmless characters."""
    name = keep(store, b"x", original)
    assert STORED.fullmatch(name)
    assert len(name) < 255
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert store.find(name).read_bytes() == b"x"


@pytest.mark.parametrize(
    ("original", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("My report (1).pdf", "My_report_1_.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\photo.JPG", "photo.JPG"),
        ("caf\u00e9.txt", "cafe.txt"),
        ("a.tar.txt", "a.tar.txt"),
        (".bashrc", "bashrc"),
        ("...", "file"),
        ("\U0001f999", "file"),
        ("\u65e5\u672c\u8a9e.png", "file.png"),
        ("\u05d0\u05d1.txt", "file.txt"),
    ],
)
def test_a_name_keeps_what_is_harmless(original: str, safe: str) -> None:
    """Folders go, ASCII and the suffix stay; where nothing is left it is `file`."""
    assert safe_name(original) == safe


def test_two_uploads_of_one_name_are_two_files(store: UploadStore) -> None:
    """Neither replaces the other."""
    first, second = keep(store, b"1"), keep(store, b"2")
    assert (store.find(first).read_bytes(), store.find(second).read_bytes()) == (b"1", b"2")


def test_a_kept_file_is_for_owner_and_group(store: UploadStore) -> None:
    """nginx reads by group; others do not."""
    assert store.find(keep(store, b"x")).stat().st_mode & 0o137 == 0


@pytest.mark.parametrize("surplus", [-1, 0])
def test_takes_up_to_the_limit(store: UploadStore, surplus: int) -> None:
    """The limit is in whole MiB, to the byte."""
    name = keep(store, bytes(MEBIBYTE + surplus))
    assert store.find(name).stat().st_size == MEBIBYTE + surplus


def test_refuses_a_byte_more_and_keeps_nothing(store: UploadStore, tmp_path: Path) -> None:
    """However the bytes are divided."""
    with store.receive() as partial:
        partial.write(bytes(MEBIBYTE))
        with pytest.raises(BodyTooLarge):
            partial.write(b"x")
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_kept_vanishes(store: UploadStore, tmp_path: Path) -> None:
    """With an error or without one."""
    with store.receive() as partial:
        partial.write(b"x")
    with pytest.raises(KeyError), store.receive():
        raise KeyError
    assert list(tmp_path.iterdir()) == []


class Trickling(io.BytesIO):
    """Takes three bytes at a time, as a file may."""

    def write(self, data: "bytes | memoryview", /) -> int:  # type: ignore[override]
        return super().write(bytes(data[:3]))


def test_a_short_write_loses_nothing(tmp_path: Path) -> None:
    """write() may take less than it was given."""
    file = Trickling()
    PartialUpload(tmp_path / "x", file, 1).write(b"0123456789")
    assert file.getvalue() == b"0123456789"


class FullStore(UploadStore):
    """A store whose files are on a full disk: /dev/full answers as one does."""

    @contextmanager
    def receive(self) -> Iterator[PartialUpload]:
        with super().receive() as partial, Path("/dev/full").open("wb", buffering=0) as full:
            assert isinstance(partial, PartialUpload)
            yield PartialUpload(self.folder_of(partial), full, self.max_mb)

    def folder_of(self, _: PartialUpload) -> Path:
        return Path("/nonexistent")


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    """The kernel's ENOSPC becomes 507's DiskFull."""
    with pytest.raises(DiskFull), FullStore(tmp_path, 1).receive() as partial:
        partial.write(b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_quota_that_is_used_up_is_a_full_disk(store: UploadStore, tmp_path: Path) -> None:
    """EDQUOT too, and at any moment, as fsync may be the one to say it."""
    with pytest.raises(DiskFull), store.receive():
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
    assert list(tmp_path.iterdir()) == []


def test_another_fault_of_the_disk_is_not_called_full(store: UploadStore) -> None:
    """EIO stays what it is."""
    with pytest.raises(OSError, match="Input/output"), store.receive():
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_sweep_takes_orphans_alone(store: UploadStore, tmp_path: Path) -> None:
    """What a killed process left goes; what is being written, and what was kept, stays."""
    (tmp_path / "0123456789abcdef.partial").write_bytes(b"orphan")
    kept = keep(store, b"kept")
    with store.receive() as partial:
        partial.write(b"running")
        UploadStore(tmp_path, 1).sweep()
        running = partial.keep("running.txt")
    assert {path.name for path in tmp_path.iterdir()} == {kept, running}


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a.txt", "0123456789ab_", "0123456789ab_.x", "0123456789AB_a", "0123456789ab_a\n", "\0"],
)
def test_finds_nothing_but_stored_names(store: UploadStore, tmp_path: Path, name: str) -> None:
    """A file that is there under another kind of name is none of ours."""
    if name.isprintable() and name.strip("./") == name and name:
        (tmp_path / name).touch()
    with pytest.raises(UploadNotFound):
        store.find(name)


def test_finds_no_folder(store: UploadStore, tmp_path: Path) -> None:
    """Even one that is called like an upload."""
    (tmp_path / "0123456789ab_a").mkdir()
    with pytest.raises(UploadNotFound):
        store.find("0123456789ab_a")

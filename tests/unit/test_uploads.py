"""The upload store: a file exists completely under a safe name, or not at all."""

import errno
import fcntl
import io
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from api.errors import BodyTooLarge, DiskFull, UploadNotFound
from api.files.account import AccountUploads
from api.files.names import original_name, safe_name
from api.files.partial import PartialUpload
from api.files.receive import IncomingFile
from api.files.store import UploadStore
from tests.unit.files import END, FORM_TYPE, JPEG, part
from tests.unit.stores import ODD_NAMES, STORED, FullStore

MEBIBYTE = 1024 * 1024


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    return UploadStore(tmp_path, 1)


@pytest.fixture
def uploads(store: UploadStore) -> AccountUploads:
    return store.of("ada")


@pytest.fixture
def folder(uploads: AccountUploads) -> Path:
    """The account's folder in the store."""
    return uploads.make_folder()


def commit(uploads: AccountUploads, data: bytes, name: str = "a.txt") -> str:
    with uploads.receive() as partial:
        partial.write(data)
        return partial.commit(name)


@pytest.mark.parametrize("original", ODD_NAMES, ids=lambda name: ascii(name[:20]))
def test_a_stored_name_is_always_safe(uploads: AccountUploads, folder: Path, original: str) -> None:
    """Whatever the client calls it, the file is stored under twelve hex digits and harmless characters."""
    name = commit(uploads, b"x", original)
    assert STORED.fullmatch(name)
    assert len(name) < 255
    # Beside it, what it was called, if that differs.
    assert {name} <= {path.name for path in folder.iterdir()} <= {name, f".{name}"}
    assert uploads.find(name).read_bytes() == b"x"


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
        ("\u65e5" * 5_000 + ".txt", "file.txt"),
        ("x" * 5_000 + ".txt", "x" * 96 + ".txt"),
    ],
)
def test_a_name_keeps_what_is_harmless(original: str, safe: str) -> None:
    """Folders are dropped, ASCII and the suffix kept; if nothing is left the name is `file`."""
    assert safe_name(original) == safe


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("\u65e5\u672c\u8a9e (1).pdf", "\u65e5\u672c\u8a9e (1).pdf"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.txt",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.txt",
        ),
        ("cafe\u0301.txt", "caf\u00e9.txt"),
        ("C:\\Users\\me\\Gr\u00fc\u00dfe.txt", "Gr\u00fc\u00dfe.txt"),
        ("../../etc/passwd", "passwd"),
        (".bashrc", ".bashrc"),
        ('say "hi".txt', 'say "hi".txt'),
        ("two\r\nlines.txt", "two  lines.txt"),
        ("a\0\x1b\x9fb\ud800.txt", "ab.txt"),
        ("\u202etxt.exe", "txt.exe"),
        (" a.txt ", "a.txt"),
        ("<b>.txt", "<b>.txt"),
        ("", "file"),
        ("a/", "file"),
        ("\0", "file"),
        ("x" * 5_000 + ".txt", "x" * 251 + ".txt"),
        ("Dr. Who " + "x" * 5_000, "Dr. Who " + "x" * 247),
        ("\u0958" * 255, "\u0915\u093c" * 127 + "\u0915"),
    ],
    ids=lambda value: ascii(value[:16]),
)
def test_the_original_name_is_for_people(sent: str, shown: str) -> None:
    """In any script, without a folder, on one line, in one spelling, and not too long."""
    assert original_name(sent) == shown


@pytest.mark.parametrize("sent", ODD_NAMES, ids=lambda name: ascii(name[:20]))
def test_every_original_name_can_be_kept(sent: str) -> None:
    """As UTF-8, in a column of 255 characters."""
    name = original_name(sent)
    assert name.encode()
    assert 0 < len(name) <= 255
    assert not {"/", "\\", "\0", "\n"} & set(name)


def test_the_original_name_comes_with_the_file(uploads: AccountUploads) -> None:
    """And is listed; the stored name is another."""
    with uploads.receive() as partial:
        incoming = IncomingFile(partial, FORM_TYPE)
        incoming.feed([part(JPEG, '"\u65e5\u672c %22 1.HEIC"'.encode()) + END])
        name = incoming.commit()
    assert name[12:] == "_1.jpg"
    assert uploads.find(name).read_bytes() == JPEG
    assert [file.original_name for file in uploads.stored()] == ['\u65e5\u672c " 1.HEIC']


def test_two_uploads_of_one_name_are_two_files(uploads: AccountUploads) -> None:
    """Neither replaces the other."""
    first, second = commit(uploads, b"1"), commit(uploads, b"2")
    assert (uploads.find(first).read_bytes(), uploads.find(second).read_bytes()) == (b"1", b"2")


def test_a_committed_file_is_for_owner_and_group(uploads: AccountUploads) -> None:
    """nginx reads by group; others cannot read it."""
    assert uploads.find(commit(uploads, b"x")).stat().st_mode & 0o137 == 0


@pytest.mark.parametrize("surplus", [-1, 0])
def test_takes_up_to_the_limit(uploads: AccountUploads, surplus: int) -> None:
    """The limit is in whole MiB, to the byte."""
    name = commit(uploads, bytes(MEBIBYTE + surplus))
    assert uploads.find(name).stat().st_size == MEBIBYTE + surplus


def test_refuses_a_byte_more_and_keeps_nothing(uploads: AccountUploads, folder: Path) -> None:
    """However the bytes are split."""
    with uploads.receive() as partial:
        partial.write(bytes(MEBIBYTE))
        with pytest.raises(BodyTooLarge):
            partial.write(b"x")
    assert list(folder.iterdir()) == []


def test_what_is_not_committed_vanishes(uploads: AccountUploads, folder: Path) -> None:
    """With an error or without one."""
    with uploads.receive() as partial:
        partial.write(b"x")
    with pytest.raises(KeyError), uploads.receive():
        raise KeyError
    assert list(folder.iterdir()) == []


class Trickling(io.BytesIO):
    """Accepts three bytes at a time, as a file may."""

    def write(self, data: "bytes | memoryview", /) -> int:  # type: ignore[override]
        return super().write(bytes(data[:3]))


def test_a_short_write_loses_nothing(tmp_path: Path, uploads: AccountUploads) -> None:
    """write() may write less than it was given."""
    file = Trickling()
    PartialUpload(tmp_path / "x", file, 1, uploads.quota()).write(b"0123456789")
    assert file.getvalue() == b"0123456789"


def test_a_full_disk_is_reported_and_nothing_is_left(tmp_path: Path) -> None:
    """ENOSPC becomes DiskFull, and 507."""
    with pytest.raises(DiskFull), FullStore(tmp_path, 1).of("ada").receive() as partial:
        partial.write(b"x")
    assert list((tmp_path / "ada").iterdir()) == []


def test_a_quota_that_is_used_up_is_a_full_disk(uploads: AccountUploads, folder: Path) -> None:
    """EDQUOT too, at any time: fsync may be the one to report it."""
    with pytest.raises(DiskFull), uploads.receive():
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
    assert list(folder.iterdir()) == []


def test_another_fault_of_the_disk_is_not_called_full(uploads: AccountUploads) -> None:
    """EIO stays EIO."""
    with pytest.raises(OSError, match="Input/output"), uploads.receive():
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_removes_only_orphans(store: UploadStore, uploads: AccountUploads, folder: Path) -> None:
    """Files of a killed process go; those being written or committed stay."""
    (folder / "0123456789abcdef.partial").write_bytes(b"orphan")
    kept = commit(uploads, b"kept", "0123456789abcdef.partial")
    with uploads.receive() as partial:
        partial.write(b"running")
        store.remove_orphans()
        running = partial.commit("running.txt")
    assert {path.name for path in folder.iterdir()} == {kept, running}


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a.txt", "0123456789ab_", "0123456789ab_.x", "0123456789AB_a", "0123456789ab_a\n", "\0"],
)
def test_finds_nothing_but_stored_names(uploads: AccountUploads, folder: Path, name: str) -> None:
    """An existing file with another kind of name is not an upload."""
    if name.isprintable() and name.strip("./") == name and name:
        (folder / name).touch()
    with pytest.raises(UploadNotFound):
        uploads.find(name)


def link_out(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def link_to_nothing(path: Path) -> None:
    path.symlink_to(path.with_name("nothing"))


def listen_at(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


NO_FILES = {
    "a link out of the store": link_out,
    "a link to nothing": link_to_nothing,
    "a pipe": os.mkfifo,
    "a socket": listen_at,
    "a folder": os.mkdir,
}


@pytest.mark.parametrize("make", NO_FILES.values(), ids=NO_FILES)
def test_finds_only_files(uploads: AccountUploads, folder: Path, make: Callable[[Path], None]) -> None:
    """Not a link or a device with an upload's name, which would lead elsewhere or never end."""
    make(folder / "0123456789ab_a")
    with pytest.raises(UploadNotFound):
        uploads.find("0123456789ab_a")


@pytest.mark.parametrize("make", NO_FILES.values(), ids=NO_FILES)
def test_removes_only_files(store: UploadStore, folder: Path, make: Callable[[Path], None]) -> None:
    """The API starts whatever has the name of a partial upload."""
    make(folder / "0123456789abcdef.partial")
    store.remove_orphans()
    assert [path.name for path in folder.iterdir()] == ["0123456789abcdef.partial"]


@pytest.mark.parametrize(
    "name",
    ["0123456789ab_report.partial", "report.partial", "0123456789abcdef.partial.txt", "0123456789ABCDEF.partial"],
)
def test_another_partial_is_no_orphan(store: UploadStore, folder: Path, name: str) -> None:
    """Only names that the store itself generates: an upload may have such a name, too."""
    (folder / name).touch()
    store.remove_orphans()
    assert (folder / name).exists()


def test_an_orphan_that_cannot_be_opened_stays(
    store: UploadStore, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The API starts all the same, and names the file in the log."""
    orphan = folder / "0123456789abcdef.partial"
    orphan.touch()
    monkeypatch.setattr(fcntl, "flock", refuse)
    store.remove_orphans()
    assert orphan.exists()
    assert orphan.name in caplog.text


def refuse(*_: object) -> None:
    raise PermissionError

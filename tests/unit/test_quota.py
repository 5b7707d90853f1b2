"""UPLOAD_QUOTA_MB: an account's uploads never take more, and none is refused that fits."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.files import quota
from api.files.account import AccountUploads
from api.files.disk import file_status
from api.files.errors import QuotaExceeded, TooManyFiles
from api.files.store import UploadStore
from tests.support.fake_ollama import FakeOllama, wait_until
from tests.unit.files import END, FORM_TYPE, part, send, upload
from tests.unit.people import add_person
from tests.unit.serving import Gateway, serve

MEBIBYTE = 1024 * 1024
PROCESSES, UPLOADS_EACH = 5, 20
# Ten threads of a process upload files of different sizes at once. Prints what was stored and what was refused.
UPLOAD = """
import json, random, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from api.files.errors import QuotaExceeded
from api.files.store import UploadStore
uploads = UploadStore(Path(sys.argv[1]), 1, 1).of("ada")
chance = random.Random(int(sys.argv[2]))
def send(size):
    try:
        with uploads.receive(size) as partial:
            partial.write(bytes(size))
            return True, size, partial.commit("größe.txt")
    except QuotaExceeded:
        return False, size, ""
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(10) as pool:
    print(json.dumps(list(pool.map(send, [chance.randint(0, 60_000) for _ in range(int(sys.argv[3]))]))))
"""
# Kills its own process where the upload would get its name.
KILLED = """
import os, signal, sys
def hook(event, _):
    if event == "os.rename": os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
"""


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    """One MB for each account."""
    return UploadStore(tmp_path, 5, 1)


@pytest.fixture
def uploads(store: UploadStore) -> AccountUploads:
    return store.of("ada")


def commit(uploads: AccountUploads, size_bytes: int, name: str = "a.txt") -> str:
    with uploads.receive() as partial:
        partial.write(bytes(size_bytes))
        return partial.commit(name)


def fits(uploads: AccountUploads, size_bytes: int) -> bool:
    try:
        commit(uploads, size_bytes)
    except QuotaExceeded:
        return False
    return True


def on_disk(uploads: AccountUploads) -> int:
    return sum(file.size_bytes for file in uploads.stored())


def make_old(path: Path) -> None:
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))


def uploading(uploads: AccountUploads, script: str, seed: int = 0, number: int = UPLOADS_EACH) -> subprocess.Popen[str]:
    """Another process of the same store, which waits for a line."""
    command = [sys.executable, "-c", script, str(uploads.folder.parent), str(seed), str(number)]
    process = subprocess.Popen(
        command, cwd=Path(__file__).parents[2], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def test_takes_as_much_as_the_quota_to_the_byte(uploads: AccountUploads) -> None:
    """And an empty file at last; then nothing but empty files."""
    assert fits(uploads, MEBIBYTE - 10)
    assert not fits(uploads, 11)
    assert fits(uploads, 10)
    assert not fits(uploads, 1)
    assert fits(uploads, 0)
    assert on_disk(uploads) == MEBIBYTE


def test_a_refused_upload_leaves_nothing(uploads: AccountUploads) -> None:
    """Neither a part of it nor its name."""
    commit(uploads, MEBIBYTE)
    before = sorted(uploads.folder.iterdir())
    with pytest.raises(QuotaExceeded):
        commit(uploads, 1, "größe.txt")
    assert sorted(uploads.folder.iterdir()) == before


@pytest.mark.parametrize("quota_mb", [0, 1])
def test_there_is_an_end_to_small_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota_mb: int) -> None:
    """They cost no quota. Whoever deletes one may store another."""
    monkeypatch.setattr(quota, "MAX_FILES", 3)
    uploads = UploadStore(tmp_path, 5, quota_mb).of("ada")
    names = [commit(uploads, 0) for _ in range(3)]
    with pytest.raises(TooManyFiles, match=r"Delete some"):
        commit(uploads, 0)
    uploads.delete(names[0])
    assert fits(uploads, 1)
    assert len(uploads.stored()) == 3


def test_nothing_is_counted_without_a_quota(tmp_path: Path) -> None:
    """UPLOAD_QUOTA_MB=0."""
    uploads = UploadStore(tmp_path, 5, 0).of("ada")
    assert uploads.quota_bytes is None
    assert fits(uploads, MEBIBYTE)
    assert fits(uploads, 3 * MEBIBYTE)


def test_each_account_has_its_own(store: UploadStore) -> None:
    """Another's files count for nothing."""
    assert fits(store.of("ada"), MEBIBYTE)
    assert fits(store.of("bob"), MEBIBYTE)


def test_what_is_deleted_makes_room_at_once(uploads: AccountUploads) -> None:
    """By the account or by hand, whether its size was remembered or not."""
    for remove in (uploads.delete, lambda name: (uploads.folder / name).unlink()):
        for age in (lambda _: None, make_old):
            name = commit(uploads, MEBIBYTE)
            age(uploads.folder / name)
            assert not fits(uploads, 1)
            remove(name)
            assert fits(uploads, 0)
            for file in uploads.stored():
                uploads.delete(file.name)


def test_room_that_is_made_during_an_upload_counts(uploads: AccountUploads) -> None:
    """It is counted again before the upload is refused."""
    name = commit(uploads, MEBIBYTE // 2)
    store = UploadStore(uploads.folder.parent, 5, 2).of("ada")
    with store.receive(MEBIBYTE) as partial:
        partial.write(bytes(3 * MEBIBYTE // 2))
        uploads.delete(name)
        partial.write(bytes(MEBIBYTE // 2))
        partial.commit("a.txt")
    assert on_disk(store) == 2 * MEBIBYTE


def test_files_of_an_earlier_version_count(store: UploadStore) -> None:
    """Those of the settings' account, in the root and linked into its folder: once."""
    old = store.folder / "0123456789ab_old.txt"
    old.write_bytes(bytes(MEBIBYTE // 2))
    for _ in range(2):
        assert fits(store.of("settings"), 1)
        assert not fits(store.of("settings"), MEBIBYTE // 2)
        make_old(old)
        store.adopt()
    assert fits(store.of("settings"), MEBIBYTE // 2 - 2)


def test_a_size_is_read_once(uploads: AccountUploads, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ten thousand files that is what would make each upload slow."""
    for _ in range(5):
        make_old(uploads.folder / commit(uploads, 10))
    assert fits(uploads, 0)
    asked: list[Path] = []

    def count(path: Path) -> os.stat_result | None:
        asked.append(path)
        return file_status(path)

    monkeypatch.setattr(quota, "file_status", count)
    commit(uploads, 0)
    assert len(asked) == 1  # the empty one is new
    assert not fits(uploads, MEBIBYTE - 49)


def test_a_file_that_still_grows_is_read_again(uploads: AccountUploads) -> None:
    """Somebody is copying it into the store."""
    path = uploads.make_folder() / "0123456789ab_a.txt"
    for size in (MEBIBYTE // 2, MEBIBYTE):
        path.write_bytes(bytes(size))
        assert not fits(uploads, MEBIBYTE - size + 1)


def test_few_sizes_are_remembered(store: UploadStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many accounts: memory is bounded."""
    monkeypatch.setattr(quota, "MAX_REMEMBERED", 10)
    for number in range(30):
        account = store.of(f"a{number}")
        make_old(account.folder / commit(account, 1))
        assert not fits(account, MEBIBYTE)
    assert sum(map(len, store.quotas._remembered.values())) <= 11  # noqa: SLF001


def test_racing_uploads_of_several_processes_never_exceed_it(uploads: AccountUploads) -> None:
    """At no moment; and each that was refused would not fit now either, although nothing was deleted."""
    processes = [uploading(uploads, UPLOAD, seed) for seed in range(PROCESSES)]
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    seen = []
    while any(process.poll() is None for process in processes):
        seen.append(on_disk(uploads))
    results = [result for process in processes for result in json.loads(process.communicate()[0])]
    stored = {name: size for is_stored, size, name in results if is_stored}
    refused = [size for is_stored, size, _ in results if not is_stored]
    assert {file.name: file.size_bytes for file in uploads.stored()} == stored
    assert max(seen) <= sum(stored.values()) <= MEBIBYTE
    assert len(stored) + len(refused) == PROCESSES * UPLOADS_EACH
    assert refused
    assert min(refused) > MEBIBYTE - sum(stored.values())


def test_a_kill_in_between_changes_nothing(uploads: AccountUploads) -> None:
    """The process that was storing a file held the lock; what it left is not counted, and goes at the next start."""
    process = uploading(uploads, KILLED + UPLOAD, number=1)
    process.communicate("\n")
    assert process.returncode == -9
    assert [path.suffix for path in uploads.folder.glob("*.partial")] == [".partial"]
    assert fits(uploads, MEBIBYTE)
    UploadStore(uploads.folder.parent, 1).tidy()
    assert len(list(uploads.folder.iterdir())) == 1


@pytest.fixture(scope="module")
def small(shared_ollama: FakeOllama, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """1 MB for each account."""
    folder = tmp_path_factory.mktemp("quota")
    with serve(folder, shared_ollama.url, upload_quota_mb=1, max_upload_mb=20) as gateway:
        yield gateway


def empty(gateway: Gateway) -> None:
    for file in gateway.client.get("/files").json()["files"]:
        gateway.client.delete(file["download_path"])


def test_the_answer_says_what_is_used_and_what_to_do(small: Gateway) -> None:
    """507, in other words than those of a full disk."""
    empty(small)
    assert upload(small, b"a" * (MEBIBYTE * 3 // 4)).status_code == 200
    answer = upload(small, b"a" * MEBIBYTE)
    assert answer.status_code == 507
    words = answer.json()["detail"]
    assert all(part in words for part in ("0.8 of 1 MB", "UPLOAD_QUOTA_MB", "DELETE /files/{filename}"))
    assert "disk" not in words
    assert upload(small, b"a" * (MEBIBYTE // 4)).status_code == 200
    listing = small.client.get("/files").json()
    assert (listing["used_bytes"], listing["quota_bytes"]) == (MEBIBYTE, MEBIBYTE)


def test_without_a_quota_the_list_has_none(gateway: Gateway, small: Gateway) -> None:
    """null with 0; by default 2,048 MB."""
    assert gateway.client.get("/files").json()["quota_bytes"] == 2048 * MEBIBYTE
    member = add_person(small).session
    assert member.get("/files").json()["quota_bytes"] == MEBIBYTE


def head(gateway: Gateway, *lines: str) -> bytes:
    fields = ["POST /upload HTTP/1.1", "Host: x", f"Authorization: Bearer {gateway.token}"]
    return "\r\n".join([*fields, f"Content-Type: {FORM_TYPE}", *lines, "", ""]).encode()


def status_of(connection: socket.socket) -> int:
    return int(connection.recv(65_536).split()[1])


def test_what_must_exceed_it_is_refused_before_it_arrives(small: Gateway) -> None:
    """Content-Length tells; nothing is stored, not even for a while."""
    empty(small)
    before = small.uploads()
    with small.connect() as connection:
        connection.sendall(head(small, f"Content-Length: {3 * MEBIBYTE}"))
        assert status_of(connection) == 507
        assert small.uploads() == before


def test_what_does_not_say_its_size_is_refused_once_it_exceeds_it(small: Gateway) -> None:
    """Long before its end, and it leaves nothing."""
    empty(small)
    before = small.uploads()
    chunk = b"a" * 65_536
    with small.connect() as connection:
        connection.sendall(head(small, "Transfer-Encoding: chunked"))
        for data in (part(b""), *[chunk] * 32):
            connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))
        assert status_of(connection) == 507
    wait_until(lambda: small.uploads() == before, "nothing of it is left")


def test_an_upload_that_fits_is_taken_with_its_envelope(small: Gateway) -> None:
    """Although the whole form is larger than the quota."""
    empty(small)
    other = b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\n' + b"x" * 2_000 + b"\r\n"
    assert send(small, other + part(b"a" * MEBIBYTE) + END).status_code == 200

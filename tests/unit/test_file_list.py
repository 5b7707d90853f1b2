"""GET /files and DELETE /files/{filename}: an account's own uploads, as the disk has them."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from api.errors import UploadNotFound
from api.files import original_names
from api.files.account import AccountUploads
from api.files.adoption import adopt
from api.files.store import UploadStore
from api.files.text import cache
from tests.support.fake_ollama import FakeOllama
from tests.unit.files import PNG, upload
from tests.unit.people import Person, add_person, make_key
from tests.unit.serving import Gateway, serve
from tests.unit.stores import ODD_NAMES

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    return UploadStore(tmp_path, 1)


@pytest.fixture
def uploads(store: UploadStore) -> AccountUploads:
    return store.of("ada")


def commit(uploads: AccountUploads, name: str = "a.txt", data: bytes = b"x") -> str:
    with uploads.receive() as partial:
        partial.write(data)
        return partial.commit(name)


def original_names_of(uploads: AccountUploads) -> list[str]:
    return [file.original_name for file in uploads.stored()]


def left(uploads: AccountUploads) -> list[str]:
    return sorted(path.name for path in uploads.folder.iterdir())


@pytest.fixture(scope="module", params=[False, True], ids=["direct", "behind nginx"])
def shared(
    request: pytest.FixtureRequest, shared_ollama: FakeOllama, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    with serve(tmp_path_factory.mktemp("files"), shared_ollama.url, behind_nginx=request.param) as gateway:
        yield gateway


@pytest.fixture
def member(shared: Gateway) -> Iterator[Person]:
    """A new account, without files."""
    person = add_person(shared)
    yield person
    assert shared.client.delete(f"/users/{person.id}").status_code == 204


def files(client: httpx.Client) -> list[dict[str, Any]]:
    answer = client.get("/files")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["files"]
    return found


def send_to(client: httpx.Client, name: str = "a.txt", data: bytes = b"hi") -> dict[str, Any]:
    answer = client.post("/upload", files={"file": (name, data)})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_lists_what_was_uploaded(shared: Gateway, member: Person) -> None:
    """With what the person called it, and where it is."""
    made = send_to(member.session, "Ürlaub 2026.png", PNG)
    listing = member.session.get("/files").json()
    (file,) = listing["files"]
    uploaded_at = datetime.fromisoformat(file.pop("uploaded_at"))
    assert file == {
        **made,
        "original_name": "Ürlaub 2026.png",
        "size": len(PNG),
        "media_type": "image/png",
    }
    assert abs(uploaded_at.timestamp() - datetime.now(UTC).timestamp()) < 60
    assert listing["used_bytes"] == len(PNG)
    assert shared.client.get("/files").json()["files"] == []


def test_an_account_without_uploads_has_an_empty_list(member: Person) -> None:
    """It has no folder yet."""
    listing = member.session.get("/files").json()
    assert (listing["files"], listing["used_bytes"]) == ([], 0)
    assert member.session.head("/files").status_code == 200


def test_the_newest_is_first(shared: Gateway, member: Person) -> None:
    """By the time of the upload."""
    names = [send_to(member.session)["filename"] for _ in range(3)]
    for age, name in zip((1, 2, 0), names, strict=True):
        os.utime(shared.settings.upload_dir / member.id / name, (NEW_YEAR - age, NEW_YEAR - age))
    assert [file["filename"] for file in files(member.session)] == [names[2], names[0], names[1]]
    assert files(member.session)[0]["uploaded_at"] == "2026-01-01T00:00:00Z"


def test_a_key_for_chats_lists_and_deletes(shared: Gateway, member: Person) -> None:
    """Scope `chat`: the caller's files. One without it gets nothing."""
    name = send_to(member.session)["filename"]
    key = shared.client_with(make_key(member.session)["key"])
    assert [file["filename"] for file in files(key)] == [name]
    other = shared.client_with(make_key(shared.client, scopes=["models"])["key"])
    assert (other.get("/files").status_code, other.delete(f"/files/{name}").status_code) == (403, 403)
    assert key.delete(f"/files/{name}").status_code == 204


def test_what_is_deleted_is_gone(shared: Gateway, member: Person) -> None:
    """From the list and from the disk; deleting it again is 404."""
    made = send_to(member.session, "日本語.txt")
    kept = send_to(member.session)
    answer = member.session.delete(made["download_path"])
    assert (answer.status_code, answer.content) == (204, b"")
    for method in ("GET", "DELETE"):
        again = member.session.request(method, made["download_path"])
        assert (again.status_code, again.json()) == (404, {"detail": "There is no such file."})
    assert [file["filename"] for file in files(member.session)] == [kept["filename"]]
    assert os.listdir(shared.settings.upload_dir / member.id) == [kept["filename"]]  # noqa: PTH208


def test_nobody_else_deletes_it(shared: Gateway, member: Person) -> None:
    """Not even an administrator, who gets the 404 of a file that does not exist."""
    path = send_to(member.session)["download_path"]
    answer = shared.client.delete(path)
    assert (answer.status_code, answer.json()) == (404, {"detail": "There is no such file."})
    assert len(files(member.session)) == 1


SPELLINGS = ["/{name}", "{name}/", "{name}%00", "{name}.", "{name}%0a", "{name}%20", "{name}%3f", "{upper}", "{wide}"]
SPELLINGS += [
    "x%2f..%2f{name}",
    "..%2f{owner}%2f{name}",
    "{owner}%2f{name}",
    "%2e%2e",
    ".{name}",
    "%2a",
    "{digits}_%2a",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_another_spelling_deletes_nothing(member: Person, spelling: str) -> None:
    """404, as for a download."""
    name = send_to(member.session, "größe.txt")["filename"]
    wide = "".join(chr(ord(char) + 0xFEE0) if char.isalnum() else char for char in name)
    words = {"name": name, "upper": name.upper(), "digits": name[:12], "owner": member.id, "wide": quote(wide)}
    path = f"/files/{spelling.format(**words)}"
    assert [member.session.request(method, path).status_code for method in ("GET", "DELETE")] == [404, 404]
    assert [file["filename"] for file in files(member.session)] == [name]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_pages_of_the_usual_origins_may_list_and_delete(shared: Gateway, method: str) -> None:
    """A preflight allows both."""
    headers = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": method}
    answer = shared.stranger.options("/files/a", headers=headers)
    assert answer.status_code == 200
    assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")


def test_a_download_that_is_deleted_meanwhile_is_404(gateway: Gateway) -> None:
    """Found, and gone before it is opened."""
    path = upload(gateway, b"hi").json()["download_path"]
    find = AccountUploads.find

    def find_and_delete(self: AccountUploads, name: str) -> Path:
        found = find(self, name)
        found.unlink()
        return found

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(AccountUploads, "find", find_and_delete)
        answer = gateway.client.get(path)
    assert (answer.status_code, answer.json()) == (404, {"detail": "There is no such file."})


@pytest.mark.parametrize("name", ODD_NAMES, ids=lambda name: ascii(name[:20]))
def test_keeps_what_a_file_was_called(uploads: AccountUploads, name: str) -> None:
    """Whatever it was, up to a length; what is not Unicode is replaced."""
    commit(uploads, name)
    (file,) = uploads.stored()
    expected = name.encode("utf-8", "replace").decode()[: original_names.MAX_CHARACTERS]
    assert file.original_name == (expected or file.name[13:])


def test_a_plain_name_needs_no_second_file(uploads: AccountUploads) -> None:
    """The stored name says it."""
    name = commit(uploads, "report.pdf")
    assert left(uploads) == [name]
    assert original_names_of(uploads) == ["report.pdf"]


def test_a_file_that_nobody_described_is_listed(store: UploadStore) -> None:
    """Put there by hand, or by an earlier version: by its own name and time."""
    uploads = store.of("settings")
    folder = uploads.make_folder()
    for place in (folder / "0123456789ab_a.txt", store.folder / "0123456789ab_b.txt"):
        place.write_bytes(b"12")
        os.utime(place, (NEW_YEAR, NEW_YEAR))
    found = sorted(uploads.stored(), key=lambda file: file.name)
    assert [(file.original_name, file.size_bytes, file.stored_at_ns) for file in found] == [
        (name, 2, NEW_YEAR * 1_000_000_000) for name in ("a.txt", "b.txt")
    ]


def test_lists_nothing_but_uploads(store: UploadStore, uploads: AccountUploads) -> None:
    """No half-written ones, no links, no folders, and nothing that GET would not find."""
    folder = uploads.make_folder()
    (folder / "0123456789ab_link.txt").symlink_to("/etc/passwd")
    (folder / "0123456789ab_folder").mkdir()
    (folder / "notes.txt").touch()
    with uploads.receive() as partial:
        partial.write(b"x")
        assert uploads.stored() == []
    (store.folder / "0123456789ab_old.txt").touch()
    assert uploads.stored() == []


def test_a_file_in_two_places_is_one(store: UploadStore) -> None:
    """An earlier version's, linked into the folder of the settings' account: listed once, deleted in both."""
    uploads = store.of("settings")
    (store.folder / "0123456789ab_old.txt").write_bytes(b"12")
    adopt(store.folder, uploads.make_folder())
    assert [(file.name, file.size_bytes) for file in uploads.stored()] == [("0123456789ab_old.txt", 2)]
    uploads.delete("0123456789ab_old.txt")
    adopt(store.folder, uploads.folder)
    assert uploads.stored() == []


def test_an_adoption_brings_back_nothing_that_is_deleted(store: UploadStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of the two places was first."""
    uploads = store.of("settings")
    (store.folder / "0123456789ab_old.txt").touch()
    adopt(store.folder, uploads.make_folder())
    unlink = Path.unlink

    def unlink_and_adopt(path: Path, *, missing_ok: bool = False) -> None:
        unlink(path, missing_ok=missing_ok)
        adopt(store.folder, uploads.folder)

    monkeypatch.setattr(Path, "unlink", unlink_and_adopt)
    uploads.delete("0123456789ab_old.txt")
    assert uploads.stored() == []


def test_of_two_who_delete_a_file_one_did(uploads: AccountUploads) -> None:
    """The other gets a 404."""
    for _ in range(50):
        name = commit(uploads, "ä.txt")
        begin = threading.Barrier(2)
        deleted: list[str] = []

        def delete(name: str = name, begin: threading.Barrier = begin, deleted: list[str] = deleted) -> None:
            begin.wait()
            with suppress(UploadNotFound):
                uploads.delete(name)
                deleted.append(name)

        threads = [threading.Thread(target=delete) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert deleted == [name]
    assert left(uploads) == []


def test_lists_while_files_come_and_go(uploads: AccountUploads) -> None:
    """What stays is in every list, under its name."""
    kept = {commit(uploads, f"blieb {number}.txt"): f"blieb {number}.txt" for number in range(20)}
    done = threading.Event()

    def come_and_go() -> None:
        while not done.is_set():
            uploads.delete(commit(uploads, "geht wieder.txt"))

    threads = [threading.Thread(target=come_and_go) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(100):
            listed = {file.name: file.original_name for file in uploads.stored()}
            assert kept.items() <= listed.items()
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert {file.name: file.original_name for file in uploads.stored()} == kept


def test_a_name_that_is_gone_with_its_account_is_no_fault(store: UploadStore, uploads: AccountUploads) -> None:
    """A file takes the folder's place while somebody lists or deletes what was in it."""
    path = uploads.folder / commit(uploads, "größe.txt")
    store.remove(uploads.folder.name)
    original_names.forget(path)
    cache.forget(path)
    assert original_names.read(path.parent, path.name) == "groe.txt"


def test_a_name_without_its_file_goes_at_the_next_start(store: UploadStore, uploads: AccountUploads) -> None:
    """The file was removed by hand, or its process was killed; the other names stay."""
    kept, gone = commit(uploads, "bleibt so.txt"), commit(uploads, "weg damit.txt")
    (uploads.folder / gone).unlink()
    (uploads.folder / ".bashrc").touch()
    store.tidy()
    assert left(uploads) == sorted([".bashrc", f".{kept}", kept])
    assert original_names_of(uploads) == ["bleibt so.txt"]


def test_a_name_is_no_orphan_while_its_file_is_stored(
    store: UploadStore, uploads: AccountUploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that starts at this moment waits until it is."""
    keep = original_names.keep
    tidying = threading.Thread(target=store.tidy)

    def keep_while_another_starts(folder: Path, stored_name: str, name: str) -> None:
        keep(folder, stored_name, name)
        tidying.start()
        tidying.join(0.5)
        assert tidying.is_alive()

    monkeypatch.setattr(original_names, "keep", keep_while_another_starts)
    commit(uploads, "ein Name.txt")
    tidying.join()
    assert original_names_of(uploads) == ["ein Name.txt"]

"""GET /files/{filename}/text: what a model is given of a document."""

import asyncio
import os
import zlib
from pathlib import Path

import httpx
import pytest

from api.errors import InvalidBody
from api.files.names import STORED_NAME, TEXT_NAME, text_name
from api.files.store import UploadStore
from api.files.text.errors import ReaderBusy
from api.files.text.pages import page_ranges
from api.files.text.texts import MAX_WAITING, Texts
from api.files.text.tokens import estimated_tokens
from reader.answers import PageRanges, Question, Reading, Reason, Unreadable
from tests.support import documents
from tests.support.fake_ollama import wait_until
from tests.unit.conftest import Serve
from tests.unit.files import upload
from tests.unit.people import add_person
from tests.unit.readings import readings_of
from tests.unit.serving import Gateway


class ScriptedReader:
    """In the place of the one that reads."""

    def __init__(self, result: Reading | Reason, number: int | None = None) -> None:
        self.result, self.number = result, number
        self.questions: list[Question] = []

    async def read(self, file: int, question: Question) -> Reading:
        assert os.fstat(file).st_size
        self.questions.append(question)
        if isinstance(self.result, Reading):
            return self.result
        raise Unreadable(self.result, self.number)


def use(gateway: Gateway, reader: ScriptedReader) -> ScriptedReader:
    gateway.app.state.parts.texts._reader = reader  # noqa: SLF001
    return reader


def stored(gateway: Gateway, data: bytes = b"hello", name: str = "a.txt") -> str:
    answer = upload(gateway, data, name)
    assert answer.status_code == 200, answer.text
    filename: str = answer.json()["filename"]
    return filename


def text_of(gateway: Gateway, filename: str, pages: str | None = None) -> httpx.Response:
    return gateway.client.get(f"/files/{filename}/text", params={"pages": pages} if pages else None)


def texts_in(gateway: Gateway) -> list[Path]:
    return [path for path in gateway.settings.upload_dir.rglob("*") if TEXT_NAME.fullmatch(path.name)]


def test_gives_the_text_of_a_pdf(gateway: Gateway) -> None:
    """Of all its pages, or of some; with its size, for whoever has to fit it into a context."""
    filename = stored(gateway, documents.pdf(pages=3), "report.pdf")
    answer = text_of(gateway, filename).json()
    assert answer == {
        "filename": filename,
        "text": answer["text"],
        "format": "plain",
        "pages": 3,
        "characters": len(answer["text"]),
        "estimated_tokens": answer["estimated_tokens"],
    }
    assert answer["text"].count("zebra") == 3
    assert 30 < answer["estimated_tokens"] < 80
    assert text_of(gateway, filename, "2").json()["text"].startswith("Page 2")


def test_gives_the_text_of_a_text_file(gateway: Gateway) -> None:
    """As it is, decoded."""
    filename = stored(gateway, "caf\u00e9".encode("utf-16"), "a.md")
    answer = text_of(gateway, filename)
    assert answer.headers["Content-Type"] == "application/json"
    assert (answer.json()["text"], answer.json()["pages"]) == ("caf\u00e9", None)


@pytest.mark.parametrize(
    ("name", "document", "expected"),
    [
        ("a.docx", documents.word(), "# Zebras"),
        ("a.xlsx", documents.excel(), "| zebra | 42 |"),
        ("a.pptx", documents.powerpoint(), "## Zebras"),
        ("a.odt", documents.open_document(), "A zebra crosses"),
        ("a.rtf", documents.RICH_TEXT, "**crosses**"),
        ("a.epub", documents.book(), "# Zebras"),
        ("a.csv", "Straße;Preis\nMüller;5,00 €\n".encode("cp1252"), "Müller;5,00 €"),
    ],
)
def test_what_is_accepted_is_read(gateway: Gateway, name: str, document: bytes, expected: str) -> None:
    """Office documents as Markdown, text in other encodings decoded."""
    assert expected in text_of(gateway, stored(gateway, document, name)).json()["text"]


def test_head_is_answered_too(gateway: Gateway) -> None:
    """Without the text."""
    answer = gateway.client.head(f"/files/{stored(gateway)}/text")
    assert (answer.status_code, answer.content) == (200, b"")


def test_another_accounts_file_is_404(serve_with: Serve) -> None:
    """As for its download, for administrators too, and whether it was read before or not."""
    gateway = serve_with()
    filename = stored(gateway)
    member = add_person(gateway)
    for _ in range(2):
        assert member.session.get(f"/files/{filename}/text").status_code == 404
        assert text_of(gateway, filename).status_code == 200
    for name in (filename[:12] + "_b.txt", text_name(filename), "..%2fsettings%2f" + filename):
        assert gateway.client.get(f"/files/{name}/text").status_code == 404


@pytest.mark.parametrize(
    ("pages", "expected"),
    [("3", ((3, 3),)), ("1-10", ((1, 10),)), ("5-7,2", ((2, 2), (5, 7))), ("1,1", ((1, 1),)), ("1-1", ((1, 1),))],
)
def test_pages_are_numbers_and_ranges(pages: str, expected: PageRanges) -> None:
    assert page_ranges(pages) == expected


@pytest.mark.parametrize(
    "pages",
    ["", "0", "01", "-1", "1-", "-", "a", "1,", ",", "3-1", "1 - 2", "1..2", "1234567", "\u0661", "1\n", "1," * 99],
)
def test_other_pages_are_refused(gateway: Gateway, pages: str) -> None:
    """422, with how to write them."""
    with pytest.raises(InvalidBody, match="2,5-7"):
        page_ranges(pages)
    answer = gateway.client.get(f"/files/{stored(gateway)}/text", params={"pages": pages})
    assert answer.status_code == 422
    assert "2,5-7" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("reason", "number", "status", "words"),
    [
        (Reason.SCAN, None, 422, "is a scan: its pages are pictures"),
        (Reason.PICTURE, None, 422, "is a picture"),
        (Reason.EMPTY, None, 422, "no text"),
        (Reason.BINARY, None, 422, "neither text nor a document"),
        (Reason.ENCRYPTED, None, 422, "protected with a password"),
        (Reason.BROKEN, None, 422, "damaged, or too complex"),
        (Reason.TOO_LARGE, None, 422, "more memory"),
        (Reason.TOO_LONG, None, 422, "longer than 2,000,000 characters. Split it"),
        (Reason.TOO_LONG, 350, 422, "up to page 350. Ask for fewer"),
        (Reason.NO_SUCH_PAGE, 9, 422, "has 9 pages"),
        (Reason.NOT_LINUX, None, 422, "Run LocalChat with Docker"),
        (Reason.NO_PAGES, None, 422, "only PDFs do"),
        (Reason.SLOW, None, 504, "takes too long. Ask for fewer pages"),
        (Reason.BUSY, None, 503, "try again"),
    ],
)
def test_where_there_is_no_text_it_says_why(
    serve_with: Serve, reason: Reason, number: int | None, status: int, words: str
) -> None:
    """And what to do about it, under the name that its owner knows. It is asked anew the next time."""
    gateway = serve_with()
    reader = use(gateway, ScriptedReader(reason, number))
    filename = stored(gateway, documents.pdf(), "report.pdf")
    for _ in range(2):
        answer = text_of(gateway, filename)
        assert answer.status_code == status
        assert words in answer.json()["detail"]
        assert status == 503 or "report.pdf" in answer.json()["detail"]
        assert ("Retry-After" in answer.headers) == (status == 503)
    assert len(reader.questions) == 2


def test_every_reason_has_words(serve_with: Serve) -> None:
    """None is a 500."""
    gateway = serve_with()
    filename = stored(gateway)
    for reason in Reason:
        use(gateway, ScriptedReader(reason))
        assert text_of(gateway, filename).status_code in (422, 503, 504)


def test_a_picture_is_not_read_at_all(serve_with: Serve) -> None:
    """Its name says what it is."""
    gateway = serve_with()
    reader = use(gateway, ScriptedReader(Reading("a", "plain", None)))
    filename = stored(gateway, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(60), "a.png")
    assert text_of(gateway, filename).status_code == 422
    assert reader.questions == []


def test_a_text_is_read_once(serve_with: Serve) -> None:
    """Kept beside the upload, compressed; for other pages it is read anew."""
    gateway = serve_with()
    reader = use(gateway, ScriptedReader(Reading("a\u20ac" * 9_000, "plain", 7)))
    filename = stored(gateway, b"hello", "A.TXT")
    first = [text_of(gateway, filename).json() for _ in range(3)]
    assert first == [first[0]] * 3
    assert reader.questions == [Question(".txt")]
    (kept,) = texts_in(gateway)
    assert (kept.parent.name, kept.name) == ("settings", text_name(filename))
    assert kept.stat().st_size < 1_000
    assert not STORED_NAME.fullmatch(kept.name)
    assert text_of(gateway, filename, "1-2").json()["pages"] == 7
    assert reader.questions[1:] == [Question(".txt", ((1, 2),))]


@pytest.mark.parametrize("damage", [b"", b"no zlib", zlib.compress(b"no JSON"), None])
def test_a_damaged_text_is_read_again(serve_with: Serve, damage: bytes | None) -> None:
    """As is one of another upload with the same digits."""
    gateway = serve_with()
    reader = use(gateway, ScriptedReader(Reading("a", "plain", None)))
    filename = stored(gateway)
    text_of(gateway, filename)
    (kept,) = texts_in(gateway)
    if damage is None:
        other = kept.with_name(filename.replace("a.txt", "b.txt"))
        kept.with_name(filename).rename(other)
        filename = other.name
    else:
        kept.write_bytes(damage)
    assert [text_of(gateway, filename).json()["text"] for _ in range(2)] == ["a", "a"]
    assert len(reader.questions) == 2


def test_a_text_goes_with_its_upload(serve_with: Serve) -> None:
    """At once, or at the next start if it was deleted by hand."""
    gateway = serve_with()
    use(gateway, ScriptedReader(Reading("a", "plain", None)))
    gone, kept = stored(gateway), stored(gateway)
    for filename in (gone, kept):
        text_of(gateway, filename)
    assert gateway.client.delete(f"/files/{gone}").status_code == 204
    assert [path.name for path in texts_in(gateway)] == [text_name(kept)]
    store: UploadStore = gateway.app.state.parts.uploads
    store.of("settings").find(kept).unlink()
    store.tidy()
    assert texts_in(gateway) == []


def test_a_text_is_no_upload(serve_with: Serve) -> None:
    """It is not listed, and takes up nothing of a quota."""
    gateway = serve_with()
    use(gateway, ScriptedReader(Reading("a", "plain", None)))
    filename = stored(gateway)
    listed = gateway.client.get("/files").json()
    text_of(gateway, filename)
    assert len(texts_in(gateway)) == 1
    assert gateway.client.get("/files").json() == listed


def test_a_text_goes_with_its_account(serve_with: Serve) -> None:
    """Everything in its folder does."""
    gateway = serve_with()
    member = add_person(gateway)
    use(gateway, ScriptedReader(Reading("a", "plain", None)))
    form = {"file": ("a.txt", b"hello")}
    filename = member.session.post("/upload", files=form).json()["filename"]
    assert member.session.get(f"/files/{filename}/text").status_code == 200
    assert len(texts_in(gateway)) == 1
    assert gateway.client.delete(f"/users/{member.id}").status_code == 204
    assert texts_in(gateway) == []


def test_an_upload_that_is_deleted_while_it_is_read_leaves_no_text(serve_with: Serve) -> None:
    """Whoever is reading it still gets it."""
    gateway = serve_with()
    filename = stored(gateway)

    class Deleting(ScriptedReader):
        async def read(self, file: int, question: Question) -> Reading:
            gateway.app.state.parts.uploads.of("settings").find(filename).unlink()
            return await super().read(file, question)

    use(gateway, Deleting(Reading("a", "plain", None)))
    assert text_of(gateway, filename).json()["text"] == "a"
    assert texts_in(gateway) == []


def test_an_account_that_is_deleted_while_its_file_is_read_gets_an_answer(serve_with: Serve) -> None:
    """A file is in its folder's place then: that is no 500."""
    gateway = serve_with()
    member = add_person(gateway)
    filename = member.session.post("/upload", files={"file": ("a.txt", b"hello")}).json()["filename"]

    class Deleting(ScriptedReader):
        async def read(self, file: int, question: Question) -> Reading:
            gateway.app.state.parts.uploads.remove(member.id)
            return await super().read(file, question)

    use(gateway, Deleting(Reading("a", "plain", None)))
    assert member.session.get(f"/files/{filename}/text").json()["text"] == "a"
    assert texts_in(gateway) == []


def test_an_upload_that_is_deleted_before_it_is_read_is_404(serve_with: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the search for it and the reading."""
    gateway = serve_with()
    monkeypatch.setattr("api.files.text.texts.kept", lambda upload, _pages: upload.unlink())
    answer = text_of(gateway, stored(gateway))
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no such file.")


def test_a_full_disk_keeps_no_text_but_gives_it(serve_with: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is half-written is gone."""
    gateway = serve_with()
    use(gateway, ScriptedReader(Reading("a", "plain", None)))
    filename = stored(gateway)
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert text_of(gateway, filename).json()["text"] == "a"
    assert [path.name for path in gateway.uploads()] == [filename]


def test_a_client_that_leaves_ends_the_reading(serve_with: Serve) -> None:
    """At once; nobody waits for it any more."""
    gateway = serve_with()
    filename = stored(gateway, documents.pdf_of_a_million_pages(), "a.pdf")
    request = f"GET /files/{filename}/text HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gateway.token}\r\n\r\n"
    with gateway.connect() as connection:
        connection.sendall(request.encode())
        wait_until(lambda: readings_of(os.getpid()), "it is being read")
    wait_until(lambda: not readings_of(os.getpid()), "the reading has ended")


def test_others_are_served_while_one_is_read(serve_with: Serve) -> None:
    """Reading is not done on the event loop."""
    gateway = serve_with()
    filename = stored(gateway, documents.pdf_of_a_million_pages(), "a.pdf")
    request = f"GET /files/{filename}/text HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gateway.token}\r\n\r\n"
    with gateway.connect() as connection:
        connection.sendall(request.encode())
        wait_until(lambda: readings_of(os.getpid()), "it is being read")
        assert gateway.client.get("/live").status_code == 200
        assert readings_of(os.getpid())


def commit(store: UploadStore, account: str) -> str:
    with store.of(account).receive() as partial:
        partial.write(account.encode())
        return partial.commit("a.txt")


def test_an_account_has_one_document_read_at_a_time(tmp_path: Path) -> None:
    """However many it asks for, others get their turn. Its own line is bounded; the rest is told to try again."""
    store = UploadStore(tmp_path, 1)
    names = {account: commit(store, account) for account in ("ada", "bob")}
    began: list[str] = []

    class Waiting(ScriptedReader):
        async def read(self, file: int, question: Question) -> Reading:
            began.append(os.pread(file, 3, 0).decode())
            await release.wait()
            return await super().read(file, question)

    release = asyncio.Event()
    texts = Texts(store, Waiting(Reading("a", "plain", None)))

    async def ask() -> list[Reading | BaseException]:
        of_ada = [asyncio.create_task(texts.of("ada", names["ada"])) for _ in range(MAX_WAITING + 4)]
        of_bob = asyncio.create_task(texts.of("bob", names["bob"]))
        await asyncio.to_thread(wait_until, lambda: sum(task.done() for task in of_ada) == 3, "three are refused")
        await asyncio.to_thread(wait_until, lambda: len(began) == 2, "two are being read")
        assert sorted(began) == ["ada", "bob"]
        release.set()
        return await asyncio.gather(*of_ada, of_bob, return_exceptions=True)

    outcomes = asyncio.run(ask())
    assert sum(isinstance(outcome, ReaderBusy) for outcome in outcomes) == 3
    assert sum(isinstance(outcome, Reading) for outcome in outcomes) == MAX_WAITING + 2


def test_without_the_service_it_says_so(serve_with: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind nginx a service reads. 503 with Retry-After once it has stayed away for a while."""
    monkeypatch.setattr("api.files.text.service.AWAY_SECONDS", 0.1)
    gateway = serve_with(behind_nginx=True)
    answer = text_of(gateway, stored(gateway))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "docker compose logs reader" in answer.json()["detail"]


def test_tokens_are_estimated_by_what_letters_are() -> None:
    """English four letters each; digits and other scripts one."""
    assert estimated_tokens("") == 0
    assert estimated_tokens("abcd" * 10) == 10
    assert estimated_tokens("2026") == 4
    assert estimated_tokens("\u4f60\u597d") == 2

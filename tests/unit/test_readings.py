"""The text in documents, each read in a process of its own."""

import asyncio
import os
from pathlib import Path

import pytest

from reader import apart
from reader.answers import Question, Reading, Reason, Unreadable, line_with, reading_in
from tests.support import documents
from tests.unit.readings import read, reason

GERMAN = "Größe „so“ – 5 €; Straße, Mädchen, café."  # noqa: RUF001
CHINESE = "你好，世界。这是一个用于测试编码的中文文本文件。"  # noqa: RUF001
JAPANESE = "こんにちは、世界。これは日本語の文章です。"
RUSSIAN = "Привет, мир. Это русский текст."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *[(GERMAN, name) for name in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252")],
        ("Straße;Preis\r\nMüller;5,00 €\r\n", "cp1252"),
        ("Müller", "cp1252"),
        (CHINESE, "gbk"),
        ("姓名,年龄\n张三,25\n", "gbk"),
        (JAPANESE, "shift_jis"),
        (RUSSIAN, "cp1251"),
        ("", "utf-8"),
    ],
)
def test_text_is_decoded_from_its_encoding(text: str, encoding: str) -> None:
    """Marked or guessed; line ends are line feeds."""
    if not text:
        assert reason(b"", ".txt") is Reason.EMPTY
        return
    assert read(text.encode(encoding), ".txt") == Reading(text.replace("\r\n", "\n").strip(), "plain", None)


def test_one_bad_byte_spoils_no_text() -> None:
    """It is UTF-8 all the same."""
    assert read((GERMAN * 9).encode() + b"\xff" + GERMAN.encode(), ".md").text == GERMAN * 9 + "\ufffd" + GERMAN


@pytest.mark.parametrize("suffix", [".html", ".json", ".csv", ".py", ".md", ""])
def test_what_is_text_stays_as_it_is(suffix: str) -> None:
    """Markup, data and code mean something to a model."""
    text = '<b>{"a": [1, 2]}</b>\n# not a heading\n  indented,;\t"x"'
    assert read(text.encode(), suffix).text == text


def test_a_pdf_is_read_page_by_page() -> None:
    """In the document's order, each page once, and only those that are wanted."""
    document = documents.pdf(pages=9)
    whole = read(document, ".pdf")
    assert (whole.pages, whole.format, whole.text.count("zebra")) == (9, "plain", 9)
    some = read(document, ".pdf", ((2, 3), (3, 4), (9, 9)))
    assert [line[:6] for line in some.text.split("\n\n")] == ["Page 2", "Page 3", "Page 4", "Page 9"]
    assert some.pages == 9


def test_a_page_that_does_not_exist_is_told_from_those_that_do() -> None:
    with pytest.raises(Unreadable) as caught:
        read(documents.pdf(pages=3), ".pdf", ((2, 4),))
    assert (caught.value.reason, caught.value.number) == (Reason.NO_SUCH_PAGE, 3)


@pytest.mark.parametrize(
    ("document", "suffix", "expected"),
    [
        (documents.word(), ".docx", "# Zebras\n\nThey cross the street \u00e4\u00f6\u00fc.\n\n| stripes | many |"),
        (documents.excel(), ".xlsx", "| zebra | 42 |"),
        (documents.powerpoint(), ".pptx", "## Zebras\n\nThey cross the street"),
        (documents.open_document(), ".odt", "A zebra crosses the street"),
        (documents.word(), ".docm", "# Zebras"),
        (documents.excel(), ".xltx", "| zebra | 42 |"),
        (documents.powerpoint(), ".ppsx", "## Zebras"),
        (documents.RICH_TEXT, ".rtf", "A zebra **crosses** the straße"),
        (documents.book(), ".epub", "# Zebras\n\nThey cross the street"),
    ],
    ids=["word", "excel", "powerpoint", "open document", "macros", "template", "slideshow", "rich text", "book"],
)
def test_office_documents_become_markdown(document: bytes, suffix: str, expected: str) -> None:
    """Headings and tables stay what they are."""
    reading = read(document, suffix)
    assert expected in reading.text
    assert (reading.format, reading.pages) == ("markdown", None)


@pytest.mark.parametrize(
    ("document", "suffix", "expected"),
    [
        (documents.scan(), ".pdf", Reason.SCAN),
        (documents.pdf(lines=0), ".pdf", Reason.EMPTY),
        (documents.encrypted_pdf("secret"), ".pdf", Reason.ENCRYPTED),
        (documents.encrypted_pdf(""), ".pdf", None),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), ".docx", Reason.ENCRYPTED),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "", Reason.PICTURE),
        (b" \n\t", ".txt", Reason.EMPTY),
        (bytes(range(256)) * 4, "", Reason.BINARY),
        (documents.open_document(), ".odp", Reason.BINARY),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), ".doc", Reason.BINARY),
        (b"hello", ".pdf", Reason.BROKEN),
        (b"hello", ".docx", Reason.BROKEN),
        (documents.archive({"a.txt": b"hello"}), ".xlsx", Reason.BROKEN),
    ],
)
def test_where_there_is_no_text_the_reason_is_told(document: bytes, suffix: str, expected: Reason | None) -> None:
    """A person can do something about each."""
    assert reason(document, suffix) is expected


def test_a_text_about_a_format_is_a_text() -> None:
    """Although it begins as such a picture does."""
    assert read(b"GIF89a is a format.", ".txt").text == "GIF89a is a format."


def test_where_no_process_can_be_confined_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS; it does not say that the document is damaged."""
    monkeypatch.setattr(apart, "CAN_SURRENDER", False)
    assert reason(b"hello", ".txt") is Reason.NOT_LINUX


def test_only_pdfs_have_pages_to_choose() -> None:
    for document, suffix in ((b"hello", ".txt"), (documents.word(), ".docx")):
        assert reason(document, suffix, ((1, 1),)) is Reason.NO_PAGES


def test_a_long_text_is_refused_and_not_cut() -> None:
    """Of a PDF it is told how far it fits."""
    assert reason(b"a" * 2_000_000, ".txt") is None
    assert reason(b"a" * 2_000_001, ".txt") is Reason.TOO_LONG
    assert reason(b"a" * 9_000_000, ".txt") is Reason.TOO_LONG


def test_of_a_long_pdf_it_is_told_how_far_it_fits() -> None:
    with pytest.raises(Unreadable) as caught:
        read(documents.long_pdf(400), ".pdf")
    assert caught.value.reason is Reason.TOO_LONG
    assert caught.value.number is not None
    assert 300 < caught.value.number < 400
    with pytest.raises(Unreadable) as of_some:
        read(documents.long_pdf(450), ".pdf", ((51, 450),))
    assert of_some.value.number == 50 + caught.value.number


@pytest.mark.parametrize("answer", ["", "{"])
def test_a_process_that_ends_without_a_whole_answer_gives_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    """However well it says that it ended: the API would take it for a service that was killed, and ask again."""
    (tmp_path / "reader").mkdir()
    (tmp_path / "reader/__init__.py").touch()
    (tmp_path / "reader/child.py").write_text(f"print({answer!r}, end='')")
    monkeypatch.setattr(apart, "ROOT", tmp_path)
    with open(os.devnull, "rb") as file, pytest.raises(Unreadable, match="broken"):  # noqa: PTH123
        asyncio.run(apart.Apart().answer(file.fileno(), Question(".txt")))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"text": 1, "format": "plain", "pages": null}',
        b'{"text": "a", "format": "html", "pages": null}',
        b'{"text": "a", "format": "plain", "pages": "1"}',
        b'{"text": "a", "format": "plain", "pages": true}',
        b'{"text": "\\ud800", "format": "plain", "pages": null}',
        b'{"text": "' + b"a" * 2_000_001 + b'", "format": "plain", "pages": null}',
        b'{"reason": "<b>", "number": null}',
        b'{"reason": "scan", "number": "<b>"}',
        b"[" * 100_000,
    ],
    ids=lambda answer: repr(answer[:40]),
)
def test_an_answer_is_not_taken_on_trust(answer: bytes) -> None:
    """A document may have taken over the process that gave it."""
    with pytest.raises(Unreadable) as caught:
        reading_in(answer)
    assert caught.value.reason is Reason.BROKEN


def test_questions_and_answers_arrive_as_they_were_sent() -> None:
    for question in (Question(".pdf"), Question("", ((1, 2), (9, 9)))):
        assert Question.of(question.line()) == question
    reading = Reading("a\u20ac\n\U0001f999", "markdown", 3)
    assert reading_in(line_with(reading)) == reading

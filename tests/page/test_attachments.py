"""Files in a question: chosen, dropped or pasted; uploading, uploaded or rejected; and what the model gets."""

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.page import samples
from tests.page.person import Person
from tests.page.scripted import ScriptedOllama, model
from tests.page.trouble import Trouble
from tests.support.stack import Stack, until

NOTES = samples.file("notes.txt", b"Buy bread.")
EXE = samples.file("program.exe", b"MZ\0\0", "application/octet-stream")
PDF = samples.file("paper.pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n", "application/pdf")
SEES = model("sees:1b", "vision")
BLIND = model("blind:1b")
MEBIBYTE = 1024 * 1024
# Moves bytes as base64 into and out of the page.
TAKE = """(page, [event, files]) => {
  const data = new DataTransfer();
  for (const [name, type, content] of files) {
    if (name) data.items.add(new File([Uint8Array.from(atob(content), (one) => one.charCodeAt(0))], name, { type }));
    else data.items.add(atob(content), "text/plain");
  }
  const options = { bubbles: true, cancelable: true };
  return page.dispatchEvent(event === "paste" ? new ClipboardEvent(event, { clipboardData: data, ...options })
    : new DragEvent(event, { dataTransfer: data, ...options }));
}"""
DRAWN = """async ([width, height, type]) => {
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").fillRect(0, 0, width / 2, height);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type })).arrayBuffer());
  return btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join(""));
}"""
SIZE = """async (image) => {
  const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(image), (one) => one.charCodeAt(0))]));
  return [bitmap.width, bitmap.height];
}"""


@pytest.fixture
def stored(stack: Stack) -> Callable[[], list[str]]:
    """The names of the files on the server, half-written ones included."""
    code = "import os; [print(*files, sep='\\n') for _, _, files in os.walk('/data/uploads')]"
    return lambda: stack.python("api", code).split()


def give(place: Locator, event: str, *files: FilePayload) -> Any:
    """A drop or a paste event on the page. Returns whether the browser's default action would happen."""
    return place.evaluate(TAKE, [event, [[one["name"], one["mimeType"], encoded(one["buffer"])] for one in files]])


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def picture(page: Page, name: str, width: int, height: int, kind: str) -> FilePayload:
    """Drawn by the browser, in a format that it can write: image/png, image/jpeg, image/webp."""
    return samples.file(name, base64.b64decode(page.evaluate(DRAWN, [width, height, kind])), kind)


def pending(person: Person) -> Locator:
    return person.page.get_by_label("Attached files").get_by_role("listitem")


def files(person: Person) -> Locator:
    """Those of the last question."""
    return person.page.get_by_label("Files", exact=True).last.get_by_role("listitem")


def images(ollama: ScriptedOllama) -> list[bytes]:
    """Those that the model got with the last question."""
    return [base64.b64decode(image, validate=True) for image in ollama.chats[-1]["messages"][-1].get("images", [])]


def content(ollama: ScriptedOllama) -> str:
    return str(ollama.chats[-1]["messages"][-1]["content"])


def test_files_are_chosen(person: Person, ollama: ScriptedOllama) -> None:
    """With the button; a text file's content goes into the message."""
    ollama.answers("Yes.")
    person.open()
    person.attach_and_wait(NOTES)
    person.ask_and_wait("What is to do?")
    assert content(ollama) == "What is to do?\n\nFile notes.txt:\n```\nBuy bread.\n```"
    expect(files(person)).to_have_text("notes.txt 10 B")


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_files_are_dropped_or_pasted(person: Person, ollama: ScriptedOllama, event: str) -> None:
    """Several at once, in order."""
    ollama.answers("Yes.")
    person.open()
    give(person.question, event, NOTES, samples.file("more.txt", b"And milk."))
    expect(person.button(re.compile("^Remove "))).to_have_count(2)
    person.ask_and_wait("What is to do?")
    assert re.findall(r"File (\S+):", content(ollama)) == ["notes.txt", "more.txt"]


def test_pasted_text_stays_text(person: Person, ollama: ScriptedOllama) -> None:
    """Even with a picture of it next to it on the clipboard, as word processors add."""
    samples.script(ollama)
    person.open()
    give(person.question, "paste", samples.file("", b"words"), samples.png(8, 8))
    expect(pending(person)).to_have_count(0)
    person.page.evaluate("navigator.clipboard.writeText('pasted words')")
    person.question.press("Control+v")
    expect(person.question).to_have_value("pasted words")


def test_a_dropped_file_does_not_open(person: Person, ollama: ScriptedOllama) -> None:
    """The browser would navigate to it: the page accepts the drag and shows where to drop."""
    samples.script(ollama)
    person.open()
    assert give(person.question, "dragover", NOTES) is False
    expect(person.page.get_by_label("Conversation", exact=True)).to_have_attribute("data-is-over", "true")
    assert give(person.question, "drop", NOTES) is False


def slow_down(page: Page, bytes_per_second: int) -> None:
    network = page.context.new_cdp_session(page)
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", conditions)


def test_an_upload_shows_how_far_it_is_and_can_be_cancelled(
    person: Person, ollama: ScriptedOllama, stored: Callable[[], list[str]]
) -> None:
    """Sending waits for uploads. A cancelled one leaves nothing on the server."""
    samples.script(ollama)
    person.open()
    before = stored()
    slow_down(person.page, 50_000)
    person.attach_files(samples.file("long.txt", b"x" * 900_000))
    expect(person.page.get_by_text("Waiting for uploads…")).to_be_visible()
    progress = pending(person).get_by_role("progressbar", name="Uploading long.txt")
    expect(progress).to_have_attribute("value", re.compile(r"^0\.[1-9]"))
    person.question.fill("What is this?")
    person.question.press("Enter")
    assert ollama.chats == []
    person.button("Cancel long.txt").click()
    expect(pending(person)).to_have_count(0)
    until(lambda: stored() == before, "the cancelled upload is deleted")


def test_a_type_that_is_not_accepted_says_so(
    person: Person, ollama: ScriptedOllama, trouble: Trouble, stored: Callable[[], list[str]]
) -> None:
    """With the server's message; nothing is sent until it is removed."""
    trouble.expect("console error: .*415")
    ollama.answers("Yes.")
    person.open()
    before = stored()
    person.attach_files(EXE)
    expect(pending(person).get_by_role("alert")).to_contain_text(
        "A file named *.exe is not accepted: it is a program. Accepted are images"
    )
    person.ask("What is this?")
    expect(person.page.get_by_text("Remove the rejected file to send.")).to_be_visible()
    assert ollama.chats == []
    person.button("Remove program.exe").click()
    person.question.press("Enter")
    expect(person.answer).to_contain_text("Yes.")
    assert content(ollama) == "What is this?"
    assert stored() == before


DROP_LARGE = """(page, size) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(size).fill(120)], "large.txt", { type: "text/plain" }));
  page.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


@pytest.mark.parametrize(
    ("mebibytes", "words"),
    [
        (1.5, "The file is larger than 1 MB (MAX_UPLOAD_MB)."),
        # nginx answers at once, without reading on.
        (3, "The body is too large."),
        (300, "The body is too large."),
    ],
)
def test_a_file_that_is_too_large_says_so(
    person: Person, ollama: ScriptedOllama, trouble: Trouble, mebibytes: float, words: str
) -> None:
    """Even while most of it is still unsent."""
    trouble.expect("console error: .*413")
    samples.script(ollama)
    person.open()
    person.question.evaluate(DROP_LARGE, int(mebibytes * MEBIBYTE))
    expect(pending(person).get_by_role("alert")).to_have_text(words)


def test_a_failed_upload_can_be_tried_again(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    """After a broken connection, without choosing the file again."""
    trouble.expect("console error: .*net::ERR_CONNECTION_RESET")
    ollama.answers("Yes.")
    person.open()
    person.page.route("**/upload", lambda route: route.abort("connectionreset"), times=1)
    person.attach_files(NOTES)
    expect(pending(person).get_by_role("alert")).to_contain_text("Can't reach LocalChat.")
    person.button("Upload notes.txt again").click()
    expect(person.button("Remove notes.txt")).to_be_visible()
    expect(pending(person).get_by_role("alert")).to_have_count(0)
    person.ask_and_wait("What is to do?")
    assert "Buy bread." in content(ollama)


def downloaded(person: Person, name: str) -> bytes:
    with person.page.expect_download() as download:
        files(person).get_by_role("link", name=name).click()
    assert download.value.suggested_filename == name
    return download.value.path().read_bytes()


def test_a_file_can_be_downloaded_again(person: Person, ollama: ScriptedOllama) -> None:
    """Byte for byte, also after a reload."""
    every_byte = samples.png(8, 8)["buffer"] + bytes(range(256))
    ollama.answers("Yes.")
    person.open()
    person.attach_and_wait(samples.file("every byte.png", every_byte, "image/png"))
    person.ask_and_wait("What is this?")
    assert downloaded(person, "every byte.png") == every_byte
    person.page.reload()
    assert downloaded(person, "every byte.png") == every_byte


def test_a_file_that_is_gone_says_so(person: Person, ollama: ScriptedOllama, trouble: Trouble, stack: Stack) -> None:
    """Uploads belong to the server, which may have removed them."""
    trouble.expect("console error: .*404")
    ollama.answers("Yes.")
    person.open()
    person.attach_and_wait(NOTES)
    person.ask_and_wait("What is to do?")
    stack.python("api", "import glob, os; [os.remove(path) for path in glob.glob('/data/uploads/*/*_notes.txt')]")
    files(person).get_by_role("link").click()
    expect(files(person).get_by_role("alert")).to_have_text("There is no such file.")


def test_a_file_is_downloaded_after_the_login_that_it_takes(
    person: Person, ollama: ScriptedOllama, trouble: Trouble
) -> None:
    """If the token has expired, the page asks for a login and continues."""
    trouble.expect("console error: .*401")
    ollama.answers("Yes.")
    person.open()
    person.attach_and_wait(NOTES)
    person.ask_and_wait("What is to do?")
    person.page.evaluate("localStorage.setItem('localchat.token', 'expired')")
    person.page.reload()
    person.log_in()
    assert downloaded(person, "notes.txt") == NOTES["buffer"]


def test_a_model_that_sees_is_given_the_picture(person: Person, ollama: ScriptedOllama) -> None:
    """PNG and JPEG unchanged; the page shows a thumbnail."""
    ollama.models = [SEES]
    ollama.answers("A field.")
    person.open()
    png, jpeg = samples.png(64, 48), picture(person.page, "field.jpg", 64, 48, "image/jpeg")
    person.attach_and_wait(png, jpeg)
    person.ask_and_wait("What is on them?")
    assert images(ollama) == [png["buffer"], jpeg["buffer"]]
    thumbnails = person.page.locator("img.thumbnail")
    expect(thumbnails).to_have_count(2)
    assert thumbnails.first.evaluate("(image) => [image.naturalWidth, image.naturalHeight]") == [64, 48]


def test_a_model_that_does_not_see_is_not(person: Person, ollama: ScriptedOllama) -> None:
    """The page says so before and after sending, and again for another model."""
    ollama.models = [BLIND, SEES]
    for _ in range(3):
        ollama.answers("Yes.")
    person.open()
    person.attach_and_wait(samples.png(64, 48))
    blind = "blind:1b can't see images. Choose a vision model."
    expect(pending(person)).to_contain_text(blind)
    person.ask_and_wait("What is on it?")
    expect(files(person)).to_contain_text(blind)
    assert images(ollama) == []
    for name, seen in [("sees:1b", [samples.png(64, 48)["buffer"]]), ("blind:1b", [])]:
        person.page.get_by_label("Model").select_option(name)
        person.button("Try again").click()
        expect(person.answer.get_by_role("heading")).to_have_text(name)
        expect(person.button("Try again")).to_be_visible()
        expect(files(person).get_by_text("can't see")).to_have_count(0 if seen else 1)
        assert images(ollama) == seen


PNG, JPEG = b"\x89PNG", b"\xff\xd8\xff"
# The size of the file; the size and the first bytes of what the model gets.
PICTURES = {
    "large.png": ((4000, 1000), (2048, 512), PNG),
    "large.jpeg": ((1000, 4000), (512, 2048), JPEG),
    "other.webp": ((60, 40), (60, 40), PNG),
    "large.webp": ((2049, 40), (2048, 40), PNG),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_made_what_models_take(person: Person, ollama: ScriptedOllama, name: str) -> None:
    """At most 2048 pixels, PNG or JPEG. The server stores the original."""
    ollama.models = [SEES]
    ollama.answers("A field.")
    person.open()
    (width, height), sent_size, sent_kind = PICTURES[name]
    original = picture(person.page, name, width, height, f"image/{name.partition('.')[2]}")
    person.attach_and_wait(original)
    person.ask_and_wait("What is on it?")
    (image,) = images(ollama)
    assert image.startswith(sent_kind)
    assert tuple(person.page.evaluate(SIZE, encoded(image))) == sent_size
    assert downloaded(person, name) == original["buffer"]


def test_a_picture_that_no_browser_reads_is_kept(person: Person, ollama: ScriptedOllama) -> None:
    """For example a broken one, or one in an unknown format."""
    ollama.models = [SEES]
    ollama.answers("Yes.")
    person.open()
    person.attach_and_wait(samples.file("broken.png", samples.png(8, 8)["buffer"][:40], "image/png"))
    expect(pending(person)).to_contain_text("This browser can't read the image, so the model won't see it.")
    person.ask_and_wait("What is on it?")
    assert images(ollama) == []


def test_a_text_longer_than_the_room_is_cut(person: Person, ollama: ScriptedOllama) -> None:
    """The page says where; with a larger context length it is sent whole."""
    long = "".join(f"{number:04}\n" for number in range(4000))
    for _ in range(2):
        ollama.answers("Yes.")
    person.open()
    person.attach_and_wait(samples.file("long.txt", long.encode()), NOTES)
    expect(pending(person).first).to_contain_text("Only the first 8,192 of 20,000 characters fit.")
    expect(pending(person).last).to_contain_text("This text doesn't fit.")
    person.ask_and_wait("What is this?")
    assert f"```\n{long[:8192]}\n```" in content(ollama)
    assert "Buy bread." not in content(ollama)
    person.begin()
    person.set("Context length", "8192")
    person.attach_and_wait(samples.file("long.txt", long[:16_000].encode()))
    person.ask_and_wait("And now?")
    assert f"```\n{long[:16_000]}\n```" in content(ollama)


def test_a_pdf_is_kept_and_not_given(person: Person, ollama: ScriptedOllama) -> None:
    """The page says so."""
    ollama.answers("No.")
    person.open()
    person.attach_and_wait(PDF)
    said = "The model can't read this type of file."
    expect(pending(person)).to_contain_text(said)
    person.ask_and_wait("What is in it?")
    expect(files(person)).to_contain_text(said)
    assert content(ollama) == "What is in it?"
    assert downloaded(person, "paper.pdf") == PDF["buffer"]


def test_two_files_may_have_one_name(person: Person, ollama: ScriptedOllama) -> None:
    """Both are listed, each with its own content."""
    ollama.answers("Yes.")
    person.open()
    person.attach_and_wait(NOTES, samples.file("notes.txt", b"Sell bread."))
    person.ask_and_wait("What is to do?")
    assert re.findall(r"\w+ bread", content(ollama)) == ["Buy bread", "Sell bread"]
    expect(files(person)).to_have_count(2)
    with person.page.expect_download() as download:
        files(person).last.get_by_role("link").click()
    assert download.value.path().read_bytes() == b"Sell bread."


def test_a_file_that_was_removed_is_not_sent(person: Person, ollama: ScriptedOllama) -> None:
    """The others keep their order."""
    ollama.answers("Yes.")
    person.open()
    person.attach_and_wait(*[samples.file(f"{name}.txt", name.encode()) for name in ("one", "two", "three")])
    person.button("Remove two.txt").click()
    person.ask_and_wait("What is this?")
    assert re.findall(r"File (\w+)\.txt", content(ollama)) == ["one", "three"]
    expect(files(person)).to_have_count(2)


def test_files_without_text_are_a_question(person: Person, ollama: ScriptedOllama) -> None:
    """They become the conversation's title."""
    ollama.answers("Yes.")
    person.open()
    person.attach_and_wait(NOTES, PDF)
    person.button("Send").click()
    expect(person.answer).to_contain_text("Yes.")
    assert content(ollama) == "File notes.txt:\n```\nBuy bread.\n```"
    expect(person.conversations.first).to_have_text("notes.txt, paper.pdf")


def test_a_text_with_fences_is_fenced_longer(person: Person, ollama: ScriptedOllama) -> None:
    """So that the file's own fences do not end it."""
    ollama.answers("Yes.")
    person.open()
    person.attach_and_wait(samples.file("readme.md", b"````\ncode\n````"))
    person.ask_and_wait("What is this?")
    assert "File readme.md:\n`````\n````\ncode\n````\n`````" in content(ollama)


def test_the_next_question_has_the_files_of_the_last_too(person: Person, ollama: ScriptedOllama) -> None:
    """Models remember nothing between requests."""
    ollama.models = [SEES]
    for _ in range(2):
        ollama.answers("Yes.")
    person.open()
    person.attach_and_wait(NOTES, samples.png(8, 8))
    person.ask_and_wait("What is to do?")
    person.ask("And then?")
    expect(person.answers).to_have_count(2)
    expect(person.button("Try again")).to_be_visible()
    first = ollama.chats[-1]["messages"][0]
    assert "Buy bread." in first["content"]
    assert base64.b64decode(first["images"][0]) == samples.png(8, 8)["buffer"]
    assert content(ollama) == "And then?"

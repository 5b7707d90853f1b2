"""Model output, file names and file contents stay text: nothing in them runs, loads, or creates an element.

The corpus is in payloads.py. Whatever of it runs reports on the console, which fails the test, as do a dialog, a
violation of the policy, and a request to another origin; see trouble.py.
"""

import re
import time
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Request, Route, expect

from tests.page import payloads, samples
from tests.page.person import Person
from tests.page.scripted import ScriptedOllama, model
from tests.page.trouble import Trouble
from tests.support.stack import Stack

# The others are for other browsers, or need decoding first.
RUN_WITHOUT_CARE = 50
RUNS_WITHIN_SECONDS = 5
# Replaces the browser's own, in every document.
TELLS = "window.alert = (number) => console.error('it ran:', number, location.href); window.msgbox = window.alert;"
# From Markdown, the page around code and tables, its icons, and KaTeX's MathML and roots.
ELEMENTS = """
    P BR HR H3 H4 H5 H6 BLOCKQUOTE UL OL LI PRE CODE TABLE THEAD TBODY TR TH TD A STRONG EM S SPAN
    DIV FIGURE BUTTON svg path rect
    math semantics annotation mrow mi mo mn mtext mspace mstyle mpadded mover munder munderover msub msup msubsup
    mfrac msqrt mroot menclose mphantom mtable mtr mtd mlabeledtr
"""
ATTRIBUTES = """
    class href target rel start title type tabindex role aria-label aria-hidden data-align
    xmlns width height viewBox preserveAspectRatio fill stroke stroke-width stroke-linecap stroke-linejoin d x y rx ry
    style encoding display mathvariant mathcolor mathbackground displaystyle scriptlevel stretchy fence separator form
    accent columnalign columnspacing rowspacing side depth voffset lspace rspace minsize maxsize
"""
MADE = """(markdown) => [...markdown.querySelectorAll("*")].map((one) => [one.tagName, ...one.getAttributeNames()])"""
ADDRESSES = """(page) => [...page.querySelectorAll("a")].map((link) => link.protocol)"""
DROP = """(page, [names, content]) => {
  const dropped = new DataTransfer();
  for (const name of names) dropped.items.add(new File([content], name, { type: "text/plain" }));
  page.dispatchEvent(new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def context(context: BrowserContext) -> BrowserContext:
    context.add_init_script(TELLS)
    return context


def assert_nothing_was_made(person: Person) -> None:
    """The answer has only Markdown's elements and attributes, and no link that runs code."""
    made = person.answer.locator(".markdown").evaluate(MADE)
    assert {element for element, *_ in made} <= set(ELEMENTS.split())
    assert {attribute for _, *attributes in made for attribute in attributes} <= set(ATTRIBUTES.split())
    assert set(person.answer.evaluate(ADDRESSES)) <= {"http:", "https:", "mailto:"}


def in_blocks(template: str, found: list[str]) -> str:
    """Each in its own block, so that an unclosed one does not swallow the next."""
    return "\n\n".join(template.replace("{}", payload) for payload in found)


WRITTEN = {
    "plain": ("{}", payloads.ALL),
    "text of a link": ("[{}](https://127.0.0.1:1/)", payloads.ALL),
    "title of a link": ('[x](https://127.0.0.1:1/ "{}")', payloads.ALL),
    "address of a link": ("[x]({})", payloads.ADDRESSES),
    "address in brackets": ("[x](<{}>)", [*payloads.ADDRESSES, *payloads.ALL]),
    "address further down": ("[x][{}]\n\n[{}]: {}", payloads.ADDRESSES),
    "bare address": ("{} <{}>", payloads.ADDRESSES),
    "picture": ("![{}]({} '{}')", payloads.ADDRESSES),
    "words for a picture": ("![{}](https://127.0.0.1:1/x.png)", payloads.ALL),
    "code": ("`{}`", payloads.ALL),
    "block of code": ("~~~\n{}\n~~~", payloads.ALL),
    "block of HTML": ("~~~html\n{}\n~~~", payloads.ALL),
    "language of a block": ("~~~ {}\nx\n~~~", payloads.ALL),
    "heading": ("# {}", payloads.ALL),
    "list": ("- [x] {}", payloads.ALL),
    "quotation": ("> {}", payloads.ALL),
    "table": ("| {} | b |\n| :-- | --: |\n| {} | {} |", payloads.ALL),
    "formula": ("${}$", [*payloads.FORMULAS, *payloads.ALL]),
    "display": ("$$\n{}\n$$", [*payloads.FORMULAS, *payloads.ALL]),
    "bracketed formula": (r"\[{}\] and \({}\)", payloads.FORMULAS),
    "after a backslash": ("\\{}", payloads.ALL),
    "across emphasis": ("**{}** _{}_ ~~{}~~", payloads.ALL),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_what_a_model_writes_stays_words(person: Person, ollama: ScriptedOllama, written: str) -> None:
    """During streaming, with each cut in two, and when complete."""
    template, corpus = WRITTEN[written]
    text = in_blocks(template, corpus)
    ollama.answers(*samples.pieces(text, 97), "\n\nThe end.")
    person.open()
    person.ask_and_wait("Write something.")
    expect(person.answer.locator(".markdown")).to_contain_text("The end.")
    assert_nothing_was_made(person)


def test_what_a_model_writes_is_there_to_read(person: Person, ollama: ScriptedOllama) -> None:
    """The control for the previous test: the text did arrive."""
    ollama.answers(in_blocks("~~~\n{}\n~~~", payloads.ALL))
    person.open()
    person.ask_and_wait("Write something.")
    codes = person.answer.locator("pre").all_text_contents()
    assert [code.strip() for code in codes] == [shown(payload) for payload in payloads.ALL]


def shown(payload: str) -> str:
    # As in CommonMark, null characters are replaced.
    return payload.replace("\0", "\ufffd").strip()


WITHOUT_CARE = """(corpus) => corpus.forEach((payload, number) => {
  const ways = [(to) => { to.body.innerHTML = payload }, (to) => { to.write(payload); to.close() }];
  for (const put of ways) {
    const frame = document.body.appendChild(document.createElement("iframe"));
    frame.contentWindow.alert = window.alert = () => ran(number);
    put(frame.contentDocument);
    for (const one of frame.contentDocument.querySelectorAll("a, button, area, math, maction")) {
      one.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
    }
  }
})"""


def test_in_a_page_without_care_it_does_run(chromium: Browser) -> None:
    """The control for all: in an empty page most of the same payloads run, some after a click."""
    page = chromium.new_page()
    ran = set[int]()

    def note(number: int) -> None:
        ran.add(number)

    page.expose_function("ran", note)
    page.evaluate(WITHOUT_CARE, payloads.RUN)
    deadline = time.monotonic() + RUNS_WITHIN_SECONDS
    while len(ran) < RUN_WITHOUT_CARE and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    print(len(ran), "of", len(payloads.RUN), "ran, not:", [p for n, p in enumerate(payloads.RUN) if n not in ran])
    page.close()
    assert len(ran) >= RUN_WITHOUT_CARE


# A model's name has no line breaks or null characters.
LINES = [payload.replace("\n", " ").replace("\0", "") for payload in payloads.ALL]


def test_thoughts_stay_words(person: Person, ollama: ScriptedOllama) -> None:
    """They are not Markdown either."""
    ollama.answers("The end.", thinking=payloads.ALL)
    person.open()
    person.ask_and_wait("Write something.")
    person.page.get_by_text("Reasoning").click()
    thoughts = person.answer.locator(".thinking > div")
    assert thoughts.evaluate("(one) => one.children.length") == 0
    assert thoughts.text_content() == "".join(payloads.ALL)


def test_names_of_models_stay_words(person: Person, ollama: ScriptedOllama) -> None:
    """In the list and above an answer."""
    ollama.models = [model(line, parameter_size=line, quantization_level=line) for line in LINES]
    person.open()
    options = person.page.get_by_label("Model").locator("option")
    expect(options).to_have_count(len(LINES))
    assert options.evaluate_all("(all) => all.map((one) => one.value)") == LINES
    ollama.answers("Yes.")
    person.ask_and_wait("Is there one?")
    expect(person.answer.get_by_role("heading")).to_have_text(LINES[0])


def test_words_of_errors_stay_words(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    """Ollama's, and those in the middle of an answer."""
    trouble.expect("console error: Failed to load resource: .* 400")
    everything = " ".join(payloads.ALL)
    ollama.refuses(400, everything)
    ollama.ends_early("So", error=everything)
    person.open()
    person.ask_and_wait("Write something.")
    expect(person.answer.locator(".error")).to_have_text(everything)
    person.button("Try again").click()
    expect(person.answer.locator(".markdown")).to_have_text("So")
    expect(person.answer.locator(".error")).to_have_text(everything)


def test_titles_stay_words(person: Person, ollama: ScriptedOllama) -> None:
    """In the list, and in the delete dialog."""
    samples.script(ollama)
    person.open()
    samples.remember(person.page, LINES)
    expect(person.conversations).to_have_count(len(LINES))
    assert person.conversations.all_text_contents() == LINES
    person.conversations.first.hover()
    person.button(f"Delete {LINES[0]}").click()
    expect(person.page.get_by_role("dialog")).to_contain_text(LINES[0])


def test_questions_stay_words(person: Person, ollama: ScriptedOllama) -> None:
    """Pasted text is not trusted either."""
    ollama.answers("Yes.")
    person.open()
    everything = "\n".join(LINES)
    person.ask_and_wait(everything)
    assert person.questions.inner_text() == everything
    assert person.questions.evaluate("(one) => one.children.length") == 0


def test_names_of_files_stay_words(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    """Accepted and rejected ones, before and after sending."""
    trouble.expect("console error: Failed to load resource: .* 415")
    ollama.answers("Yes.")
    person.open()
    names = [*[f"{name}.txt" for name in payloads.NAMES], "<img src=x onerror=alert(1)>.exe"]
    person.page.locator(".conversation").evaluate(DROP, [names, "content"])
    pending = person.page.get_by_label("Attached files").get_by_role("listitem")
    expect(pending.get_by_role("progressbar")).to_have_count(0, timeout=60_000)
    assert len(pending.all()) == len(names)
    refused = pending.filter(has=person.page.get_by_role("alert"))
    print(refused.all_text_contents())
    for _ in refused.all():
        refused.first.get_by_role("button", name="Remove").click()
    person.ask_and_wait("What are these?")
    links = person.page.get_by_label("Files", exact=True).get_by_role("link")
    assert set(links.evaluate_all("(all) => all.map((one) => one.origin)")) == {person.page.evaluate("origin")}


SCRIPT = b"<script>alert(1)</script>"
CONTENTS = {
    "picture.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">' + SCRIPT + b"</svg>",
    "page.html": b"<!doctype html><title>x</title>" + SCRIPT,
    "page.xhtml": b'<html xmlns="http://www.w3.org/1999/xhtml">' + SCRIPT + b"</html>",
    "page.txt": b"<!doctype html><title>x</title>" + SCRIPT,
    "style.xml": b'<?xml-stylesheet href="data:text/xsl,x"?><x xmlns:h="http://www.w3.org/1999/xhtml"><h:script/></x>',
    "code.js": b"alert(1)",
    "fence.md": b"```\n" + SCRIPT + b"\n````\n" + SCRIPT,
}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_file_is_downloaded_not_opened(person: Person, ollama: ScriptedOllama, name: str) -> None:
    """It comes back unchanged whatever it is, and the page stays."""
    ollama.answers("Yes.")
    person.open()
    person.attach_and_wait(samples.file(name, CONTENTS[name], "image/svg+xml" if name.endswith("svg") else "text/html"))
    person.ask_and_wait("What is this?")
    expect(person.page.locator("img.thumbnail")).to_have_count(0)
    with person.page.expect_download() as download:
        person.page.get_by_role("link", name=name).click()
    assert download.value.path().read_bytes() == CONTENTS[name]
    assert download.value.suggested_filename == name
    assert len(person.page.context.pages) == 1


def test_the_token_goes_nowhere_else(person: Person, ollama: ScriptedOllama, stack: Stack) -> None:
    """It is only in the header of requests to the API, in no URL and no cookie."""
    seen: list[Request] = []

    def note(request: Request) -> None:
        seen.append(request)

    person.page.context.on("request", note)
    ollama.answers("[x](https://127.0.0.1:1/) ![x](https://127.0.0.1:1/x.png)")
    person.open()
    person.attach_and_wait(samples.file("a.txt", b"a"))
    person.ask_and_wait("Look at this.")
    with person.page.expect_download():
        person.page.get_by_role("link", name="a.txt").click()
    token = person.page.evaluate("localStorage.getItem('localchat.token')")
    with_token = {request.url for request in seen if token in str(request.all_headers())}
    assert {re.sub("(?<=/files/).*", "", urlsplit(url).path) for url in with_token} == WITH_TOKEN
    assert all(url.startswith(stack.url) for url in with_token)
    assert not [request.url for request in seen if token in request.url]
    assert person.page.context.cookies() == []


WITH_TOKEN = {"/me", "/models", "/api/show", "/chat", "/upload", "/files/"}


def test_a_link_elsewhere_tells_nothing(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    """Neither the origin nor the person; and that page has no access to this one."""
    trouble.expect("request elsewhere: GET https://elsewhere.example/")
    ollama.answers("See [there](https://elsewhere.example/).")
    headers: list[dict[str, str]] = []

    def serve(route: Route) -> None:
        headers.append(route.request.all_headers())
        route.fulfill(body="<title>Elsewhere</title>", content_type="text/html")

    person.page.context.route("https://elsewhere.example/", serve)
    person.open()
    person.ask_and_wait("Where is more?")
    with person.page.context.expect_page() as opened:
        person.page.get_by_role("link", name="there").click()
    expect(opened.value).to_have_title("Elsewhere")
    assert opened.value.evaluate("[document.referrer, window.opener]") == ["", None]
    assert not {"referer", "authorization", "cookie"} & set(headers[0])

"""How the page looks, as screenshots for people: in PAGE_ARTEFACTS/screenshots, or artefacts/page/screenshots.

The tests only check that each shows something.
"""

import struct
from typing import Literal

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.page import samples
from tests.page.conftest import ARTEFACTS
from tests.page.person import Person, settle
from tests.page.scripted import ScriptedOllama, model

SCREENSHOTS = ARTEFACTS / "screenshots"
USUAL, NARROW, WIDE = (
    ViewportSize(width=1280, height=860),
    ViewportSize(width=360, height=740),
    ViewportSize(width=2560, height=1440),
)


def keep_picture(page: Page, name: str, size: ViewportSize) -> None:
    """Checks that it has the size and more than one colour."""
    page.set_viewport_size(size)
    settle(page)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    picture = page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")
    width, height = struct.unpack(">II", picture[16:24])
    assert (width, height) == (size["width"], size["height"])
    assert len(picture) > 2 * bytes_of_nothing(page, size)


def bytes_of_nothing(page: Page, size: ViewportSize) -> int:
    empty = page.context.new_page()
    empty.set_viewport_size(size)
    picture = empty.screenshot()
    empty.close()
    return len(picture)


def converse(person: Person, ollama: ScriptedOllama) -> None:
    """The conversation of samples.py, after others."""
    samples.script(ollama)
    person.open()
    samples.remember(person.page, samples.TITLES)
    person.ask_and_wait(samples.QUESTION)
    expect(person.answer.locator(".katex-html")).to_be_visible()
    expect(person.answer.locator("code .hljs-keyword").first).to_be_visible()
    person.page.mouse.move(0, 0)


@pytest.mark.parametrize(("name", "size"), [("light", USUAL), ("narrow", NARROW), ("wide", WIDE)])
def test_a_conversation(person: Person, ollama: ScriptedOllama, name: str, size: ViewportSize) -> None:
    """Code, a table, a formula, stats: in light colours, on a phone, on a large screen."""
    converse(person, ollama)
    keep_picture(person.page, name, size)


@pytest.mark.parametrize(("name", "size"), [("dark", USUAL), ("dark-narrow", NARROW)])
def test_a_conversation_by_night(person: Person, ollama: ScriptedOllama, name: str, size: ViewportSize) -> None:
    """The same in dark colours."""
    person.page.emulate_media(color_scheme="dark")
    converse(person, ollama)
    keep_picture(person.page, name, size)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_login(page: Page, scheme: Literal["light", "dark"]) -> None:
    """The first thing one sees."""
    page.emulate_media(color_scheme=scheme)
    page.goto("/")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    keep_picture(page, f"login-{scheme}", USUAL)


def test_the_beginning(person: Person, ollama: ScriptedOllama) -> None:
    """Before the first question, with earlier conversations."""
    samples.script(ollama)
    person.open()
    samples.remember(person.page, samples.TITLES)
    expect(person.page.get_by_text("How can I help?")).to_be_visible()
    keep_picture(person.page, "beginning", USUAL)


@pytest.mark.parametrize(("name", "size"), [("settings", USUAL), ("settings-narrow", NARROW)])
def test_the_settings(person: Person, ollama: ScriptedOllama, name: str, size: ViewportSize) -> None:
    """The drawer over a conversation."""
    converse(person, ollama)
    person.button("Settings").click()
    person.page.get_by_label("System prompt").fill("You answer in two sentences.")
    keep_picture(person.page, name, size)


def test_the_list_on_a_telephone(person: Person, ollama: ScriptedOllama) -> None:
    """Long titles end in an ellipsis, many scroll."""
    samples.script(ollama)
    person.open()
    samples.remember(person.page, [samples.LONG_WORD, *[f"Question number {n}" for n in range(60)]])
    person.page.set_viewport_size(NARROW)
    person.button("Conversations").click()
    keep_picture(person.page, "list-narrow", NARROW)


@pytest.mark.parametrize(("name", "size"), [("long", USUAL), ("long-narrow", NARROW)])
def test_what_is_long(person: Person, ollama: ScriptedOllama, name: str, size: ViewportSize) -> None:
    """Names, titles, texts and files that are wider than the page."""
    long = samples.LONG_WORD
    ollama.models = [model(f"hf.co/{long[:60]}/{long[:80]}:Q4_K_M", "vision", size=4_000_000_000)]
    ollama.answers(f"{long}\n\n# {long}\n\n> {long}\n\n- {long}\n\n`{long}` **{long}** https://example.org/{long}")
    person.open()
    samples.remember(person.page, [long, *[f"Question number {n}" for n in range(60)]])
    person.attach_and_wait(*[samples.file(f"{long[:200]}{n}.txt", b"x" * 2000) for n in range(3)])
    keep_picture(person.page, f"{name}-files", size)
    person.ask_and_wait(long)
    keep_picture(person.page, name, size)
    person.page.get_by_label("Messages").evaluate("(messages) => messages.scrollTo(0, 0)")
    keep_picture(person.page, f"{name}-top", size)


def test_what_the_pointer_and_the_keyboard_are_on(person: Person, ollama: ScriptedOllama) -> None:
    """Hover on a conversation, focus on a button."""
    converse(person, ollama)
    person.conversations.nth(2).hover()
    person.button("Try again").focus()
    person.page.keyboard.press("Shift+Tab")
    keep_picture(person.page, "focus", USUAL)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_few_colours(person: Person, ollama: ScriptedOllama, scheme: Literal["light", "dark"]) -> None:
    """As with high contrast in Windows."""
    person.page.emulate_media(color_scheme=scheme, forced_colors="active")
    converse(person, ollama)
    keep_picture(person.page, f"forced-colours-{scheme}", USUAL)

"""Without a mouse, and with a screen reader: focus, accessible names, announcements."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.person import Person
from tests.page.scripted import ScriptedOllama, model
from tests.page.trouble import Trouble
from tests.support.stack import Stack

NAME_OF_FOCUSED = "() => document.activeElement.ariaLabel ?? document.activeElement.textContent.trim()"
# An element around it may show the focus instead.
SHOWS_FOCUS = """() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    const frame = document.activeElement.closest(".composer");
    const accent = getComputedStyle(document.querySelector(".composer .primary")).backgroundColor;
    const isFramed = document.activeElement.matches("textarea") && getComputedStyle(frame).borderColor === accent;
    return (outlineStyle === "solid" && parseFloat(outlineWidth) >= 2) || isFramed;
}"""
NAMELESS = re.compile(r"- (?:button|link|textbox|combobox|searchbox|spinbutton|checkbox)(?! \")")
# Starting at the login.
STOPS = [
    "New conversation",
    "Search conversations",
    "Bread",
    "Rename Bread",
    "Export Bread as Markdown",
    "Delete Bread",
    "Model",
    "Settings",
    "Account",
    "Messages",
    "Copy message",
    "Edit message",
    "Copy answer",
    "Try again",
    "Your message",
    "Attach files",
    "Send",
]


def tab_to(page: Page, target: Locator) -> None:
    """Only with the Tab key."""
    for _ in range(40):
        if target.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not reach {target}")


def activate(page: Page, target: Locator, key: str = "Enter") -> None:
    tab_to(page, target)
    page.keyboard.press(key)


def talk(person: Person, ollama: ScriptedOllama) -> None:
    ollama.answers("With flour.")
    person.open()
    person.ask_and_wait("Bread")


def test_from_the_login_to_an_answer_by_keyboard(person: Person, ollama: ScriptedOllama, stack: Stack) -> None:
    """Only with typing, Tab and Enter."""
    ollama.answers("With flour.")
    keyboard = person.page.keyboard
    person.page.goto("/")
    expect(person.page.get_by_label("Email")).to_be_focused()
    keyboard.type(stack.email)
    keyboard.press("Tab")
    keyboard.type(stack.password)
    keyboard.press("Enter")
    expect(person.question).to_be_focused()
    expect(person.page.get_by_label("Model")).to_be_visible()
    keyboard.type("Bread")
    keyboard.press("Enter")
    expect(person.answer).to_contain_text("With flour.")
    expect(person.question).to_be_focused()


def test_after_a_wrong_password_the_focus_is_at_the_password(person: Person, trouble: Trouble, stack: Stack) -> None:
    """Even if the button was clicked, which is disabled during the request."""
    trouble.expect("401")
    person.page.goto("/")
    person.page.get_by_label("Email").fill(stack.email)
    person.page.get_by_label("Password").fill("a wrong one")
    activate(person.page, person.button("Log in"), "Space")
    expect(person.page.get_by_role("alert")).not_to_be_empty()
    expect(person.page.get_by_label("Password")).to_be_focused()


def test_tab_goes_through_the_page_in_its_order(person: Person, ollama: ScriptedOllama) -> None:
    """From the conversations to the top bar, the messages and the input; each shows its focus."""
    talk(person, ollama)
    person.page.evaluate("() => document.activeElement.blur()")
    person.page.get_by_role("heading", name="LocalChat").click()
    stops, unseen = [], []
    for _ in STOPS:
        person.page.keyboard.press("Tab")
        stops.append(person.page.evaluate(NAME_OF_FOCUSED))
        if not person.page.evaluate(SHOWS_FOCUS):
            unseen.append(stops[-1])
    assert stops == STOPS
    assert unseen == []


def test_every_control_has_a_name(person: Person, ollama: ScriptedOllama) -> None:
    """At the login, in a conversation, in each dialog, and in the list during a rename."""
    person.page.goto("/")
    assert NAMELESS.findall(person.page.locator("body").aria_snapshot()) == []
    talk(person, ollama)
    assert NAMELESS.findall(person.page.locator("body").aria_snapshot()) == []
    person.button("Settings").click()
    assert NAMELESS.findall(person.page.locator("body").aria_snapshot()) == []
    person.button("Close").click()
    person.use("Rename", "Bread")
    assert NAMELESS.findall(person.page.locator("body").aria_snapshot()) == []


def test_a_model_is_chosen_by_keyboard(person: Person, ollama: ScriptedOllama) -> None:
    """By its first letters."""
    ollama.models = [model("one:1b"), model("two:2b")]
    person.open()
    tab_to(person.page, person.page.get_by_label("Model"))
    person.page.keyboard.type("tw")
    expect(person.page.get_by_label("Model")).to_have_value("two:2b")


def test_settings_are_made_by_keyboard(person: Person, ollama: ScriptedOllama) -> None:
    """Escape closes them and returns the focus to their button."""
    ollama.answers("Hello.")
    person.open()
    activate(person.page, person.button("Settings"))
    activate(person.page, person.page.get_by_label("Temperature"), "0")
    person.page.keyboard.press("Escape")
    expect(person.page.get_by_role("dialog")).not_to_be_attached()
    expect(person.button("Settings")).to_be_focused()
    person.ask_and_wait("Greet me.")
    assert ollama.chats[0]["options"] == {"temperature": 0}


def test_the_focus_stays_inside_a_dialog(person: Person, ollama: ScriptedOllama) -> None:
    """Nothing behind it can be reached."""
    talk(person, ollama)
    person.button("Settings").click()
    for _ in range(8):
        person.page.keyboard.press("Tab")
        assert person.page.evaluate("() => !document.querySelector('.composer').contains(document.activeElement)")
        assert person.page.evaluate("() => !document.querySelector('.conversations').contains(document.activeElement)")


@pytest.mark.parametrize("key", ["Enter", "Escape"])
def test_a_conversation_is_renamed_by_keyboard(person: Person, ollama: ScriptedOllama, key: str) -> None:
    """The focus returns to the button, whether the title changed or not."""
    talk(person, ollama)
    activate(person.page, person.button("Rename Bread"))
    person.page.keyboard.press("Control+A")
    person.page.keyboard.type("Bread again")
    person.page.keyboard.press(key)
    title = "Bread again" if key == "Enter" else "Bread"
    expect(person.conversations).to_have_text([title])
    expect(person.button(f"Rename {title}")).to_be_focused()


def test_a_conversation_that_is_kept_has_the_focus_again(person: Person, ollama: ScriptedOllama) -> None:
    """With Escape and with Cancel."""
    talk(person, ollama)
    delete = person.button("Delete Bread")
    activate(person.page, delete)
    person.page.keyboard.press("Escape")
    expect(person.page.get_by_role("dialog")).not_to_be_attached()
    expect(delete).to_be_focused()
    person.page.keyboard.press("Enter")
    activate(person.page, person.button("Cancel"))
    expect(person.page.get_by_role("dialog")).not_to_be_attached()
    expect(delete).to_be_focused()


def test_a_conversation_is_deleted_by_keyboard(person: Person, ollama: ScriptedOllama) -> None:
    """The initial focus is on Cancel or Close, not Delete; afterwards it is in the input."""
    talk(person, ollama)
    activate(person.page, person.button("Delete Bread"))
    expect(person.button("Delete")).not_to_be_focused()
    activate(person.page, person.button("Delete"))
    expect(person.page.get_by_text("No conversations yet.")).to_be_visible()
    expect(person.question).to_be_focused()


def test_after_another_is_deleted_the_focus_is_in_the_list(person: Person, ollama: ScriptedOllama) -> None:
    """The open conversation stays."""
    talk(person, ollama)
    ollama.answers("Far away.")
    person.begin()
    person.ask_and_wait("Stars")
    activate(person.page, person.button("Delete Bread"))
    activate(person.page, person.button("Delete"))
    expect(person.conversations).to_have_text(["Stars"])
    expect(person.page.get_by_role("link", name="New conversation")).to_be_focused()
    expect(person.answer).to_contain_text("Far away.")


def test_stop_by_keyboard_leaves_the_focus_where_one_types(person: Person, ollama: ScriptedOllama) -> None:
    """The button that had it is removed."""
    ollama.answers("Once ", ollama.gate())
    person.open()
    person.ask("Tell a story.")
    expect(person.answer).to_contain_text("Once")
    activate(person.page, person.button("Stop"))
    expect(person.answer).to_contain_text("Stopped.")
    expect(person.question).to_be_focused()


def test_after_trying_again_escape_stops(person: Person, ollama: ScriptedOllama) -> None:
    """The focus is in the input, since the button that had it is removed."""
    talk(person, ollama)
    ollama.answers("With ", ollama.gate())
    activate(person.page, person.button("Try again"))
    expect(person.button("Stop")).to_be_visible()
    expect(person.question).to_be_focused()
    person.page.keyboard.press("Escape")
    expect(person.answer).to_contain_text("Stopped.")


def test_an_edit_is_left_by_keyboard(person: Person, ollama: ScriptedOllama) -> None:
    """The focus is in the input, before and after."""
    talk(person, ollama)
    activate(person.page, person.button("Edit message"))
    expect(person.question).to_be_focused()
    expect(person.question).to_have_value("Bread")
    tab_to(person.page, person.button("Cancel"))
    person.page.keyboard.press("Enter")
    expect(person.question).to_be_focused()
    expect(person.question).to_have_value("")


def test_an_answer_is_read_out_block_by_block(person: Person, ollama: ScriptedOllama) -> None:
    """Not token by token; its start and its end are announced."""
    gate = ollama.gate()
    ollama.answers("The ", "first ", "block.\n\n", "The ", "second", gate, " block.")
    person.open()
    person.ask("Go.")
    said = person.page.get_by_role("log").locator("p")
    expect(person.answer).to_contain_text("The second")
    expect(said).to_have_text(["scripted:1b is answering.", "The first block."])
    gate.open()
    end = ["The second block.", "The answer is complete."]
    expect(said).to_have_text(["scripted:1b is answering.", "The first block.", *end])


def test_how_an_answer_failed_is_read_out(person: Person, ollama: ScriptedOllama) -> None:
    """With the visible message."""
    ollama.ends_early("Half an ", error="out of memory")
    person.open()
    person.ask("Go.")
    expect(person.page.get_by_role("log").locator("p").last).to_have_text("out of memory")


def test_an_old_answer_is_not_read_out(person: Person, ollama: ScriptedOllama) -> None:
    """The person who opens a conversation reads it there."""
    talk(person, ollama)
    person.page.reload()
    expect(person.answer).to_contain_text("With flour.")
    expect(person.page.get_by_role("log").locator("p")).to_have_count(0)


@pytest.mark.parametrize(("motion", "moves"), [("no-preference", True), ("reduce", False)])
def test_nothing_moves_with_reduced_motion(person: Person, ollama: ScriptedOllama, motion: Any, *, moves: bool) -> None:
    """Also while waiting for the first token."""
    person.page.emulate_media(reduced_motion=motion)
    ollama.answers(ollama.gate())
    person.open()
    person.ask("Go.")
    expect(person.answer).to_contain_text("Waiting")
    assert person.page.evaluate("() => document.getAnimations().length > 0") is moves

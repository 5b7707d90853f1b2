"""Asking and being answered, with a scripted Ollama: how an answer comes, ends, is stopped, and is asked for again."""

import time

import pytest
from playwright.sync_api import expect

from tests.e2e.stack import FREED_WITHIN_SECONDS, until
from tests.fake_ollama import Ending
from tests.page.person import Person
from tests.page.scripted import ScriptedOllama
from tests.page.trouble import Trouble

# Whether the database has a message with these words.
SAVED = """words => new Promise(resolve => {
    indexedDB.open("localchat").onsuccess = ({ target: { result: database } }) => {
        database.transaction("messages").objectStore("messages").getAll().onsuccess = ({ target: { result } }) => {
            database.close();
            resolve(result.some(({ content }) => content === words));
        };
    };
})"""


def begin_a_story(person: Person, ollama: ScriptedOllama) -> None:
    """Asks for one that does not go on after its first word."""
    ollama.answers("Once ", ollama.gate())
    person.open()
    person.ask("Tell a story.")
    expect(person.answer).to_contain_text("Once")


def test_an_answer_appears_before_it_is_complete(person: Person, ollama: ScriptedOllama) -> None:
    """Each piece is on the page while Ollama holds back the next."""
    first, second = ollama.gate(), ollama.gate()
    ollama.answers("One ", first, "two ", second, "three.")
    person.open()
    person.ask("Count.")
    expect(person.answer).to_contain_text("One")
    first.open()
    expect(person.answer).to_contain_text("One two")
    expect(person.answer).not_to_contain_text("three")
    second.open()
    expect(person.answer).to_contain_text("One two three.")


def test_before_the_first_token_the_page_says_that_it_waits(person: Person, ollama: ScriptedOllama) -> None:
    """Until a model is loaded that may be long."""
    gate = ollama.gate()
    ollama.answers(gate, "Here.")
    person.open()
    person.ask("Where?")
    expect(person.answer).to_contain_text("Waiting for the first token…")
    gate.open()
    expect(person.answer).to_contain_text("Here.")
    expect(person.answer).not_to_contain_text("Waiting")


def test_the_figures_are_those_of_the_last_chunk(person: Person, ollama: ScriptedOllama) -> None:
    """100 tokens in 2 s, of 2.5 s altogether."""
    ollama.answers("Done.")
    person.open()
    person.ask_and_wait("Go.")
    expect(person.answer).to_contain_text("50 tokens/s · first token after 0.50 s · 100 tokens")


def test_an_answer_that_is_cut_off_says_so(person: Person, ollama: ScriptedOllama) -> None:
    """Ollama's done_reason is "length"."""
    ollama.answers("And then", done_reason="length")
    person.open()
    person.ask_and_wait("Tell a story.")
    expect(person.answer).to_contain_text("Cut off here")


def test_stop_frees_ollama(person: Person, ollama: ScriptedOllama) -> None:
    """The click closes the connection all the way; what was there stays."""
    begin_a_story(person, ollama)
    clicked_at = time.monotonic()
    person.button("Stop").click()
    (request,) = ollama.chat_requests
    assert request.connection.wait_until_closed() - clicked_at < 4 * FREED_WITHIN_SECONDS
    expect(person.answer).to_contain_text("Stopped.")
    expect(person.answer).to_contain_text("Once")


def test_escape_stops_too(person: Person, ollama: ScriptedOllama) -> None:
    """Where one types."""
    begin_a_story(person, ollama)
    person.question.press("Escape")
    ollama.chat_requests[0].connection.wait_until_closed()
    expect(person.answer).to_contain_text("Stopped.")


def test_stop_before_the_first_token_frees_ollama(person: Person, ollama: ScriptedOllama) -> None:
    """Nothing has been sent yet."""
    ollama.answers(ollama.gate())
    person.open()
    person.ask("Tell a story.")
    expect(person.answer).to_contain_text("Waiting")
    person.button("Stop").click()
    ollama.chat_requests[0].connection.wait_until_closed()
    expect(person.answer).to_contain_text("Stopped.")


@pytest.mark.parametrize("begun", ["", "Once "])
def test_the_click_that_stops_sends_nothing(person: Person, ollama: ScriptedOllama, begun: str) -> None:
    """The button under the pointer becomes the one that sends; the next question stays as it is typed."""
    ollama.answers(*filter(None, [begun]), ollama.gate())
    person.open()
    person.ask("Tell a story.")
    expect(person.answer).to_contain_text(begun or "Waiting")
    person.question.fill("Another one?")
    person.button("Stop").click()
    expect(person.button("Send")).to_be_visible()
    expect(person.answer).to_contain_text("Stopped.")
    expect(person.question).to_have_value("Another one?")
    expect(person.questions).to_have_text(["Tell a story."])
    assert len(ollama.chats) == 1


def test_while_an_answer_comes_enter_sends_nothing(person: Person, ollama: ScriptedOllama) -> None:
    """The next question waits where it is typed."""
    begin_a_story(person, ollama)
    person.ask("Another one?")
    expect(person.question).to_have_value("Another one?")
    expect(person.questions).to_have_text(["Tell a story."])


def test_after_a_stop_one_can_go_on(person: Person, ollama: ScriptedOllama) -> None:
    """The model is given what it had said."""
    begin_a_story(person, ollama)
    person.button("Stop").click()
    ollama.answers("upon a time.")
    person.ask("Go on.")
    expect(person.answer).to_contain_text("upon a time.")
    assert [message["content"] for message in ollama.chats[-1]["messages"]] == ["Tell a story.", "Once ", "Go on."]


def test_an_empty_question_is_not_sent(person: Person, ollama: ScriptedOllama) -> None:
    """Neither by the button nor by Enter, with spaces neither."""
    ollama.answers("Yes?")
    person.open()
    person.button("Send").click(force=True)  # which says that it cannot be used
    person.ask("")
    person.ask("  ")
    expect(person.question).to_have_value("  ")
    person.ask("Hello")
    expect(person.answer).to_contain_text("Yes?")
    assert [chat["messages"] for chat in ollama.chats] == [[{"role": "user", "content": "Hello"}]]


def test_the_button_sends(person: Person, ollama: ScriptedOllama) -> None:
    """As Enter does."""
    ollama.answers("Yes?")
    person.open()
    person.question.fill("Hello")
    person.button("Send").click()
    expect(person.answer).to_contain_text("Yes?")
    expect(person.question).to_have_value("")


def test_shift_and_enter_is_a_new_line(person: Person, ollama: ScriptedOllama) -> None:
    """Both lines are sent."""
    ollama.answers("Two lines.")
    person.open()
    person.question.press_sequentially("One")
    person.question.press("Shift+Enter")
    person.question.press_sequentially("Two")
    expect(person.question).to_have_value("One\nTwo")
    person.question.press("Enter")
    expect(person.answer).to_contain_text("Two lines.")
    assert ollama.chats[0]["messages"][0]["content"] == "One\nTwo"


@pytest.mark.parametrize("is_safari", [False, True])
def test_enter_that_chooses_a_character_does_not_send(
    person: Person, ollama: ScriptedOllama, *, is_safari: bool
) -> None:
    """As with an input method for Japanese; the next Enter sends. Safari has ended it by then: only the code tells."""
    ollama.answers("はい。")
    person.open()
    keyboard = person.page.context.new_cdp_session(person.page)
    keyboard.send("Input.imeSetComposition", {"text": "仮名", "selectionStart": 2, "selectionEnd": 2})
    if is_safari:
        keyboard.send("Input.insertText", {"text": "仮名"})
    code = 229 if is_safari else 13
    keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Enter", "windowsVirtualKeyCode": code})
    keyboard.send("Input.insertText", {"text": "仮名です" if is_safari else "仮名仮名です"})
    assert person.questions.count() == 0
    person.page.keyboard.press("Enter")
    expect(person.questions).to_have_text(["仮名仮名です"])


def test_try_again_replaces_the_answer(person: Person, ollama: ScriptedOllama) -> None:
    """The same is asked, without the answer before."""
    ollama.answers("First.")
    ollama.answers("Second.")
    person.open()
    person.ask_and_wait("Which?")
    person.button("Try again").click()
    expect(person.answer).to_contain_text("Second.")
    expect(person.answers).to_have_count(1)
    first, second = ollama.chats
    assert first == second


def test_an_edited_question_replaces_the_last_one(person: Person, ollama: ScriptedOllama) -> None:
    """And its answer; its files stay, what was before stays."""
    ollama.answers("Hello.")
    ollama.answers("Red.")
    ollama.answers("Blue.")
    person.open()
    person.ask_and_wait("Greet me.")
    person.attach("notes.txt", b"Some notes.")
    expect(person.button("Remove notes.txt")).to_be_visible()
    person.ask("Which red?")
    expect(person.answer).to_contain_text("Red.")
    person.button("Edit question").click()
    expect(person.question).to_have_value("Which red?")
    person.ask("Which blue?")
    expect(person.answer).to_contain_text("Blue.")
    expect(person.questions).to_have_text(["Greet me.", "Which blue?"])
    expect(person.answers).to_have_count(2)
    assert "Which blue?\n\nFile notes.txt:" in ollama.chats[-1]["messages"][-1]["content"]


def test_an_edit_can_be_left(person: Person, ollama: ScriptedOllama) -> None:
    """Then the question is as it was, and what is asked next comes after it."""
    ollama.answers("Red.")
    ollama.answers("Blue.")
    person.open()
    person.ask_and_wait("Which red?")
    person.button("Edit question").click()
    person.question.fill("Which green?")
    person.button("Leave the question as it was").click()
    expect(person.question).to_have_value("")
    person.ask("Which blue?")
    expect(person.questions).to_have_text(["Which red?", "Which blue?"])


def test_an_answer_is_copied_as_markdown(person: Person, ollama: ScriptedOllama) -> None:
    """As the model wrote it."""
    ollama.answers("It is **bold**.")
    person.open()
    person.ask_and_wait("Be bold.")
    person.button("Copy answer").click()
    expect(person.button("Copied")).to_be_visible()
    assert person.copied() == "It is **bold**."


def test_a_question_is_copied(person: Person, ollama: ScriptedOllama) -> None:
    """Its words."""
    ollama.answers("Yes.")
    person.open()
    person.ask_and_wait("Is it?")
    person.button("Copy question").click()
    expect(person.button("Copied")).to_be_visible()
    assert person.copied() == "Is it?"


def test_copying_works_without_https(person: Person, ollama: ScriptedOllama) -> None:
    """There a browser has no navigator.clipboard."""
    person.page.add_init_script("delete Navigator.prototype.clipboard")
    ollama.answers("It is **bold**.")
    person.open()
    person.ask_and_wait("Be bold.")
    person.button("Copy answer").click()
    expect(person.button("Copied")).to_be_visible()
    person.question.press("Control+V")
    expect(person.question).to_have_value("It is **bold**.")


def expect_failure(person: Person, ollama: ScriptedOllama, words: str) -> None:
    """It is said with `words`, and trying again works."""
    expect(person.answer.locator(".problem")).to_have_text(words)
    ollama.answers("Now it works.")
    person.button("Try again").click()
    expect(person.answer).to_contain_text("Now it works.")
    expect(person.answer.locator(".problem")).to_have_count(0)


def test_an_error_before_the_first_byte_is_shown(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    """In Ollama's words."""
    trouble.expect("status of 404")
    ollama.refuses(404, "model 'scripted:1b' not found")
    person.open()
    person.ask("Are you there?")
    expect_failure(person, ollama, "model 'scripted:1b' not found")


def test_an_error_in_the_middle_is_shown(person: Person, ollama: ScriptedOllama) -> None:
    """What was there stays."""
    ollama.ends_early("Half an ", error="llama runner process has terminated")
    person.open()
    person.ask("Are you there?")
    expect(person.answer).to_contain_text("Half an")
    expect_failure(person, ollama, "llama runner process has terminated")


@pytest.mark.parametrize("ending", ["close", "reset"])
def test_an_answer_that_breaks_off_says_so(
    person: Person, ollama: ScriptedOllama, trouble: Trouble, ending: Ending
) -> None:
    """What was there stays."""
    trouble.expect("net::ERR_INCOMPLETE_CHUNKED_ENCODING")
    gate = ollama.gate()
    ollama.answers("Half an ", gate, ending=ending)
    person.open()
    person.ask("Are you there?")
    expect(person.answer).to_contain_text("Half an")
    gate.open()
    expect_failure(person, ollama, "The answer broke off before it was complete.")


def test_an_answer_without_its_last_line_is_not_complete(person: Person, ollama: ScriptedOllama) -> None:
    """Even if the connection ended as it should."""
    ollama.ends_early("Half an ")
    person.open()
    person.ask("Are you there?")
    expect_failure(person, ollama, "The answer broke off before it was complete.")


def test_leaving_for_another_conversation_stops_nothing(person: Person, ollama: ScriptedOllama) -> None:
    """The answer goes on meanwhile; the list says which one is being answered."""
    gate = ollama.gate()
    ollama.answers("Once ", gate, "upon a time.")
    person.open()
    person.ask("Tell a story.")
    expect(person.answer).to_contain_text("Once")
    person.begin()
    expect(person.page.get_by_role("img", name="is being answered")).to_be_visible()
    gate.open()
    expect(person.page.get_by_role("img", name="is being answered")).not_to_be_attached()
    person.conversations.first.click()
    expect(person.answer).to_contain_text("Once upon a time.")


def test_a_reload_in_the_middle_keeps_what_was_there(person: Person, ollama: ScriptedOllama) -> None:
    """And says that it is not all; trying again works. What is less than a second old may be lost."""
    begin_a_story(person, ollama)
    until(lambda: person.page.evaluate(SAVED, "Once "), "what has come is saved")
    person.page.reload()
    expect(person.answer).to_contain_text("Once")
    expect(person.answer).to_contain_text("Not complete")
    ollama.answers("Now it works.")
    person.button("Try again").click()
    expect(person.answer).to_contain_text("Now it works.")

"""Questions and answers, with a scripted Ollama: how an answer arrives, ends, is stopped and retried."""

import time

import pytest
from playwright.sync_api import expect

from tests.page.person import Person
from tests.page.scripted import ScriptedOllama
from tests.page.trouble import Trouble
from tests.support.fake_ollama import Ending
from tests.support.stack import FREED_WITHIN_SECONDS, until

# Whether the database has a message with this text.
SAVED = """words => new Promise(resolve => {
    indexedDB.open("localchat").onsuccess = ({ target: { result: database } }) => {
        database.transaction("messages").objectStore("messages").getAll().onsuccess = ({ target: { result } }) => {
            database.close();
            resolve(result.some(({ content }) => content === words));
        };
    };
})"""


def begin_a_story(person: Person, ollama: ScriptedOllama) -> None:
    """Asks for an answer that pauses after its first word."""
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
    """Loading a model can take long."""
    gate = ollama.gate()
    ollama.answers(gate, "Here.")
    person.open()
    person.ask("Where?")
    expect(person.answer).to_contain_text("Waiting for the first token…")
    gate.open()
    expect(person.answer).to_contain_text("Here.")
    expect(person.answer).not_to_contain_text("Waiting")


def test_the_figures_are_those_of_the_last_chunk(person: Person, ollama: ScriptedOllama) -> None:
    """100 tokens in 2 s, of 2.5 s in total."""
    ollama.answers("Done.")
    person.open()
    person.ask_and_wait("Go.")
    expect(person.answer).to_contain_text("50 tokens/s · first token after 0.50 s · 100 tokens")


def test_an_answer_that_is_cut_off_says_so(person: Person, ollama: ScriptedOllama) -> None:
    """Ollama's done_reason is "length"."""
    ollama.answers("And then", done_reason="length")
    person.open()
    person.ask_and_wait("Tell a story.")
    expect(person.answer).to_contain_text("Stopped at the length limit.")


def test_stop_frees_ollama(person: Person, ollama: ScriptedOllama) -> None:
    """The click closes the connection to Ollama; the text so far stays."""
    begin_a_story(person, ollama)
    clicked_at = time.monotonic()
    person.button("Stop").click()
    (request,) = ollama.chat_requests
    assert request.connection.wait_until_closed() - clicked_at < 4 * FREED_WITHIN_SECONDS
    expect(person.answer).to_contain_text("Stopped.")
    expect(person.answer).to_contain_text("Once")


def test_escape_stops_too(person: Person, ollama: ScriptedOllama) -> None:
    """In the input."""
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
    """The button under the pointer becomes Send; the typed question stays."""
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
    """The typed question stays."""
    begin_a_story(person, ollama)
    person.ask("Another one?")
    expect(person.question).to_have_value("Another one?")
    expect(person.questions).to_have_text(["Tell a story."])


def test_after_a_stop_one_can_go_on(person: Person, ollama: ScriptedOllama) -> None:
    """The model gets its partial answer."""
    begin_a_story(person, ollama)
    person.button("Stop").click()
    ollama.answers("upon a time.")
    person.ask("Go on.")
    expect(person.answer).to_contain_text("upon a time.")
    assert [message["content"] for message in ollama.chats[-1]["messages"]] == ["Tell a story.", "Once ", "Go on."]


def test_an_empty_question_is_not_sent(person: Person, ollama: ScriptedOllama) -> None:
    """Neither with the button nor with Enter, nor with only spaces."""
    ollama.answers("Yes?")
    person.open()
    person.button("Send").click(force=True)  # although it is disabled
    person.ask("")
    person.ask("  ")
    expect(person.question).to_have_value("  ")
    person.ask("Hello")
    expect(person.answer).to_contain_text("Yes?")
    assert [chat["messages"] for chat in ollama.chats] == [[{"role": "user", "content": "Hello"}]]


def test_the_button_sends(person: Person, ollama: ScriptedOllama) -> None:
    """Like Enter."""
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
    """As with a Japanese input method; the next Enter sends. Safari ends the input first: only the key code tells."""
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
    """The same question is sent, without the previous answer."""
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
    """And its answer; its files and everything before it stay."""
    ollama.answers("Hello.")
    ollama.answers("Red.")
    ollama.answers("Blue.")
    person.open()
    person.ask_and_wait("Greet me.")
    person.attach("notes.txt", b"Some notes.")
    expect(person.button("Remove notes.txt")).to_be_visible()
    person.ask("Which red?")
    expect(person.answer).to_contain_text("Red.")
    person.button("Edit message").click()
    expect(person.question).to_have_value("Which red?")
    person.ask("Which blue?")
    expect(person.answer).to_contain_text("Blue.")
    expect(person.questions).to_have_text(["Greet me.", "Which blue?"])
    expect(person.answers).to_have_count(2)
    assert "Which blue?\n\nFile notes.txt:" in ollama.chats[-1]["messages"][-1]["content"]


def test_an_edit_can_be_left(person: Person, ollama: ScriptedOllama) -> None:
    """The question is unchanged, and the next one comes after it."""
    ollama.answers("Red.")
    ollama.answers("Blue.")
    person.open()
    person.ask_and_wait("Which red?")
    person.button("Edit message").click()
    person.question.fill("Which green?")
    person.button("Cancel").click()
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
    """Its text."""
    ollama.answers("Yes.")
    person.open()
    person.ask_and_wait("Is it?")
    person.button("Copy message").click()
    expect(person.button("Copied")).to_be_visible()
    assert person.copied() == "Is it?"


def test_copying_works_without_https(person: Person, ollama: ScriptedOllama) -> None:
    """There is no navigator.clipboard without it."""
    person.page.add_init_script("delete Navigator.prototype.clipboard")
    ollama.answers("It is **bold**.")
    person.open()
    person.ask_and_wait("Be bold.")
    person.button("Copy answer").click()
    expect(person.button("Copied")).to_be_visible()
    person.question.press("Control+V")
    expect(person.question).to_have_value("It is **bold**.")


def expect_failure(person: Person, ollama: ScriptedOllama, words: str) -> None:
    """The page shows `words`, and trying again works."""
    expect(person.answer.locator(".error")).to_have_text(words)
    ollama.answers("Now it works.")
    person.button("Try again").click()
    expect(person.answer).to_contain_text("Now it works.")
    expect(person.answer.locator(".error")).to_have_count(0)


def test_an_error_before_the_first_byte_is_shown(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    """With Ollama's message."""
    trouble.expect("status of 404")
    ollama.refuses(404, "model 'scripted:1b' not found")
    person.open()
    person.ask("Are you there?")
    expect_failure(person, ollama, "model 'scripted:1b' not found")


def test_an_error_in_the_middle_is_shown(person: Person, ollama: ScriptedOllama) -> None:
    """The text so far stays."""
    ollama.ends_early("Half an ", error="llama runner process has terminated")
    person.open()
    person.ask("Are you there?")
    expect(person.answer).to_contain_text("Half an")
    expect_failure(person, ollama, "llama runner process has terminated")


@pytest.mark.parametrize("ending", ["close", "reset"])
def test_an_answer_that_breaks_off_says_so(
    person: Person, ollama: ScriptedOllama, trouble: Trouble, ending: Ending
) -> None:
    """The text so far stays."""
    trouble.expect("net::ERR_INCOMPLETE_CHUNKED_ENCODING")
    gate = ollama.gate()
    ollama.answers("Half an ", gate, ending=ending)
    person.open()
    person.ask("Are you there?")
    expect(person.answer).to_contain_text("Half an")
    gate.open()
    expect_failure(person, ollama, "The connection was lost before the answer finished.")


def test_an_answer_without_its_last_line_is_not_complete(person: Person, ollama: ScriptedOllama) -> None:
    """Even if the connection ended properly."""
    ollama.ends_early("Half an ")
    person.open()
    person.ask("Are you there?")
    expect_failure(person, ollama, "The connection was lost before the answer finished.")


def test_leaving_for_another_conversation_stops_nothing(person: Person, ollama: ScriptedOllama) -> None:
    """The answer continues; the list shows which conversation is being answered."""
    gate = ollama.gate()
    ollama.answers("Once ", gate, "upon a time.")
    person.open()
    person.ask("Tell a story.")
    expect(person.answer).to_contain_text("Once")
    person.begin()
    expect(person.page.get_by_role("img", name="Answering…")).to_be_visible()
    gate.open()
    expect(person.page.get_by_role("img", name="Answering…")).not_to_be_attached()
    person.conversations.first.click()
    expect(person.answer).to_contain_text("Once upon a time.")


def test_a_reload_in_the_middle_keeps_what_was_there(person: Person, ollama: ScriptedOllama) -> None:
    """And says that it is incomplete; trying again works. The last second may be lost."""
    begin_a_story(person, ollama)
    until(lambda: person.page.evaluate(SAVED, "Once "), "the text so far is saved")
    person.page.reload()
    expect(person.answer).to_contain_text("Once")
    expect(person.answer).to_contain_text("Interrupted")
    ollama.answers("Now it works.")
    person.button("Try again").click()
    expect(person.answer).to_contain_text("Now it works.")

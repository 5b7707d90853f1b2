"""What Ollama gets of a conversation and its settings."""

import pytest
from playwright.sync_api import expect

from tests.page.person import Person
from tests.page.scripted import ScriptedOllama


def said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def test_unset_options_are_left_to_ollama(person: Person, ollama: ScriptedOllama) -> None:
    """Only the model and the question are sent."""
    ollama.answers("Hello.")
    person.open()
    person.ask_and_wait("Greet me.")
    assert ollama.chats == [{"model": "scripted:1b", "messages": [said("user", "Greet me.")], "options": {}}]


def test_the_whole_conversation_is_sent(person: Person, ollama: ScriptedOllama) -> None:
    """Each question and each answer, in order."""
    for answer in ("One.", "Two.", "Three."):
        ollama.answers(answer)
    person.open()
    person.ask_and_wait("First")
    person.ask("Second")
    expect(person.answer).to_contain_text("Two.")
    person.ask("Third")
    expect(person.answer).to_contain_text("Three.")
    assert ollama.chats[-1]["messages"] == [
        said("user", "First"),
        said("assistant", "One."),
        said("user", "Second"),
        said("assistant", "Two."),
        said("user", "Third"),
    ]


def test_after_a_reload_the_whole_conversation_is_sent(person: Person, ollama: ScriptedOllama) -> None:
    """It is read from the database."""
    ollama.answers("One.")
    ollama.answers("Two.")
    person.open()
    person.ask_and_wait("First")
    person.page.reload()
    expect(person.answer).to_contain_text("One.")
    person.ask("Second")
    expect(person.answer).to_contain_text("Two.")
    assert [message["content"] for message in ollama.chats[-1]["messages"]] == ["First", "One.", "Second"]


def test_settings_count_from_the_next_answer_on(person: Person, ollama: ScriptedOllama) -> None:
    """With Ollama's names; a cleared one is unset again."""
    for answer in ("One.", "Two."):
        ollama.answers(answer)
    person.open()
    person.set("System prompt", "Be brief.")
    person.set("Temperature", "0.5")
    person.set("Context length", "2048")
    person.ask_and_wait("First")
    person.set("System prompt", "")
    person.set("Temperature", "")
    person.set("Context length", "")
    person.ask("Second")
    expect(person.answer).to_contain_text("Two.")
    first, second = ollama.chats
    assert first["messages"] == [said("system", "Be brief."), said("user", "First")]
    assert first["options"] == {"temperature": 0.5, "num_ctx": 2048}
    assert second["messages"][0] == said("user", "First")
    assert second["options"] == {}


def test_a_temperature_of_zero_is_one(person: Person, ollama: ScriptedOllama) -> None:
    """It differs from unset."""
    ollama.answers("Hello.")
    person.open()
    person.set("Temperature", "0")
    person.ask_and_wait("Greet me.")
    assert ollama.chats[0]["options"] == {"temperature": 0}


@pytest.mark.parametrize(("name", "value"), [("Temperature", "2.5"), ("Context length", "8193")])
def test_what_is_out_of_range_is_not_taken(person: Person, ollama: ScriptedOllama, name: str, value: str) -> None:
    """The context is limited to the model's."""
    ollama.answers("Hello.")
    person.open()
    person.set(name, value)
    person.ask_and_wait("Greet me.")
    assert ollama.chats[0]["options"] == {}


def test_a_new_conversation_keeps_the_options_and_not_the_system_prompt(person: Person, ollama: ScriptedOllama) -> None:
    """Also after a reload."""
    for answer in ("One.", "Two.", "Three."):
        ollama.answers(answer)
    person.open()
    person.set("System prompt", "Be brief.")
    person.set("Temperature", "0.5")
    person.ask_and_wait("First")
    person.begin()
    person.ask_and_wait("Second")
    person.begin()
    person.page.reload()
    person.ask_and_wait("Third")
    messages = [[message["content"] for message in chat["messages"]] for chat in ollama.chats]
    assert messages == [["Be brief.", "First"], ["Second"], ["Third"]]
    assert [chat["options"] for chat in ollama.chats] == [{"temperature": 0.5}] * 3


def test_a_conversation_keeps_its_own_settings(person: Person, ollama: ScriptedOllama) -> None:
    """Whatever is set in another one later."""
    for answer in ("One.", "Two.", "Three."):
        ollama.answers(answer)
    person.open()
    person.set("Temperature", "0.5")
    person.ask_and_wait("First")
    person.begin()
    person.set("Temperature", "1.5")
    person.ask_and_wait("Second")
    person.conversations.last.click()
    expect(person.answer).to_contain_text("One.")
    person.ask("Third")
    expect(person.answer).to_contain_text("Three.")
    assert [chat["options"]["temperature"] for chat in ollama.chats] == [0.5, 1.5, 0.5]


def test_thinking_is_folded_and_not_sent_back(person: Person, ollama: ScriptedOllama) -> None:
    """The models' own templates leave it out too."""
    ollama.answers("Four.", thinking=["Two and ", "two…"])
    ollama.answers("Five.")
    person.open()
    person.ask_and_wait("Two and two?")
    thoughts = person.answer.get_by_text("Two and two…")
    expect(thoughts).not_to_be_visible()
    person.answer.get_by_text("Reasoning").click()
    expect(thoughts).to_be_visible()
    person.ask("And one?")
    expect(person.answer).to_contain_text("Five.")
    assert ollama.chats[-1]["messages"][1] == said("assistant", "Four.")


def test_while_a_model_thinks_the_page_says_so(person: Person, ollama: ScriptedOllama) -> None:
    """The thinking can be followed live."""
    ollama.answers(ollama.gate(), thinking=["Two and two…"])
    person.open()
    person.ask("Two and two?")
    person.answer.get_by_text("Thinking…").click()
    expect(person.answer.get_by_text("Two and two…")).to_be_visible()

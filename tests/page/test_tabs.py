"""Two tabs of one browser: changes in one appear in the other."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.page.person import Person
from tests.page.scripted import ScriptedOllama
from tests.page.trouble import REFUSE_STORAGE
from tests.support.stack import Stack


@pytest.fixture
def other(context: BrowserContext, person: Person, ollama: ScriptedOllama, stack: Stack) -> Person:
    """The second tab, showing a conversation from the first."""
    ollama.answers("With flour.")
    person.open()
    person.ask_and_wait("Bread")
    other = Person(context.new_page(), stack)
    other.page.goto(person.page.url)
    expect(other.answer).to_contain_text("With flour.")
    return other


def test_an_answer_is_seen_in_the_other_tab(person: Person, other: Person, ollama: ScriptedOllama) -> None:
    """At the latest when it is complete."""
    ollama.answers("And water.")
    person.ask("And?")
    expect(other.answer).to_contain_text("And water.")
    expect(other.questions).to_have_text(["Bread", "And?"])


def test_an_answer_on_its_way_is_seen_to_be_incomplete(person: Person, other: Person, ollama: ScriptedOllama) -> None:
    """Until it is complete."""
    gate = ollama.gate()
    ollama.answers("And ", gate, "water.")
    person.ask("And?")
    expect(other.answer).to_contain_text("another tab is still answering")
    gate.open()
    expect(other.answer).to_contain_text("And water.")
    expect(other.answer).not_to_contain_text("another tab")


def test_both_tabs_can_be_answered_at_once(person: Person, other: Person, ollama: ScriptedOllama) -> None:
    """Each in its own conversation, without interference."""
    gate = ollama.gate()
    ollama.answers("Still ", gate, "here.")
    person.ask("Are you there?")
    expect(person.answer).to_contain_text("Still")
    ollama.answers("Far away.")
    other.begin()
    other.ask_and_wait("Stars")
    expect(person.conversations).to_have_text(["Stars", "Bread"])
    expect(person.answer).to_contain_text("Still")
    gate.open()
    expect(person.answer).to_contain_text("Still here.")
    expect(other.answer).to_contain_text("Far away.")


def test_a_new_title_is_seen_in_the_other_tab(person: Person, other: Person) -> None:
    """At once."""
    person.use("Rename", "Bread")
    person.page.get_by_label("New title").fill("How to bake")
    person.page.get_by_label("New title").press("Enter")
    expect(other.conversations).to_have_text(["How to bake"])


def test_what_is_deleted_is_gone_from_the_other_tab(person: Person, other: Person) -> None:
    """It then shows a new conversation."""
    person.use("Delete", "Bread")
    person.button("Delete").click()
    expect(other.page.get_by_role("heading", name="How can I help?")).to_be_visible()
    expect(other.conversations).to_have_count(0)


def test_deleting_in_one_tab_what_the_other_is_answering_frees_ollama(
    person: Person, other: Person, ollama: ScriptedOllama
) -> None:
    """And it does not come back."""
    ollama.answers("Still ", ollama.gate())
    person.ask("Are you there?")
    expect(person.answer).to_contain_text("Still")
    other.use("Delete", "Bread")
    other.button("Delete").click()
    ollama.chat_requests[-1].connection.wait_until_closed()
    expect(person.conversations).to_have_count(0)
    person.page.reload()
    expect(person.page.get_by_text("No conversations yet.")).to_be_visible()


def test_a_draft_is_the_tabs_own(person: Person, other: Person) -> None:
    """And survives a reload."""
    person.question.fill("How much")
    expect(other.question).to_have_value("")
    person.page.reload()
    expect(person.question).to_have_value("How much")


def test_without_storage_each_tab_is_for_itself(
    person: Person, context: BrowserContext, ollama: ScriptedOllama, stack: Stack
) -> None:
    """They cannot see each other, which is not an error."""
    context.add_init_script(REFUSE_STORAGE)
    ollama.answers("With flour.")
    person.open()
    other = Person(context.new_page(), stack)
    other.page.goto("/")
    person.ask_and_wait("Bread")
    expect(other.page.get_by_text("No conversations yet.")).to_be_visible()
    expect(person.conversations).to_have_text(["Bread"])

"""Asking and being answered, with a scripted Ollama: order, pace, ends, and what of it reaches Ollama."""

import pytest
from playwright.sync_api import expect

from tests.e2e.stack import Stack
from tests.page.person import Person
from tests.page.scripted import ScriptedOllama


@pytest.fixture
def stack(stack_before_fake_ollama: Stack) -> Stack:
    return stack_before_fake_ollama


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

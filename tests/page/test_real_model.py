"""The page with the real Ollama and a real model."""

import time

import pytest
from playwright.sync_api import expect

from tests.page.person import Person
from tests.support.models import MODEL
from tests.support.stack import FREED_WITHIN_SECONDS, Stack, until

QUESTION = "What is the capital of France?"


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    return shared_stack


def open_the_page(person: Person) -> None:
    """With reproducible answers."""
    person.open()
    person.page.get_by_label("Model").select_option(MODEL)
    person.set("Temperature", "0")


def ask_for_a_story(person: Person) -> None:
    """Until it has begun."""
    person.ask("Write a long story about the sea.")
    expect(person.answer.locator(".markdown")).not_to_be_empty()


def test_the_model_is_listed_with_what_it_is(person: Person, stack: Stack) -> None:
    """Parameters, quantisation, and size on disk."""
    with stack.client() as client:
        (listed,) = [one for one in client.get("/models").json()["models"] if one["name"] == MODEL]
    details = listed["details"]
    size = f"{listed['size'] / 1e6:.0f} MB"
    person.open()
    option = person.page.get_by_label("Model").get_by_role("option", name=MODEL)
    expect(option).to_have_text(f"{MODEL} ({details['parameter_size']}, {details['quantization_level']}, {size})")


def test_an_answer_grows_before_it_is_complete(person: Person) -> None:
    """Word by word, while Stop is still available."""
    open_the_page(person)
    ask_for_a_story(person)
    for _ in range(4):
        before = person.answer.inner_text()
        expect(person.answer).not_to_have_text(before)
    expect(person.button("Stop")).to_be_visible()
    person.button("Stop").click()


def test_an_answer_ends_with_its_figures(person: Person) -> None:
    """As Ollama measured them."""
    open_the_page(person)
    person.ask(QUESTION)
    expect(person.answer.locator(".stats")).to_contain_text("tokens/s", timeout=60_000)


def test_stop_frees_the_model(person: Person, stack: Stack) -> None:
    """Ollama's own log says that it worked until the click, and no longer."""
    open_the_page(person)
    before = len(stack.answer_seconds())
    asked_at = time.monotonic()
    ask_for_a_story(person)
    person.button("Stop").click()
    stopped_after = time.monotonic() - asked_at
    until(lambda: len(stack.answer_seconds()) == before + 1, "Ollama stops the chat", seconds=5)
    assert stack.answer_seconds()[-1] < stopped_after + FREED_WITHIN_SECONDS
    expect(person.answer).to_contain_text("Stopped.")


def test_a_closed_tab_frees_the_model(person: Person, stack: Stack) -> None:
    """Nobody reads the rest."""
    open_the_page(person)
    before = len(stack.answer_seconds())
    asked_at = time.monotonic()
    ask_for_a_story(person)
    person.page.close()
    closed_after = time.monotonic() - asked_at
    until(lambda: len(stack.answer_seconds()) == before + 1, "Ollama stops the chat", seconds=5)
    assert stack.answer_seconds()[-1] < closed_after + FREED_WITHIN_SECONDS


def test_a_conversation_goes_on(person: Person) -> None:
    """With questions and answers in order."""
    open_the_page(person)
    person.ask(QUESTION)
    expect(person.button("Try again")).to_be_visible(timeout=60_000)
    person.ask("And of Spain?")
    expect(person.answers).to_have_count(2)
    expect(person.answers.last.locator(".markdown")).not_to_be_empty()
    expect(person.questions).to_have_text([QUESTION, "And of Spain?"])

"""Parts of the real stack are down: the page says which, keeps what was typed, and goes on by itself afterwards."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.stack import MODEL, Stack
from tests.page.person import Person
from tests.page.trouble import Trouble

# What the browser complains of, and what the page says.
COMPLAINTS = {
    "ollama": ("status of 502", "Ollama cannot be reached"),
    "api": ("status of 502", "LocalChat's API cannot be reached"),
    # Refused or reset: it depends on what was under way.
    "nginx": ("net::ERR_CONNECTION_RE", "LocalChat cannot be reached."),
}


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    return shared_stack


@pytest.fixture
def everything_back(stack: Stack) -> Iterator[None]:
    yield
    stack.run("up", "--detach", "--wait", "--no-build", "--no-recreate")


def expect_recovery(person: Person) -> None:
    """By itself, with what was typed."""
    expect(person.page.get_by_role("status")).to_be_empty(timeout=60_000)
    expect(person.question).to_have_value("Anybody there?")
    person.question.press("Enter")
    expect(person.answer.locator(".markdown")).not_to_be_empty(timeout=60_000)


@pytest.mark.usefixtures("everything_back")
@pytest.mark.parametrize("service", COMPLAINTS)
def test_what_is_down_is_said_until_it_is_back(person: Person, stack: Stack, trouble: Trouble, service: str) -> None:
    """Nobody has to reload."""
    complaint, words = COMPLAINTS[service]
    trouble.expect(complaint)
    person.open()
    person.page.get_by_label("Model").select_option(MODEL)
    person.question.fill("Anybody there?")
    stack.run("stop", "--timeout", "2", service)
    # Which looks for models at once.
    person.page.get_by_label("Model").focus()
    expect(person.page.get_by_role("status")).to_contain_text(words)
    stack.run("start", service)
    expect_recovery(person)


@pytest.mark.usefixtures("everything_back")
def test_an_answer_during_which_ollama_dies_says_so(person: Person, stack: Stack, trouble: Trouble) -> None:
    """What was there stays, and trying again works as soon as Ollama is back."""
    trouble.expect("net::ERR_INCOMPLETE_CHUNKED_ENCODING")
    trouble.expect("status of 502")
    person.open()
    person.page.get_by_label("Model").select_option(MODEL)
    person.ask("Write a long story about the sea.")
    expect(person.answer.locator(".markdown")).not_to_be_empty()
    stack.run("kill", "ollama")
    expect(person.answer.locator(".problem")).to_have_text("The answer broke off before it was complete.")
    expect(person.answer.locator(".markdown")).not_to_be_empty()
    expect(person.page.get_by_role("status")).to_contain_text("Ollama cannot be reached")
    stack.run("start", "ollama")
    expect(person.page.get_by_role("status")).to_be_empty(timeout=60_000)
    person.button("Try again").click()
    expect(person.answer.locator(".problem")).to_have_count(0)
    expect(person.answer.locator(".markdown")).not_to_be_empty(timeout=60_000)

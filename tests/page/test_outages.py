"""Outages of the real stack's parts: the page says which, keeps the draft, and recovers on its own."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.page.person import Person
from tests.page.trouble import Trouble
from tests.support.models import MODEL
from tests.support.stack import Stack

# The browser's errors, and the page's message.
COMPLAINTS = {
    "ollama": ("status of 502", "Ollama is unreachable"),
    "api": ("status of 502", "LocalChat's API is unreachable"),
    # Refused, reset, or an idle connection that is gone, depending on what was in progress.
    "nginx": ("net::ERR_(CONNECTION_RE|SOCKET_NOT_CONNECTED)", "Can't reach LocalChat."),
}


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    return shared_stack


@pytest.fixture
def everything_back(stack: Stack) -> Iterator[None]:
    yield
    stack.run("up", "--detach", "--wait", "--no-build", "--no-recreate")


def expect_recovery(person: Person) -> None:
    """On its own, with the draft."""
    expect(person.page.get_by_role("status")).to_be_empty(timeout=60_000)
    expect(person.question).to_have_value("Anybody there?")
    person.question.press("Enter")
    expect(person.answer.locator(".markdown")).not_to_be_empty(timeout=60_000)


@pytest.mark.usefixtures("everything_back")
@pytest.mark.parametrize("service", COMPLAINTS)
def test_an_outage_is_shown_until_it_is_over(person: Person, stack: Stack, trouble: Trouble, service: str) -> None:
    """Nobody has to reload."""
    complaint, words = COMPLAINTS[service]
    trouble.expect(complaint)
    person.open()
    person.page.get_by_label("Model").select_option(MODEL)
    person.question.fill("Anybody there?")
    stack.run("stop", "--timeout", "2", service)
    # This refreshes the models at once.
    person.page.get_by_label("Model").focus()
    expect(person.page.get_by_role("status")).to_contain_text(words)
    stack.run("start", service)
    expect_recovery(person)


@pytest.mark.usefixtures("everything_back")
def test_an_answer_during_which_ollama_dies_says_so(person: Person, stack: Stack, trouble: Trouble) -> None:
    """The text so far stays, and trying again works once Ollama is back."""
    trouble.expect("net::ERR_INCOMPLETE_CHUNKED_ENCODING")
    trouble.expect("status of 502")
    person.open()
    person.page.get_by_label("Model").select_option(MODEL)
    person.ask("Write a long story about the sea.")
    expect(person.answer.locator(".markdown")).not_to_be_empty()
    stack.run("kill", "ollama")
    expect(person.answer.locator(".error")).to_have_text("The connection was lost before the answer finished.")
    expect(person.answer.locator(".markdown")).not_to_be_empty()
    expect(person.page.get_by_role("status")).to_contain_text("Ollama is unreachable")
    stack.run("start", "ollama")
    expect(person.page.get_by_role("status")).to_be_empty(timeout=60_000)
    person.button("Try again").click()
    expect(person.answer.locator(".error")).to_have_count(0)
    expect(person.answer.locator(".markdown")).not_to_be_empty(timeout=60_000)

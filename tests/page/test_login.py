"""Logging in and out, and a token that expires in between: after the login the page continues where it was."""

import time

import pytest
from jose import jwt
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.page.person import Person
from tests.page.scripted import ScriptedOllama
from tests.page.trouble import Trouble
from tests.support.stack import Stack

TOKEN = "localchat.token"
SIGNING_KEY = "print(open('/data/state/secret_key').read())"
EXPIRED = "Your session has expired."


def refuse_once(page: Page, path: str) -> None:
    """Gives the next request an invalid token, so that the API refuses it."""

    def break_token(route: Route) -> None:
        route.continue_(headers={**route.request.headers, "authorization": "Bearer broken"})

    page.route(f"**{path}", break_token, times=1)


def ask_and_be_refused(person: Person) -> None:
    refuse_once(person.page, "/chat")
    person.ask("Give me something.")


def expired_token(stack: Stack) -> str:
    """Valid except for its expiry."""
    claims = {**jwt.get_unverified_claims(stack.token), "exp": int(time.time()) - 1}
    return jwt.encode(claims, stack.python("api", SIGNING_KEY).strip(), algorithm="HS256")


@pytest.mark.usefixtures("ollama")
def test_after_the_login_one_can_ask(person: Person) -> None:
    """The input has the focus."""
    person.open()
    expect(person.question).to_be_focused()


@pytest.mark.usefixtures("ollama")
def test_a_wrong_password_is_reported_and_the_email_stays(person: Person, stack: Stack, trouble: Trouble) -> None:
    """Only the password has to be typed again."""
    trouble.expect("401")
    person.page.goto("/")
    person.log_in("a wrong one")
    expect(person.page.get_by_role("alert")).to_have_text("Wrong email or password.")
    expect(person.page.get_by_label("Email")).to_have_value(stack.email)
    person.page.get_by_label("Password").fill(stack.password)
    person.button("Log in").click()
    expect(person.question).to_be_visible()


@pytest.mark.usefixtures("ollama")
def test_a_reload_stays_logged_in(person: Person) -> None:
    """The browser stores the token."""
    person.open()
    person.page.reload()
    expect(person.page.get_by_label("Model")).to_be_visible()


def test_logging_out_forgets_the_token_and_keeps_conversations(person: Person, ollama: ScriptedOllama) -> None:
    """After the next login they are there."""
    ollama.answers("Hello.")
    person.open()
    person.ask_and_wait("Greet me")
    person.log_out()
    assert person.page.evaluate("name => localStorage.getItem(name)", TOKEN) is None
    person.log_in()
    expect(person.conversations).to_have_text(["Greet me"])
    expect(person.answer).to_contain_text("Hello.")


@pytest.mark.usefixtures("ollama")
def test_logging_out_in_one_tab_logs_out_the_other(person: Person, context: BrowserContext, stack: Stack) -> None:
    """And logging in there logs in here."""
    person.open()
    other = Person(context.new_page(), stack)
    other.page.goto("/")
    other.log_out()
    expect(person.button("Log in")).to_be_visible()
    expect(person.question).not_to_be_attached()
    other.log_in()
    expect(person.question).to_be_visible()


def test_a_refused_question_goes_on_after_the_login(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    """It is sent once, and nobody has to ask again."""
    trouble.expect("401")
    ollama.answers("Here you are.")
    person.open()
    ask_and_be_refused(person)
    expect(person.page.get_by_text(EXPIRED)).to_be_visible()
    assert ollama.chats == []
    person.log_in()
    expect(person.answer).to_contain_text("Here you are.")
    expect(person.questions).to_have_text(["Give me something."])
    assert len(ollama.chats) == 1


def test_after_an_expired_token_all_is_where_it_was(
    person: Person, context: BrowserContext, stack: Stack, ollama: ScriptedOllama, trouble: Trouble
) -> None:
    """The conversation continues; the draft and its uploads are still there."""
    trouble.expect("401")
    ollama.answers("One.")
    ollama.answers("Two.")
    person.open()
    person.ask_and_wait("First")
    person.question.fill("Second")
    person.attach("notes.txt", b"Some notes.")
    expect(person.button("Remove notes.txt")).to_be_visible()
    # Storage events tell this tab about another tab's token.
    other = context.new_page()
    other.goto("/docs")
    other.evaluate("([name, token]) => localStorage.setItem(name, token)", [TOKEN, expired_token(stack)])
    person.page.get_by_label("Model").focus()
    expect(person.page.get_by_text(EXPIRED)).to_be_visible()
    person.log_in()
    expect(person.page.get_by_text(EXPIRED)).not_to_be_attached()
    expect(person.question).to_have_value("Second")
    person.question.press("Enter")
    expect(person.answer).to_contain_text("Two.")
    assert "Some notes." in ollama.chats[-1]["messages"][-1]["content"]


@pytest.mark.usefixtures("ollama")
def test_a_refused_upload_goes_on_after_the_login(person: Person, trouble: Trouble) -> None:
    """Nobody has to choose the file again."""
    trouble.expect("401")
    person.open()
    refuse_once(person.page, "/upload")
    person.attach("notes.txt", b"Some notes.")
    expect(person.page.get_by_text(EXPIRED)).to_be_visible()
    person.log_in()
    expect(person.button("Remove notes.txt")).to_be_visible()


@pytest.mark.usefixtures("ollama")
def test_behind_the_login_nothing_can_be_used(person: Person, trouble: Trouble) -> None:
    """The page is visible, but not reachable by keyboard; the password field has the focus."""
    trouble.expect("401")
    person.open()
    ask_and_be_refused(person)
    expect(person.page.locator(".behind")).to_have_attribute("inert", "")
    expect(person.page.get_by_label("Password")).to_be_focused()
    expect(person.question).to_be_visible()


def test_after_the_login_the_focus_is_where_it_was(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    """One can type on."""
    trouble.expect("401")
    ollama.answers("Here you are.")
    person.open()
    ask_and_be_refused(person)
    expect(person.page.get_by_text(EXPIRED)).to_be_visible()
    person.log_in()
    expect(person.question).to_be_focused()

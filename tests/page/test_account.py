"""One's own account: the password, logging out, a computer that several people use, an identity provider."""

import json
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.page import samples
from tests.page.members import Member, new_member, status
from tests.page.person import Person
from tests.page.scripted import ScriptedOllama
from tests.page.trouble import Trouble
from tests.support.stack import Stack, until

NEW = "another long password"
TOKEN = "localStorage.getItem('localchat.token')"
STORED = """() => new Promise((done) => {
  const opening = indexedDB.open("localchat");
  opening.onsuccess = () => {
    const all = opening.result.transaction("messages").objectStore("messages").getAll();
    all.onsuccess = () => { opening.result.close(); done(all.result.map(({ content }) => content)); };
  };
})"""


def token(person: Person) -> str:
    return str(person.page.evaluate(TOKEN))


def stored(page: Page) -> list[str]:
    """The messages in the browser's database, whoever they belong to."""
    messages: list[str] = page.evaluate(STORED)
    return messages


def answer_with(page: Page, path: str, answer: dict[str, Any]) -> list[Any]:
    """Instead of the API's own answer there. Returns the bodies that it is asked with."""
    asked: list[Any] = []

    def fulfil(route: Route) -> None:
        asked.append(route.request.post_data_json if route.request.method == "POST" else None)
        route.fulfill(body=json.dumps(answer), content_type="application/json")

    page.route(f"**{path}", fulfil)
    return asked


def change_password(person: Person, current: str) -> None:
    person.page.get_by_label("Current password").fill(current)
    person.page.get_by_label("New password").fill(NEW)
    person.dialog("Change password").get_by_role("button", name="Change password").click()


@pytest.mark.usefixtures("ollama")
def test_a_changed_password_ends_the_other_sessions(person: Person, member: Member, stack: Stack) -> None:
    """This one goes on."""
    other = member.token(stack)
    person.open(member.password, member.email)
    person.choose("Change password")
    change_password(person, member.password)
    expect(person.page.get_by_role("status").filter(has_text="Your password has been changed.")).to_be_visible()
    assert status(stack, other) == 401
    assert status(stack, token(person)) == 200
    assert Member(member.id, member.email, NEW).token(stack)


@pytest.mark.usefixtures("ollama")
def test_a_wrong_current_password_is_refused(person: Person, member: Member, trouble: Trouble) -> None:
    """It has the focus, to be typed again."""
    trouble.expect("403")
    person.open(member.password, member.email)
    person.choose("Change password")
    change_password(person, "not the password")
    expect(person.page.get_by_text("The current password is wrong.")).to_be_visible()
    expect(person.page.get_by_label("Current password")).to_be_focused()


@pytest.mark.usefixtures("ollama")
def test_the_account_of_the_settings_is_told_where_its_password_is(person: Person) -> None:
    """There is nothing to fill in."""
    person.open()
    person.choose("Change password")
    expect(person.dialog("Change password")).to_contain_text("ADMIN_PASSWORD")
    expect(person.page.get_by_label("Current password")).not_to_be_attached()


@pytest.mark.usefixtures("ollama")
def test_the_focus_returns_from_the_account_menu(person: Person) -> None:
    """Step by step, with Escape."""
    person.open()
    person.choose("API keys")
    expect(person.dialog("API keys")).to_be_visible()
    person.page.keyboard.press("Escape")
    expect(person.button("API keys")).to_be_focused()
    person.page.keyboard.press("Escape")
    expect(person.button("Account")).to_be_focused()


@pytest.mark.usefixtures("ollama")
def test_logging_out_ends_the_session(person: Person, stack: Stack) -> None:
    """For whoever has copied its token, too."""
    person.open()
    used = token(person)
    person.log_out()
    until(lambda: status(stack, used) == 401, "the token is refused")


@pytest.mark.usefixtures("ollama")
def test_one_can_log_out_while_the_api_is_out_of_reach(person: Person, trouble: Trouble) -> None:
    """On this computer at least."""
    trouble.expect("ERR_FAILED")
    person.open()
    person.page.route("**/logout", lambda route: route.abort())
    person.log_out()
    assert person.page.evaluate(TOKEN) is None


@pytest.mark.usefixtures("ollama")
def test_logging_out_everywhere_leads_other_browsers_to_the_login(
    person: Person, visitor: Person, member: Member, trouble: Trouble
) -> None:
    """With their next request, and without losing what is typed there."""
    trouble.expect("401")
    visitor.open(member.password, member.email)
    visitor.question.fill("Half a question")
    person.open(member.password, member.email)
    person.log_out("Log out everywhere")
    visitor.page.get_by_label("Model").focus()
    expect(visitor.page.get_by_text("Your session has expired.")).to_be_visible()
    visitor.log_in(member.password, member.email)
    expect(visitor.question).to_have_value("Half a question")


@pytest.mark.usefixtures("ollama")
def test_logging_out_everywhere_says_when_it_did_not_work(person: Person, trouble: Trouble) -> None:
    """And one is still logged in."""
    trouble.expect("ERR_FAILED")
    person.open()
    person.page.route("**/logout?everywhere=true", lambda route: route.abort())
    person.choose("Log out everywhere")
    person.confirm("Log out everywhere")
    expect(person.dialog("Log out everywhere?")).to_contain_text("Can't reach LocalChat.")
    assert token(person)


def test_on_a_shared_computer_the_next_person_finds_nothing(
    person: Person, member: Member, ollama: ScriptedOllama
) -> None:
    """No conversation, title, draft or email; and who comes back finds their conversations again."""
    ollama.answers("Soon.")
    person.open()
    person.ask_and_wait("When is the surprise party?")
    person.question.fill("Is Ann invited")
    person.choose("Log out")
    expect(person.dialog("Log out?")).to_contain_text("Your conversations stay in this browser.")
    person.confirm("Log out")
    expect(person.page).to_have_title("LocalChat")
    expect(person.page.get_by_label("Email")).to_have_value("")
    person.log_in(member.password, member.email)
    expect(person.page.get_by_text("No conversations yet.")).to_be_visible()
    expect(person.question).to_have_value("")
    person.page.get_by_label("Search conversations").fill("party")
    expect(person.page.get_by_text("Nothing found.")).to_be_visible()
    person.log_out()
    person.log_in()
    expect(person.conversations).to_have_text(["When is the surprise party?"])


def test_conversations_can_be_deleted_with_logging_out(person: Person, ollama: ScriptedOllama) -> None:
    """From the browser's database, not only from view."""
    ollama.answers("Soon.")
    person.open()
    person.ask_and_wait("When is the surprise party?")
    assert len(stored(person.page)) == 2
    person.choose("Log out")
    person.page.get_by_label("Delete my conversations from this browser").check()
    person.confirm("Log out")
    expect(person.button("Log in")).to_be_visible()
    assert stored(person.page) == []
    person.log_in()
    expect(person.page.get_by_text("No conversations yet.")).to_be_visible()


def test_only_ones_own_conversations_are_deleted(person: Person, member: Member, ollama: ScriptedOllama) -> None:
    """Other people of the same browser keep theirs."""
    ollama.answers("Soon.")
    person.open()
    person.ask_and_wait("When is the surprise party?")
    person.log_out()
    person.log_in(member.password, member.email)
    person.choose("Log out")
    person.page.get_by_label("Delete my conversations from this browser").check()
    person.confirm("Log out")
    person.log_in()
    expect(person.conversations).to_have_text(["When is the surprise party?"])


def test_who_logs_in_after_somebody_elses_session_has_ended_finds_nothing_of_theirs(
    person: Person, member: Member, stack: Stack, ollama: ScriptedOllama, trouble: Trouble
) -> None:
    """Neither on the screen nor in the list, and the other's question is not asked in their name."""
    trouble.expect("401")
    ollama.answers("Soon.")
    gone = new_member(stack)
    person.open(gone.password, gone.email)
    person.ask_and_wait("When is the surprise party?")
    headers = {"Authorization": f"Bearer {gone.token(stack)}"}
    httpx.post(f"{stack.url}/logout?everywhere=true", headers=headers).raise_for_status()
    person.ask("Is Ann invited?")
    expect(person.page.get_by_text("Your session has expired.")).to_be_visible()
    person.log_in(member.password, member.email)
    expect(person.page.get_by_text("No conversations yet.")).to_be_visible()
    expect(person.questions).to_have_count(0)
    assert len(ollama.chats) == 1


@pytest.mark.usefixtures("ollama")
def test_what_an_older_version_stored_belongs_to_the_next_account(person: Person, member: Member) -> None:
    """Nothing is lost with the update."""
    person.open()
    samples.remember(person.page, samples.TITLES)
    expect(person.conversations).to_have_text(samples.TITLES)
    person.log_out()
    person.log_in(member.password, member.email)
    expect(person.page.get_by_text("No conversations yet.")).to_be_visible()


@pytest.mark.usefixtures("ollama")
def test_a_session_of_an_older_version_goes_on(person: Person) -> None:
    """It has stored no account: the page asks the API whose it is."""
    person.open()
    person.page.evaluate("localStorage.removeItem('localchat.account')")
    samples.remember(person.page, samples.TITLES)
    expect(person.conversations).to_have_text(samples.TITLES)


@pytest.mark.usefixtures("ollama")
def test_the_login_offers_the_identity_provider_where_there_is_one(person: Person) -> None:
    """By the name that the settings give it."""
    answer_with(person.page, "/login/methods", {"password": True, "oidc": {"name": "Example SSO"}})
    person.page.goto("/")
    link = person.page.get_by_role("link", name="Log in with Example SSO")
    expect(link).to_have_attribute("href", "/login/oidc")
    expect(person.page.get_by_label("Password")).to_be_visible()


@pytest.mark.usefixtures("ollama")
def test_who_comes_back_from_the_identity_provider_is_logged_in(person: Person, member: Member, stack: Stack) -> None:
    """The code in the address is exchanged, and gone from there."""
    asked = answer_with(person.page, "/login/oidc/token", {"access_token": member.token(stack)})
    person.page.goto("/#/signed-in/a-code")
    expect(person.question).to_be_visible()
    assert asked == [{"code": "a-code"}]
    assert "a-code" not in person.page.url
    person.button("Account").click()
    expect(person.dialog("Account")).to_contain_text(member.email)


def test_a_code_that_is_not_good_leads_to_the_login(person: Person, trouble: Trouble) -> None:
    """In the API's words: this one has no identity provider."""
    trouble.expect("404")
    person.page.goto("/#/signed-in/a-code")
    expect(person.button("Log in")).to_be_visible()
    expect(person.page.get_by_text("Sign-in by OpenID Connect is not set up here")).to_be_visible()


def test_why_the_identity_provider_let_nobody_in_is_said(person: Person) -> None:
    """The address names the reason."""
    person.page.goto("/#/login?error=disabled")
    expect(person.page.get_by_text("Your account is disabled.")).to_be_visible()
    person.page.goto("/#/login?error=whatever")
    expect(person.page.get_by_text("The login with the identity provider failed.")).to_be_visible()

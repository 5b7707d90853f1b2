"""An administrator and other people's accounts: inviting, changing, deleting; and whoever is invited."""

import re

import httpx
import pytest
from playwright.sync_api import Locator, expect

from tests.page.members import Member, new_email, status
from tests.page.person import Person
from tests.page.scripted import ScriptedOllama
from tests.page.trouble import Trouble
from tests.support.stack import Stack

PASSWORD = "a long enough password"
CONFIRMATIONS = {
    "Make administrator": "can then manage people and models",
    "Disable": "API keys stop working",
    "New invitation link": "an earlier link stops working",
    "Delete": "API keys, sessions and uploaded files",
}


def invite(admin: Person, email: str) -> str:
    """The link, as the administrator copies it."""
    admin.choose("People")
    admin.page.get_by_label("Email").fill(email)
    admin.button("Invite").click()
    expect(admin.page.get_by_role("region", name=f"Invitation for {email}")).to_be_focused()
    admin.button("Copy link").click()
    return admin.copied()


def account(person: Person, email: str) -> Locator:
    """In the list of people."""
    return person.page.get_by_role("list", name="Accounts").get_by_role("listitem").filter(has_text=email)


def accept(visitor: Person, link: str) -> None:
    visitor.page.goto(link)
    visitor.page.get_by_label("New password").fill(PASSWORD)
    visitor.button("Set password").click()


def shown_password(stack: Stack, member: Member) -> int:
    body = {"email": member.email, "password": member.password}
    return httpx.post(f"{stack.url}/login", json=body).status_code


def test_the_second_person_from_the_invitation_to_a_key_that_is_refused(
    person: Person, visitor: Person, ollama: ScriptedOllama, stack: Stack
) -> None:
    """One form and one link; then they chat, and a program of theirs works until its key is deleted."""
    ollama.answers("Welcome.")
    email = new_email()
    person.open()
    accept(visitor, invite(person, email))
    expect(visitor.page.get_by_text("Your password is set.")).to_be_visible()
    visitor.log_in(PASSWORD, email)
    expect(visitor.page.get_by_label("Model")).to_be_visible()
    visitor.ask_and_wait("Hello")
    expect(visitor.answer).to_contain_text("Welcome.")
    visitor.choose("API keys")
    visitor.page.get_by_label("Name", exact=True).fill("My script")
    visitor.button("Create key").click()
    visitor.button("Copy key").click()
    key = visitor.copied()
    assert status(stack, key) == 200
    visitor.button("Delete My script").click()
    visitor.dialog("Delete this key?").get_by_role("button", name="Delete", exact=True).click()
    expect(visitor.button("Delete My script")).not_to_be_attached()
    assert status(stack, key) == 401


@pytest.mark.usefixtures("ollama")
@pytest.mark.parametrize("action", CONFIRMATIONS)
def test_a_change_says_first_what_goes(person: Person, member: Member, stack: Stack, action: str) -> None:
    """Who cancels has changed nothing, and is where they were."""
    token = member.token(stack)
    person.open()
    person.choose("People")
    button = account(person, member.email).get_by_role("button", name=action)
    button.click()
    dialog = person.dialog(f"{action}?")
    expect(dialog).to_contain_text(member.email)
    expect(dialog).to_contain_text(CONFIRMATIONS[action])
    dialog.get_by_role("button", name="Cancel").click()
    expect(button).to_be_focused()
    expect(account(person, member.email)).to_contain_text("member")
    assert status(stack, token) == 200


@pytest.mark.usefixtures("ollama")
def test_a_disabled_account_is_out_at_once_until_it_is_enabled(person: Person, member: Member, stack: Stack) -> None:
    """It is listed as disabled."""
    token = member.token(stack)
    person.open()
    person.choose("People")
    account(person, member.email).get_by_role("button", name="Disable").click()
    person.confirm("Disable")
    expect(account(person, member.email)).to_contain_text("disabled")
    assert status(stack, token) == 401
    account(person, member.email).get_by_role("button", name="Enable").click()
    person.confirm("Enable")
    expect(account(person, member.email)).not_to_contain_text("disabled")
    assert shown_password(stack, member) == 200


@pytest.mark.usefixtures("ollama")
def test_a_role_counts_at_once(person: Person, member: Member, stack: Stack) -> None:
    """Up and down again."""
    token = member.token(stack)
    person.open()
    person.choose("People")
    for action, listed, allowed in [("Make administrator", "administrator", 200), ("Make member", "member", 403)]:
        account(person, member.email).get_by_role("button", name=action).click()
        person.confirm(action)
        expect(account(person, member.email).locator("small")).to_contain_text(listed)
        assert status(stack, token, "/users") == allowed


@pytest.mark.usefixtures("ollama")
def test_a_deleted_account_is_gone(person: Person, member: Member, stack: Stack) -> None:
    """The focus stays in the dialog, where the list is."""
    token = member.token(stack)
    person.open()
    person.choose("People")
    account(person, member.email).get_by_role("button", name="Delete").click()
    person.confirm("Delete")
    expect(account(person, member.email)).not_to_be_attached()
    expect(person.dialog("People")).to_be_focused()
    assert status(stack, token) == 401


@pytest.mark.usefixtures("ollama")
def test_a_forgotten_password_is_a_new_invitation_link(
    person: Person, visitor: Person, member: Member, stack: Stack
) -> None:
    """The old one works until it is used."""
    person.open()
    person.choose("People")
    account(person, member.email).get_by_role("button", name="New invitation link").click()
    person.confirm("New invitation link")
    expect(person.page.get_by_role("region", name=f"Invitation for {member.email}")).to_be_focused()
    person.button("Copy link").click()
    assert shown_password(stack, member) == 200
    accept(visitor, person.copied())
    visitor.log_in(PASSWORD, member.email)
    expect(visitor.question).to_be_visible()
    assert shown_password(stack, member) == 401


@pytest.mark.usefixtures("ollama")
def test_an_invitation_is_good_once(person: Person, visitor: Person, trouble: Trouble) -> None:
    """After that the API's words say what to do."""
    trouble.expect("404")
    person.open()
    link = invite(person, new_email())
    accept(visitor, link)
    expect(visitor.page.get_by_text("Your password is set.")).to_be_visible()
    assert "invitation" not in visitor.page.url
    accept(visitor, link)
    expect(visitor.page.get_by_role("alert")).to_contain_text("Ask for a new one.")


@pytest.mark.usefixtures("ollama")
def test_a_weak_password_is_refused_in_the_apis_words(person: Person, visitor: Person, trouble: Trouble) -> None:
    """And the invitation is still good."""
    trouble.expect("422")
    person.open()
    link = invite(person, new_email())
    visitor.page.goto(link)
    visitor.page.get_by_label("New password").fill("short")
    visitor.button("Set password").click()
    expect(visitor.page.get_by_role("alert")).to_contain_text("at least 10 characters")
    expect(visitor.page.get_by_label("New password")).to_be_focused()
    visitor.page.get_by_label("New password").fill(PASSWORD)
    visitor.button("Set password").click()
    expect(visitor.page.get_by_text("Your password is set.")).to_be_visible()


@pytest.mark.usefixtures("ollama")
def test_who_accepts_an_invitation_is_not_logged_in_as_somebody_else(person: Person, stack: Stack) -> None:
    """Where an administrator tries the link in their own browser, that session ends."""
    person.open()
    link = invite(person, new_email())
    token = str(person.page.evaluate("localStorage.getItem('localchat.token')"))
    person.page.goto(link)
    accept(person, link)
    expect(person.page.get_by_label("Email")).to_have_value("")
    assert status(stack, token) == 401


@pytest.mark.usefixtures("ollama")
def test_an_email_that_is_taken_is_refused_in_the_apis_words(person: Person, member: Member, trouble: Trouble) -> None:
    """What was typed stays."""
    trouble.expect("409")
    person.open()
    person.choose("People")
    person.page.get_by_label("Email").fill(member.email)
    person.button("Invite").click()
    expect(person.page.get_by_text("There is already an account with this email address.")).to_be_visible()
    expect(person.page.get_by_label("Email")).to_have_value(member.email)


@pytest.mark.usefixtures("ollama")
def test_nobody_can_lock_themselves_out(person: Person, stack: Stack) -> None:
    """One's own account, and that of the settings, have no buttons."""
    person.open()
    person.choose("People")
    expect(account(person, stack.email)).to_contain_text("kept in .env")
    expect(account(person, stack.email).get_by_role("button")).to_have_count(0)


@pytest.mark.usefixtures("ollama")
def test_members_do_not_manage_people(person: Person, member: Member) -> None:
    """Their menu has no such item."""
    person.open(member.password, member.email)
    person.button("Account").click()
    expect(person.dialog("Account")).to_contain_text(member.email)
    expect(person.button("API keys")).to_be_visible()
    expect(person.button(re.compile("People"))).not_to_be_attached()

"""API keys on the page: made, copied, set up in a client, deleted."""

import secrets

import httpx
import pytest
from playwright.sync_api import Locator, expect

from tests.page.members import Member, status
from tests.page.person import Person
from tests.page.trouble import Trouble
from tests.support.stack import Stack

pytestmark = pytest.mark.usefixtures("ollama")


@pytest.fixture
def name() -> str:
    """No other test has a key of this name."""
    return f"Script {secrets.token_hex(3)}"


def make(person: Person, name: str) -> str:
    """From the account menu to the clipboard."""
    person.choose("API keys")
    person.page.get_by_label("Name", exact=True).fill(name)
    person.button("Create key").click()
    person.button("Copy key").click()
    return person.copied()


def entry(person: Person, name: str) -> Locator:
    return person.page.get_by_role("list", name="Your keys").get_by_role("listitem").filter(has_text=name)


def test_a_fresh_key_works_and_is_shown_once(person: Person, stack: Stack, name: str) -> None:
    """Afterwards the list has its last four characters."""
    person.open()
    key = make(person, name)
    assert status(stack, key) == 200
    assert status(stack, key, "/keys") == 403
    expect(entry(person, name)).to_contain_text(f"…{key[-4:]}")
    person.dialog("API keys").get_by_role("button", name="Close").click()
    person.button("API keys").click()
    expect(entry(person, name)).to_be_visible()
    expect(person.page.get_by_text(key)).not_to_be_attached()


def test_the_fresh_key_has_the_focus_and_a_setup_of_each_client(person: Person, stack: Stack, name: str) -> None:
    """With this page's address, the key and the model that is chosen."""
    person.open()
    key = make(person, name)
    region = person.page.get_by_role("region", name=f"Your key “{name}”")
    clients = region.get_by_label("Set up")
    expect(clients.get_by_role("option")).to_have_count(10)
    clients.select_option("aider")
    region.get_by_role("button", name="Copy setup").click()
    assert person.copied() == (
        f"export OPENAI_API_BASE={stack.url}/v1\nexport OPENAI_API_KEY={key}\naider --model openai/scripted:1b"
    )


def test_a_key_is_deleted_after_a_confirmation(person: Person, stack: Stack, name: str) -> None:
    """Who cancels still has it; and the focus stays where one was."""
    person.open()
    key = make(person, name)
    delete = entry(person, name).get_by_role("button", name=f"Delete {name}")
    delete.click()
    dialog = person.dialog("Delete this key?")
    expect(dialog).to_contain_text("stops working at once")
    dialog.get_by_role("button", name="Cancel").click()
    expect(delete).to_be_focused()
    assert status(stack, key) == 200
    delete.click()
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(entry(person, name)).not_to_be_attached()
    expect(person.dialog("API keys")).to_be_focused()
    # What is pasted from there would be refused.
    expect(person.button("Copy key")).not_to_be_attached()
    assert status(stack, key) == 401


def test_a_key_can_end_by_itself(person: Person, name: str) -> None:
    """The list says when."""
    person.open()
    person.choose("API keys")
    person.page.get_by_label("Name", exact=True).fill(name)
    person.page.get_by_label("Works").select_option("for 30 days")
    person.button("Create key").click()
    expect(entry(person, name)).to_contain_text("expires")


def test_only_administrators_make_keys_that_manage_models(
    person: Person, visitor: Person, member: Member, stack: Stack, name: str
) -> None:
    """They have to ask for it."""
    visitor.open(member.password, member.email)
    visitor.choose("API keys")
    expect(visitor.page.get_by_label("Name", exact=True)).to_be_visible()
    expect(visitor.page.get_by_label("delete models")).not_to_be_attached()
    person.open()
    person.choose("API keys")
    person.page.get_by_label("Name", exact=True).fill(name)
    person.page.get_by_label("delete models").check()
    person.button("Create key").click()
    expect(entry(person, name)).to_contain_text("may manage models")
    with stack.client() as client:
        (key,) = [key for key in client.get("/keys").json()["keys"] if key["name"] == name]
    assert key["scopes"] == ["chat", "models"]


def test_a_session_that_ends_meanwhile_loses_nothing(
    person: Person, member: Member, stack: Stack, trouble: Trouble, name: str
) -> None:
    """The login covers the dialog; after it the key is made, and what was typed is not typed again."""
    trouble.expect("401")
    person.open(member.password, member.email)
    person.choose("API keys")
    person.page.get_by_label("Name", exact=True).fill(name)
    headers = {"Authorization": f"Bearer {member.token(stack)}"}
    httpx.post(f"{stack.url}/logout?everywhere=true", headers=headers).raise_for_status()
    person.button("Create key").click()
    expect(person.page.get_by_text("Your session has expired.")).to_be_visible()
    expect(person.page.get_by_role("dialog")).to_have_count(0)
    person.log_in(member.password, member.email)
    expect(entry(person, name)).to_be_visible()
    assert status(stack, person.page.locator(".secret code").first.inner_text()) == 200

"""Conversations: listed, found, renamed, exported, deleted; stored only in this browser."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.page.person import Person
from tests.page.scripted import ScriptedOllama
from tests.page.trouble import REFUSE_STORAGE
from tests.support.stack import Stack

# Everything in the database.
KEPT = """async () => {
    const database = await new Promise((resolve) => {
        indexedDB.open("localchat").onsuccess = ({ target }) => resolve(target.result);
    });
    const all = ["conversations", "messages"].map((name) => new Promise((resolve) => {
        database.transaction(name).objectStore(name).getAll().onsuccess = ({ target }) => resolve(target.result);
    }));
    const found = (await Promise.all(all)).flat();
    database.close();
    return found;
}"""


def talk(person: Person, ollama: ScriptedOllama, **answers: str) -> None:
    """Has one conversation per argument, whose question is its title."""
    person.open()
    for question, answer in answers.items():
        ollama.answers(answer)
        person.begin()
        person.ask_and_wait(question)


def exported(page: Page, person: Person, title: str) -> tuple[str, str]:
    """The file's name and content."""
    with page.expect_download() as download:
        person.use("Export", title)
    return download.value.suggested_filename, Path(download.value.path()).read_text()


def test_the_last_used_conversation_is_the_first_in_the_list(person: Person, ollama: ScriptedOllama) -> None:
    """Asking in an older one moves it up; its question is its title."""
    talk(person, ollama, Bread="With flour.", Stars="Far away.")
    expect(person.conversations).to_have_text(["Stars", "Bread"])
    person.conversations.last.click()
    expect(person.answer).to_contain_text("With flour.")
    ollama.answers("And water.")
    person.ask("And?")
    expect(person.conversations).to_have_text(["Bread", "Stars"])


def test_a_long_question_is_a_short_title(person: Person, ollama: ScriptedOllama) -> None:
    """Its first 60 characters, on one line."""
    ollama.answers("Yes.")
    person.open()
    person.ask_and_wait("word\n" * 30)
    expect(person.conversations).to_have_text([("word " * 12)[:60].strip()])


def test_conversations_survive_a_reload(person: Person, ollama: ScriptedOllama) -> None:
    """And the open one is open again."""
    talk(person, ollama, Bread="With flour.", Stars="Far away.")
    person.conversations.last.click()
    person.page.reload()
    expect(person.answer).to_contain_text("With flour.")
    expect(person.conversations).to_have_text(["Stars", "Bread"])
    expect(person.conversations.last).to_have_attribute("aria-current", "page")


def test_the_browsers_back_button_goes_back(person: Person, ollama: ScriptedOllama) -> None:
    """To the previous conversation."""
    talk(person, ollama, Bread="With flour.", Stars="Far away.")
    person.conversations.last.click()
    expect(person.answer).to_contain_text("With flour.")
    person.page.go_back()
    expect(person.answer).to_contain_text("Far away.")


def test_a_conversation_is_renamed(person: Person, ollama: ScriptedOllama) -> None:
    """Permanently; its place in the list stays."""
    talk(person, ollama, Bread="With flour.", Stars="Far away.")
    person.use("Rename", "Bread")
    person.page.get_by_label("New title").fill("How to bake")
    person.page.get_by_label("New title").press("Enter")
    expect(person.conversations).to_have_text(["Stars", "How to bake"])
    person.page.reload()
    expect(person.conversations).to_have_text(["Stars", "How to bake"])


@pytest.mark.parametrize(("title", "key"), [("Other", "Escape"), ("", "Enter"), ("  ", "Enter")])
def test_a_title_stays_if_there_is_no_new_one(person: Person, ollama: ScriptedOllama, title: str, key: str) -> None:
    """Escape keeps it, and so does an empty title."""
    talk(person, ollama, Bread="With flour.")
    person.use("Rename", "Bread")
    person.page.get_by_label("New title").fill(title)
    person.page.get_by_label("New title").press(key)
    expect(person.conversations).to_have_text(["Bread"])


def test_a_conversation_is_deleted_only_after_asking(person: Person, ollama: ScriptedOllama) -> None:
    """Cancel keeps it, Delete deletes it for good."""
    talk(person, ollama, Bread="With flour.", Stars="Far away.")
    person.use("Delete", "Bread")
    expect(person.page.get_by_text("“Bread” will be deleted from this browser for good.")).to_be_visible()
    person.button("Cancel").click()
    expect(person.conversations).to_have_text(["Stars", "Bread"])
    person.use("Delete", "Bread")
    person.button("Delete").click()
    expect(person.conversations).to_have_text(["Stars"])
    person.page.reload()
    expect(person.conversations).to_have_text(["Stars"])


def test_deleting_the_one_that_is_shown_leads_to_a_new_one(person: Person, ollama: ScriptedOllama) -> None:
    """The database has nothing left of it."""
    talk(person, ollama, Bread="With flour.")
    person.use("Delete", "Bread")
    person.button("Delete").click()
    expect(person.page.get_by_role("heading", name="How can I help?")).to_be_visible()
    expect(person.page.get_by_text("No conversations yet.")).to_be_visible()
    assert person.page.evaluate(KEPT) == []


def test_deleting_what_is_being_answered_frees_ollama(person: Person, ollama: ScriptedOllama) -> None:
    """And it does not come back."""
    ollama.answers("With ", ollama.gate())
    person.open()
    person.ask("Bread")
    expect(person.answer).to_contain_text("With")
    person.use("Delete", "Bread")
    person.button("Delete").click()
    ollama.chat_requests[0].connection.wait_until_closed()
    expect(person.page.get_by_text("No conversations yet.")).to_be_visible()
    person.page.reload()
    expect(person.page.get_by_text("No conversations yet.")).to_be_visible()
    assert person.page.evaluate(KEPT) == []


def test_search_looks_into_titles_questions_and_answers(person: Person, ollama: ScriptedOllama) -> None:
    """Ignoring case; the page says if nothing is found."""
    talk(person, ollama, Bread="With flour.", Stars="Far away.")
    search = person.page.get_by_label("Search conversations")
    search.fill("bread")
    expect(person.conversations).to_have_text(["Bread"])
    search.fill("FAR AWAY")
    expect(person.conversations).to_have_text(["Stars"])
    search.fill("butter")
    expect(person.page.get_by_text("Nothing found.")).to_be_visible()
    search.fill("")
    expect(person.conversations).to_have_text(["Stars", "Bread"])


def test_a_conversation_is_exported_as_markdown(person: Person, ollama: ScriptedOllama) -> None:
    """Who said what, as written; the file is named after the title."""
    ollama.answers("With **flour**.")
    person.open()
    person.set("System prompt", "Be brief.")
    person.ask_and_wait("Bread: how?")
    name, text = exported(person.page, person, "Bread: how?")
    assert name == "Bread-how.md"
    assert text == "# Bread: how?\n\n> Be brief.\n\n## You\n\nBread: how?\n\n## scripted:1b\n\nWith **flour**.\n"


def test_an_export_has_what_is_on_the_page(person: Person, ollama: ScriptedOllama) -> None:
    """Also a part of an answer that is still arriving."""
    ollama.answers("With ", ollama.gate())
    person.open()
    person.ask("Bread")
    expect(person.answer).to_contain_text("With")
    _, text = exported(person.page, person, "Bread")
    assert text.endswith("## scripted:1b\n\nWith \n")


@pytest.mark.usefixtures("ollama")
def test_the_page_says_where_conversations_are(person: Person) -> None:
    """So that nobody looks for them in another browser or on the server."""
    person.open()
    expect(person.page.get_by_text("Conversations are stored only in this browser")).to_be_visible()


def test_nothing_of_a_conversation_is_on_the_server(person: Person, ollama: ScriptedOllama, stack: Stack) -> None:
    """Whatever happens to them, the server sees only who logs in, models and their capabilities, and chats."""
    before = len(stack.logs("nginx").splitlines())
    talk(person, ollama, Bread="With flour.", Stars="Far away.")
    person.set("Temperature", "0.5")
    person.use("Rename", "Bread")
    person.page.get_by_label("New title").fill("How to bake")
    person.page.get_by_label("New title").press("Enter")
    exported(person.page, person, "How to bake")
    person.use("Delete", "How to bake")
    person.button("Delete").click()
    person.page.reload()
    expect(person.conversations).to_have_text(["Stars"])
    calls = [json.loads(line) for line in stack.logs("nginx").splitlines()[before:]]
    paths = {(call["method"], call["path"]) for call in calls if not call["path"].startswith("/assets/")}
    login = {("GET", "/"), ("GET", "/login/methods"), ("POST", "/login"), ("GET", "/me")}
    assert paths == login | {("GET", "/models"), ("POST", "/api/show"), ("POST", "/chat")}
    assert len(ollama.chats) == 2


def test_an_unknown_conversation_leads_to_a_new_one(person: Person, ollama: ScriptedOllama) -> None:
    """And the back button leads to where one was before."""
    talk(person, ollama, Bread="With flour.")
    person.page.evaluate("() => { location.hash = '#/c/0000000000000000' }")
    expect(person.page.get_by_role("heading", name="How can I help?")).to_be_visible()
    expect(person.page).to_have_url("/#/")
    person.page.go_back()
    expect(person.answer).to_contain_text("With flour.")


def test_without_storage_the_page_works_and_says_that_it_keeps_nothing(person: Person, ollama: ScriptedOllama) -> None:
    """One can ask, continue, rename, search and export; after a reload everything is gone."""
    person.page.add_init_script(REFUSE_STORAGE)
    talk(person, ollama, Bread="With flour.", Stars="Far away.")
    expect(person.page.get_by_role("status")).to_contain_text("Couldn't save this conversation in your browser")
    person.conversations.last.click()
    expect(person.answer).to_contain_text("With flour.")
    person.page.get_by_label("Search conversations").fill("bread")
    expect(person.conversations).to_have_text(["Bread"])
    _, text = exported(person.page, person, "Bread")
    assert "With flour." in text
    person.page.reload()
    expect(person.page.get_by_text("No conversations yet.")).to_be_visible()

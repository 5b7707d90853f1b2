"""Choosing a model, with a scripted Ollama: what is offered, what is remembered, and without any model."""

from playwright.sync_api import Locator, expect

from tests.page.person import Person
from tests.page.scripted import ScriptedOllama, model
from tests.page.trouble import Trouble

PULL = "docker compose exec ollama ollama pull llama3.2"

# The page polls every 2 s during problems, otherwise every 15 s.
BACK_WITHIN_MS = 8000


def choice(person: Person) -> Locator:
    return person.page.get_by_label("Model")


def test_the_chosen_model_answers(person: Person, ollama: ScriptedOllama) -> None:
    """Its name is above its answer."""
    ollama.models = [model("one:1b"), model("other:2b")]
    ollama.answers("Me.")
    person.open()
    choice(person).select_option("other:2b")
    person.ask_and_wait("Who are you?")
    expect(person.answer.get_by_role("heading", name="other:2b")).to_be_visible()
    assert ollama.chats[0]["model"] == "other:2b"


def test_the_choice_is_remembered(person: Person, ollama: ScriptedOllama) -> None:
    """By the browser, as long as the model exists."""
    ollama.models = [model("one:1b"), model("other:2b")]
    person.open()
    choice(person).select_option("other:2b")
    person.page.reload()
    expect(choice(person)).to_have_value("other:2b")
    ollama.models = [model("one:1b")]
    person.page.reload()
    expect(choice(person)).to_have_value("one:1b")


def test_a_model_that_cannot_chat_is_not_offered(person: Person, ollama: ScriptedOllama) -> None:
    """An embedding model. Older versions of Ollama list no capabilities; their models are offered."""
    embedding = {**model("embeds:1b"), "capabilities": ["embedding"]}
    silent = {**model("old:1b")}
    del silent["capabilities"]
    ollama.models = [embedding, model("chats:1b"), silent]
    person.open()
    expect(choice(person).get_by_role("option")).to_have_text(
        ["chats:1b (134.52M, Q4_1, 98 MB)", "old:1b (134.52M, Q4_1, 98 MB)"]
    )


def test_a_broken_model_is_not_the_first_to_answer(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    """Ollama lists it like any other; it can still be chosen."""
    trouble.expect("status of 500")
    ollama.models = [model("broken:1b"), model("chats:1b")]
    ollama.broken = {"broken:1b"}
    person.open()
    expect(choice(person)).to_have_value("chats:1b")
    expect(choice(person).get_by_role("option")).to_have_count(2)


def test_without_a_model_the_page_says_how_to_get_one(person: Person, ollama: ScriptedOllama) -> None:
    """The command can be copied; asking is disabled."""
    ollama.models = []
    person.page.goto("/")
    person.log_in()
    expect(person.page.get_by_role("heading", name="No models installed yet")).to_be_visible()
    expect(person.page.get_by_text(PULL)).to_be_visible()
    person.button("Copy command").click()
    expect(person.button("Copied")).to_be_visible()
    assert person.copied() == PULL
    expect(person.page.get_by_text("No model to chat with.")).to_be_visible()
    person.question.fill("Anybody there?")
    person.question.press("Enter")
    expect(person.question).to_have_value("Anybody there?")


def test_a_new_model_appears_without_a_reload(person: Person, ollama: ScriptedOllama) -> None:
    """The draft can be sent then."""
    ollama.models = []
    ollama.answers("Here I am.")
    person.page.goto("/")
    person.log_in()
    expect(person.page.get_by_role("heading", name="No models installed yet")).to_be_visible()
    person.question.fill("Anybody there?")
    ollama.models = [model("new:1b")]
    expect(choice(person)).to_have_value("new:1b")
    expect(person.page.get_by_role("heading", name="No models installed yet")).not_to_be_attached()
    person.question.press("Enter")
    expect(person.answer).to_contain_text("Here I am.")


def test_models_are_asked_for_when_the_choice_is_looked_at(person: Person, ollama: ScriptedOllama) -> None:
    """So that a new one is listed."""
    ollama.models = [model("one:1b")]
    person.open()
    ollama.models = [model("one:1b"), model("new:2b")]
    choice(person).focus()
    choice(person).select_option("new:2b")
    expect(choice(person)).to_have_value("new:2b")


def test_a_model_that_is_gone_leaves_its_answers(person: Person, ollama: ScriptedOllama) -> None:
    """Another model continues the conversation."""
    ollama.models = [model("one:1b"), model("other:2b")]
    ollama.answers("I am one.")
    ollama.answers("I am the other.")
    person.open()
    person.ask_and_wait("Who are you?")
    ollama.models = [model("other:2b")]
    choice(person).focus()
    expect(choice(person)).to_have_value("other:2b")
    person.ask("And you?")
    expect(person.answer).to_contain_text("I am the other.")
    expect(person.answers.get_by_role("heading", level=2)).to_have_text(["one:1b", "other:2b"])


def test_without_ollama_the_page_says_so_and_recovers(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    """The draft stays; nobody has to reload."""
    trouble.expect("status of 502")
    ollama.answers("Here I am.")
    person.open()
    person.question.fill("Anybody there?")
    ollama.is_down()
    choice(person).focus()
    expect(person.page.get_by_role("status")).to_contain_text("Ollama is unreachable")
    ollama.is_up()
    expect(person.page.get_by_role("status")).to_be_empty(timeout=BACK_WITHIN_MS)
    expect(person.question).to_have_value("Anybody there?")
    person.question.press("Enter")
    expect(person.answer).to_contain_text("Here I am.")


def test_a_question_without_ollama_can_be_tried_again(person: Person, ollama: ScriptedOllama, trouble: Trouble) -> None:
    """Both the answer and the page say what is wrong."""
    trouble.expect("status of 502")
    person.open()
    ollama.is_down()
    person.ask("Anybody there?")
    expect(person.answer.locator(".error")).to_contain_text("Ollama is unreachable")
    expect(person.page.get_by_role("status")).to_contain_text("Ollama is unreachable")
    ollama.is_up()
    ollama.answers("Here I am.")
    person.button("Try again").click()
    expect(person.answer).to_contain_text("Here I am.")

"""The page at another origin, as in development: Vite's server, with requests to the API across origins.

It needs port 5173 on this machine, because CORS_ORIGINS allows that origin.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.page import samples
from tests.page.conftest import TEST_IMAGE
from tests.page.person import Person
from tests.page.scripted import ScriptedOllama
from tests.page.trouble import Trouble
from tests.support.runs import new_name
from tests.support.stack import Stack, run, until

LET_IN, NOT_LET_IN = 5173, 5174


@pytest.fixture
def trouble(stack: Stack) -> Trouble:
    """Here all of the page's requests go to another origin."""
    trouble = Trouble(stack.url)
    trouble.expect("request elsewhere: GET http://(localhost|127.0.0.1):517[34]/")
    trouble.expect("request elsewhere: GET http://(localhost|127.0.0.1):517[34]/src/main.tsx")
    return trouble


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def developing(stack: Stack, port: int) -> Iterator[None]:
    """Vite's server on this port, with the page's sources."""
    assert not is_taken(port), f"Port 127.0.0.1:{port}, which this test needs, is in use."
    name = new_name("vite")
    # On the host's network, because Chromium aborts requests when a container adds a network.
    options = [f"--name={name}", "--network=host", f"--env=VITE_API_URL={stack.url}"]
    run("docker", "run", "--detach", *options, TEST_IMAGE, "npx", "vite", "--host", "127.0.0.1", "--port", str(port))
    try:
        until(lambda: "ready in" in run("docker", "logs", name), f"Vite listens on 127.0.0.1:{port}")
        yield
    finally:
        run("docker", "rm", "--force", name)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_page_that_is_let_in_can_do_everything(
    person: Person, ollama: ScriptedOllama, stack: Stack, host: str
) -> None:
    """It logs in, lists models, uploads, shows a streaming answer, and downloads."""
    gate = ollama.gate()
    ollama.answers("One ", gate, "two.")
    with developing(stack, LET_IN):
        person.page.goto(f"http://{host}:{LET_IN}/")
        person.log_in()
        expect(person.page.get_by_label("Model")).to_contain_text("scripted:1b")
        person.attach_and_wait(samples.file("notes.txt", b"Buy bread."))
        person.ask("Count.")
        expect(person.answer).to_contain_text("One")
        gate.open()
        expect(person.answer).to_contain_text("One two.")
        with person.page.expect_download() as download:
            person.page.get_by_role("link", name="notes.txt").click()
        assert download.value.path().read_bytes() == b"Buy bread."


def test_a_page_that_is_let_in_can_read_why_not(
    person: Person, ollama: ScriptedOllama, stack: Stack, trouble: Trouble
) -> None:
    """Errors are readable too."""
    trouble.expect("console error: Failed to load resource: .*(401|400)")
    ollama.refuses(400, "There is no such thing.")
    with developing(stack, LET_IN):
        person.page.goto(f"http://localhost:{LET_IN}/")
        person.log_in("wrong")
        expect(person.page.get_by_role("alert")).to_have_text("Wrong email or password.")
        person.log_in()
        person.ask_and_wait("Is there?")
        expect(person.answer).to_contain_text("There is no such thing.")


def test_a_page_that_is_not_let_in_can_do_nothing(person: Person, stack: Stack, trouble: Trouble) -> None:
    """The control: the same on another port, which the API does not allow."""
    trouble.expect("has been blocked by CORS policy")
    trouble.expect("Failed to load resource: net::ERR_FAILED")
    with developing(stack, NOT_LET_IN):
        person.page.goto(f"http://localhost:{NOT_LET_IN}/")
        person.log_in()
        expect(person.page.get_by_role("alert")).to_contain_text("Can't reach LocalChat.")

"""What a person does on the page, by what they see: labels, buttons, headings."""

import re

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.e2e.stack import Stack

SEEN = "document.fonts.ready.then(() => new Promise((seen) => requestAnimationFrame(() => setTimeout(seen))))"


class Person:
    """In front of one tab of the stack's page."""

    def __init__(self, page: Page, stack: Stack) -> None:
        self.page = page
        self._stack = stack

    def log_in(self, password: str | None = None) -> None:
        """Where the login is shown; the stack's own password unless another is given."""
        self.page.get_by_label("Email").fill(self._stack.email)
        self.page.get_by_label("Password").fill(password or self._stack.password)
        self.button("Log in").click()

    def open(self) -> None:
        """The page, logged in, with a model to talk to."""
        self.page.goto("/")
        self.log_in()
        expect(self.page.get_by_label("Model")).to_be_visible()

    def ask(self, words: str) -> None:
        self.question.fill(words)
        self.question.press("Enter")

    def ask_and_wait(self, words: str) -> None:
        """Until the answer has ended, in whatever way."""
        self.ask(words)
        expect(self.button("Try again")).to_be_visible()

    def attach(self, name: str, content: bytes, kind: str = "text/plain") -> None:
        """A file, as if chosen in the browser's own dialog."""
        file: FilePayload = {"name": name, "mimeType": kind, "buffer": content}
        self.page.locator("input[type=file]").set_input_files(file)

    def attach_files(self, *files: FilePayload) -> None:
        """With the button. They are on their way then."""
        with self.page.expect_file_chooser() as chooser:
            self.button("Attach files").click()
        chooser.value.set_files(files)

    def attach_and_wait(self, *files: FilePayload) -> None:
        """Until all are there, with no others before."""
        self.attach_files(*files)
        expect(self.button(re.compile("^Remove "))).to_have_count(len(files))

    def set(self, name: str, value: str) -> None:
        """In the settings."""
        self.button("Settings").click()
        self.page.get_by_label(name).fill(value)
        self.button("Close").click()

    def begin(self) -> None:
        """A new conversation."""
        self.page.get_by_role("link", name="New conversation").click()
        expect(self.answers).to_have_count(0)
        expect(self.questions).to_have_count(0)

    def use(self, tool: str, title: str) -> None:
        """One of the buttons of a conversation in the list: "Rename" and so on."""
        self.page.get_by_role("listitem").filter(has=self.page.get_by_role("link", name=title)).hover()
        self.button(re.compile(f"{tool} {re.escape(title)}")).click()

    def copied(self) -> str:
        """What is on the clipboard."""
        return str(self.page.evaluate("navigator.clipboard.readText()"))

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("button", name=name, exact=isinstance(name, str))

    @property
    def question(self) -> Locator:
        """Where one types."""
        return self.page.get_by_label("Your question")

    @property
    def questions(self) -> Locator:
        """The words of what was asked."""
        return self.page.locator(".question .words")

    @property
    def answers(self) -> Locator:
        return self.page.get_by_role("article").filter(has=self.page.locator("h2:not(.visually-hidden)"))

    @property
    def answer(self) -> Locator:
        """The last one."""
        return self.answers.last

    @property
    def conversations(self) -> Locator:
        """The list's links."""
        return self.page.get_by_role("navigation", name="Conversations").get_by_role("listitem").get_by_role("link")


def settle(page: Page) -> None:
    """Until what the size of the screen changes is done and seen, with the fonts that it takes."""
    page.evaluate(SEEN)

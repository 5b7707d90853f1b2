"""What a person does on the page, by what is visible: labels, buttons, headings."""

import re

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.support.stack import Stack

SEEN = "document.fonts.ready.then(() => new Promise((seen) => requestAnimationFrame(() => setTimeout(seen))))"


class Person:
    """A person using one tab."""

    def __init__(self, page: Page, stack: Stack) -> None:
        self.page = page
        self.stack = stack

    def log_in(self, password: str | None = None, email: str | None = None) -> None:
        """On the login form; as the stack's own account by default."""
        self.page.get_by_label("Email").fill(email or self.stack.email)
        self.page.get_by_label("Password").fill(password or self.stack.password)
        self.button("Log in").click()

    def open(self, password: str | None = None, email: str | None = None) -> None:
        """Opens the page, logged in, with a model available."""
        self.page.goto("/")
        self.log_in(password, email)
        expect(self.page.get_by_label("Model")).to_be_visible()

    def choose(self, item: str) -> None:
        """From the account menu."""
        self.button("Account").click()
        self.button(item).click()

    def log_out(self, item: str = "Log out") -> None:
        self.choose(item)
        self.confirm(item)
        expect(self.button("Log in")).to_be_visible()

    def confirm(self, action: str) -> None:
        """In the dialog that asks."""
        self.dialog(f"{action}?").get_by_role("button", name=action, exact=True).click()

    def dialog(self, name: str) -> Locator:
        return self.page.get_by_role("dialog", name=name, exact=True)

    def ask(self, words: str) -> None:
        """Once there is a model to ask: after a reload that may take a moment, in which Enter does nothing."""
        expect(self.page.get_by_label("Model")).to_be_visible()
        self.question.fill(words)
        self.question.press("Enter")

    def ask_and_wait(self, words: str) -> None:
        """Until the answer has ended in any way."""
        self.ask(words)
        expect(self.button("Try again")).to_be_visible()

    def attach(self, name: str, content: bytes, kind: str = "text/plain") -> None:
        """Chooses a file in the browser's dialog."""
        file: FilePayload = {"name": name, "mimeType": kind, "buffer": content}
        self.page.locator("input[type=file]").set_input_files(file)

    def attach_files(self, *files: FilePayload) -> None:
        """With the button, without waiting for the uploads."""
        with self.page.expect_file_chooser() as chooser:
            self.button("Attach files").click()
        chooser.value.set_files(files)

    def attach_and_wait(self, *files: FilePayload) -> None:
        """Until all are uploaded; expects no earlier files."""
        self.attach_files(*files)
        expect(self.button(re.compile("^Remove "))).to_have_count(len(files))

    def set(self, name: str, value: str) -> None:
        """In the settings."""
        self.button("Settings").click()
        self.page.get_by_label(name).fill(value)
        self.button("Close").click()

    def begin(self) -> None:
        """Starts a new conversation."""
        self.page.get_by_role("link", name="New conversation").click()
        expect(self.answers).to_have_count(0)
        expect(self.questions).to_have_count(0)

    def use(self, tool: str, title: str) -> None:
        """Uses a button of a conversation in the list, such as "Rename"."""
        self.page.get_by_role("listitem").filter(has=self.page.get_by_role("link", name=title)).hover()
        self.button(re.compile(f"{tool} {re.escape(title)}")).click()

    def copied(self) -> str:
        """The clipboard's content."""
        return str(self.page.evaluate("navigator.clipboard.readText()"))

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("button", name=name, exact=isinstance(name, str))

    @property
    def question(self) -> Locator:
        """The input for the next question."""
        return self.page.get_by_label("Your message")

    @property
    def questions(self) -> Locator:
        """The text of the questions asked."""
        return self.page.locator(".question .text")

    @property
    def answers(self) -> Locator:
        return self.page.get_by_role("article").filter(has=self.page.locator("h2:not(.visually-hidden)"))

    @property
    def answer(self) -> Locator:
        """The last one."""
        return self.answers.last

    @property
    def conversations(self) -> Locator:
        """The links in the list."""
        return self.page.get_by_role("navigation", name="Conversations").get_by_role("listitem").get_by_role("link")


def settle(page: Page) -> None:
    """Waits until a changed screen size has taken effect, including fonts."""
    page.evaluate(SEEN)

"""A real browser on the real stack. Run by scripts/test page, which has built the image with axe-core.

CHROMIUM names the browser; the default is `chromium` on the PATH. A failed test leaves a screenshot, the console and a
trace (for `playwright show-trace`) in PAGE_ARTEFACTS, or in artefacts/page/.
"""

import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.page.members import Member, new_member
from tests.page.person import Person
from tests.page.scripted import ScriptedOllama
from tests.page.trouble import Trouble
from tests.support.fake_ollama import FakeOllama

# Each of them is a fixture here too.
from tests.support.fixtures import (
    StackBeforeFake,
    environment,
    fake_ollama_on_the_host,
    new_models,
    own_stack,
    run_folder,
    running_before_fake_ollama,
    shared_stack,
)
from tests.support.fixtures import pytest_runtest_makereport as add_the_logs_of_the_stack
from tests.support.runs import IMAGE_TAG
from tests.support.stack import ROOT, Stack, run

TEST_IMAGE = f"localchat/test-page:{IMAGE_TAG}"
ARTEFACTS = Path(os.environ.get("PAGE_ARTEFACTS") or ROOT / "artefacts/page")
# For everything in the browser. A real model on two busy cores takes a while to start.
WAIT_MS = 15_000
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    # No DNS: requests that leave this machine fail, and are noticed.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
PASSED = pytest.StashKey[bool]()


def chromium_path() -> str:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert path, "There is no chromium on the PATH. Install it, or set CHROMIUM to a browser."
    return path


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        # Without its sandbox, which root and some containers cannot use: it visits nothing but our page.
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS, chromium_sandbox=False)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def stack_before_fake_ollama(running_before_fake_ollama: StackBeforeFake) -> Iterator[Stack]:
    """As in the end-to-end tests, but Ollama may be silent for as long as a test looks at the page."""
    with running_before_fake_ollama(MAX_BODY_MB="1", MAX_UPLOAD_MB="1") as running:
        yield running


@pytest.fixture
def stack(stack_before_fake_ollama: Stack) -> Stack:
    """The stack of most tests. A module that needs the real model or other limits overrides it."""
    return stack_before_fake_ollama


@pytest.fixture
def context_options() -> dict[str, Any]:
    """Playwright's context options; a module overrides it for a small screen, dark colours or another language."""
    return {"permissions": ["clipboard-read", "clipboard-write"]}


@pytest.fixture
def trouble(stack: Stack) -> Trouble:
    """Where a test declares the browser errors that it expects."""
    return Trouble(stack.url)


@pytest.fixture
def context(
    request: pytest.FixtureRequest,
    chromium: Browser,
    stack: Stack,
    trouble: Trouble,
    context_options: dict[str, Any],
) -> Iterator[BrowserContext]:
    """A fresh browser profile. At the end, errors that the test has not declared in `trouble` fail it."""
    folder = ARTEFACTS / re.sub(r"[^\w.-]+", "_", request.node.nodeid.partition("tests/page/")[2])
    shutil.rmtree(folder, ignore_errors=True)
    context = chromium.new_context(base_url=stack.url, **context_options)
    context.set_default_timeout(WAIT_MS)
    context.tracing.start(snapshots=True)
    trouble.watch(context)
    try:
        yield context
        passed = request.node.stash.get(PASSED, False)
        left = trouble.left(context) if passed else []
        if left or not passed:
            keep(context, trouble, folder)
    finally:
        context.close()
    assert left == [], f"unexpected browser errors; see {folder}"


def keep(context: BrowserContext, trouble: Trouble, folder: Path) -> None:
    """Saves what helps to explain a failed test to `folder`."""
    folder.mkdir(parents=True)
    (folder / "console.txt").write_text("\n".join(trouble.console) + "\n")
    context.tracing.stop(path=folder / "trace.zip")
    for number, page in enumerate(context.pages, 1):
        page.screenshot(path=folder / f"page-{number}.png")


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty tab; `page.goto("/")` opens the page."""
    return context.new_page()


@pytest.fixture
def person(page: Page, stack: Stack) -> Person:
    return Person(page, stack)


@pytest.fixture
def visitor(chromium: Browser, stack: Stack, trouble: Trouble, context_options: dict[str, Any]) -> Iterator[Person]:
    """Somebody else, in a browser of their own."""
    context = chromium.new_context(base_url=stack.url, **context_options)
    context.set_default_timeout(WAIT_MS)
    trouble.watch(context)
    yield Person(context.new_page(), stack)
    context.close()


@pytest.fixture
def member(stack: Stack) -> Member:
    """An account of this test alone."""
    return new_member(stack)


@pytest.fixture
def ollama(fake_ollama_on_the_host: FakeOllama) -> ScriptedOllama:
    """For tests whose `stack` uses the scripted Ollama; reset for each test."""
    return ScriptedOllama(fake_ollama_on_the_host)


@pytest.fixture(scope="session")
def axe_source() -> str:
    return run("docker", "run", "--rm", "--network=none", TEST_IMAGE, "cat", "node_modules/axe-core/axe.min.js")


@pytest.fixture
def axe(axe_source: str) -> Callable[[Page], list[str]]:
    """axe-core's findings on the page as it is: rule, severity, element."""

    def violations(page: Page) -> list[str]:
        page.evaluate(axe_source)
        found = page.evaluate("() => axe.run()")["violations"]
        return [f"{one['id']} ({one['impact']}): {[node['target'] for node in one['nodes']]}" for one in found]

    return violations


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield from add_the_logs_of_the_stack(item)
    if call.when == "call":
        item.stash[PASSED] = report.passed
    return report

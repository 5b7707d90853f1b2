"""A real browser before the real stack. scripts/test page runs this; it has built the image that holds axe-core.

CHROMIUM names the browser, else it is the `chromium` on the PATH. What is left of a failed test (a screenshot, the
console, a trace for `playwright show-trace`) is in PAGE_ARTEFACTS, else in artefacts/page/.
"""

import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

# Each of them is a fixture here too.
from tests.e2e.conftest import (  # noqa: F401
    StackBeforeFake,
    environment,
    fake_ollama_on_the_host,
    models,
    running_before_fake_ollama,
    shared_stack,
)
from tests.e2e.conftest import pytest_runtest_makereport as add_the_logs_of_the_stack
from tests.e2e.stack import ROOT, Stack, run
from tests.fake_ollama import FakeOllama
from tests.page.person import Person
from tests.page.scripted import ScriptedOllama
from tests.page.trouble import Trouble

TEST_IMAGE = "localchat/test-page"
ARTEFACTS = Path(os.environ.get("PAGE_ARTEFACTS") or ROOT / "artefacts/page")
# Of everything that a test waits for in the browser. A real model on two busy cores takes a while to begin.
WAIT_MS = 15_000
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    # No name is looked up: what leaves this machine fails, and is noticed.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
PASSED = pytest.StashKey[bool]()


def chromium_path() -> str:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert path, "There is no chromium on the PATH. Install it, or name a browser in CHROMIUM."
    return path


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        # Without its sandbox, which root may not have, nor everybody in a container: it visits nothing but our page.
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS, chromium_sandbox=False)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def stack_before_fake_ollama(running_before_fake_ollama: StackBeforeFake) -> Iterator[Stack]:  # noqa: F811
    """As in the end-to-end tests, but Ollama may be silent for as long as a test looks at the page."""
    with running_before_fake_ollama(MAX_BODY_MB="1", MAX_UPLOAD_MB="1") as running:
        yield running


@pytest.fixture
def stack(stack_before_fake_ollama: Stack) -> Stack:
    """The stack of most tests. A module that needs the real model, or other limits, overrides this."""
    return stack_before_fake_ollama


@pytest.fixture
def context_options() -> dict[str, Any]:
    """Playwright's options of a context, for a module to override: a small screen, a dark one, another language."""
    return {"permissions": ["clipboard-read", "clipboard-write"]}


@pytest.fixture
def trouble(stack: Stack) -> Trouble:
    """Where a test says what it expects the browser to complain of."""
    return Trouble(stack.url)


@pytest.fixture
def context(
    request: pytest.FixtureRequest,
    chromium: Browser,
    stack: Stack,
    trouble: Trouble,
    context_options: dict[str, Any],
) -> Iterator[BrowserContext]:
    """As a browser that has never been here. Anything but what the test expects of `trouble` fails it at its end."""
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
    assert left == [], f"the browser complained; see {folder}"


def keep(context: BrowserContext, trouble: Trouble, folder: Path) -> None:
    """Leaves in `folder` what tells why a test failed."""
    folder.mkdir(parents=True)
    (folder / "console.txt").write_text("\n".join(trouble.console) + "\n")
    context.tracing.stop(path=folder / "trace.zip")
    for number, page in enumerate(context.pages, 1):
        page.screenshot(path=folder / f"page-{number}.png")


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty tab; `page.goto("/")` is the page."""
    return context.new_page()


@pytest.fixture
def person(page: Page, stack: Stack) -> Person:
    return Person(page, stack)


@pytest.fixture
def ollama(fake_ollama_on_the_host: FakeOllama) -> ScriptedOllama:  # noqa: F811
    """For tests whose `stack` is the one before the scripted Ollama. It remembers nothing of the test before."""
    return ScriptedOllama(fake_ollama_on_the_host)


@pytest.fixture(scope="session")
def axe_source() -> str:
    return run("docker", "run", "--rm", "--network=none", TEST_IMAGE, "cat", "node_modules/axe-core/axe.min.js")


@pytest.fixture
def axe(axe_source: str) -> Callable[[Page], list[str]]:
    """What axe-core finds that keeps people out, as it is shown at that moment: rule, weight, where."""

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

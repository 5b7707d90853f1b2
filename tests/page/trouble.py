"""A browser's errors in a test: unexpected ones fail it, and expected ones have to occur."""

import re
import time
from contextlib import suppress
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, Request, WebError

# The browser reports them too; this adds the rule and the blocked action.
TELL_OF_VIOLATIONS = """
addEventListener("securitypolicyviolation", (violation) => {
    console.error("policy violation:", violation.effectiveDirective, violation.blockedURI, violation.sample);
});
"""
# As in a private window, or with storage disabled.
REFUSE_STORAGE = "IDBFactory.prototype.open = () => { throw new DOMException('It is refused.', 'SecurityError') }"
COMES_WITHIN_SECONDS = 3
# When a container starts or stops, in these tests or elsewhere, Chromium aborts requests.
NOT_THE_PAGES = "net::ERR_NETWORK_CHANGED"


class Trouble:
    """Console errors (including violations of the Content-Security-Policy), uncaught errors, crashes, and requests to
    another origin than `url`'s."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        self._seen: list[str] = []
        self._expected: list[str] = []
        self.console: list[str] = []

    def expect(self, pattern: str) -> None:
        """Expects an error that matches the regular expression, once or more."""
        self._expected.append(pattern)

    def watch(self, context: BrowserContext) -> None:
        context.add_init_script(TELL_OF_VIOLATIONS)
        context.on("console", self._on_console)
        context.on("weberror", self._on_uncaught)
        context.on("request", self._on_request)
        context.on("page", self._on_page)

    def left(self, context: BrowserContext) -> list[str]:
        """Unexpected errors, and expected ones that did not occur. Waits a moment for the latter."""
        deadline = time.monotonic() + COMES_WITHIN_SECONDS
        for page in context.pages:
            # After a round trip all earlier events have arrived. The page may be navigating away.
            with suppress(Error):
                page.evaluate("0")
            while self._missing() and time.monotonic() < deadline:
                page.wait_for_timeout(20)
        unexpected = [seen for seen in self._seen if not any(re.search(pattern, seen) for pattern in self._expected)]
        return unexpected + [f"did not come: {pattern}" for pattern in self._missing()]

    def _missing(self) -> list[str]:
        return [pattern for pattern in self._expected if not any(re.search(pattern, seen) for seen in self._seen)]

    def _on_console(self, message: ConsoleMessage) -> None:
        line = f"console {message.type}: {message.text} ({message.location.get('url')})"
        self.console.append(line)
        if message.type in ("error", "assert") and NOT_THE_PAGES not in line:
            self._seen.append(line)

    def _on_uncaught(self, error: WebError) -> None:
        self._complain(f"uncaught: {error.error}")

    def _on_request(self, request: Request) -> None:
        where = urlsplit(request.url)
        # Neither blob: nor data: leaves the browser.
        if where.netloc not in ("", self._host):
            self._complain(f"request elsewhere: {request.method} {request.url}")

    def _on_page(self, page: Page) -> None:
        page.on("crash", lambda _: self._complain("the page crashed"))

    def _complain(self, line: str) -> None:
        self.console.append(line)
        self._seen.append(line)

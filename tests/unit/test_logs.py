"""What the API's logs leave out: floods and query strings."""

import logging
import threading
import time
from collections.abc import Iterator

import pytest

from api.logs import FloodLimit, without_credentials
from tests.support.fake_ollama import wait_until

SECONDS = 1


class Lines(logging.Handler):
    """Records what passes."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def log(request: pytest.FixtureRequest) -> logging.Logger:
    """A new logger: another test's count may still be pending."""
    return logging.getLogger(request.node.name)


@pytest.fixture
def lines(log: logging.Logger) -> Iterator[list[str]]:
    handler = Lines()
    handler.addFilter(FloodLimit(limit=2, seconds=SECONDS))
    log.addHandler(handler)
    log.propagate = False
    yield handler.lines
    log.removeHandler(handler)


def test_a_flood_is_a_few_lines_and_a_count(log: logging.Logger, lines: list[str]) -> None:
    """However many addresses it comes from; the count appears even if no other line follows."""
    for number in range(100):
        log.warning("failed login from %s", number)
    assert lines == ["failed login from 0", "failed login from 1"]
    wait_until(lambda: len(lines) > 2, "the rest is counted")
    assert lines[2:] == ["98 more lines like this one: failed login from %s"]


def test_a_flood_hides_no_line_of_another_kind(log: logging.Logger, lines: list[str]) -> None:
    """Each kind has its own count."""
    for _ in range(10):
        log.warning("failed login from %s", "x")
    log.warning("something else")
    assert lines[-1] == "something else"


def test_after_a_while_lines_pass_again(log: logging.Logger, lines: list[str]) -> None:
    """As many as at first."""
    for _ in range(2):
        log.warning("one")
    time.sleep(SECONDS)
    for _ in range(2):
        log.warning("one")
    assert lines == ["one"] * 4


def test_few_lines_start_no_thread(log: logging.Logger, lines: list[str]) -> None:
    """gunicorn's master forks."""
    before = set(threading.enumerate())
    log.warning("one")
    assert lines == ["one"]
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(
    ("path", "logged"),
    [("/health?token=secret", "/health"), ("/invitations/secret", "/invitations/..."), ("/models", "/models")],
)
def test_uvicorns_access_log_has_no_credentials(path: str, logged: str) -> None:
    """Some clients put them into the query; a link has one in its path. The status and the rest stay."""
    arguments = ("127.0.0.1:1", "GET", path, "1.1", 200)
    record = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', arguments, None)
    assert without_credentials(record)
    assert record.getMessage() == f'127.0.0.1:1 - "GET {logged} HTTP/1.1" 200'

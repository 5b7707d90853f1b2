"""JSON logs: one object a line, with the request's id, and at most ten similar lines a minute."""

import logging
import re
import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="-")


def add_request_id(record: logging.LogRecord) -> bool:
    """A filter: adds the id of the request that is being served to each line."""
    record.request_id = request_id.get()
    return True


@dataclass
class Window:
    """Lines of one kind since a time by time.monotonic()."""

    since: float
    lines: int = 0


class FloodLimit(logging.Filter):
    """Lets `limit` lines of a kind pass in `seconds`; one line tells how many more there were.

    What a stranger can cause at will (failed logins, requests that cannot be read) would otherwise push all else out of
    a log of bounded size. A kind is a logger and its words, whatever is filled in.
    """

    MAX_KINDS = 1_000

    def __init__(self, limit: int = 10, seconds: float = 60) -> None:
        super().__init__()
        self._limit = limit
        self._seconds = seconds
        self._windows: dict[tuple[str, str], Window] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        kind = (record.name, str(record.msg))
        now = time.monotonic()
        with self._lock:
            if len(self._windows) > self.MAX_KINDS:
                self._windows.clear()
            window = self._windows.get(kind)
            if window is None or now - window.since >= self._seconds:
                window = self._windows[kind] = Window(now)
            window.lines += 1
            # Not earlier: gunicorn's master logs too, and a process with threads should not fork.
            if window.lines == self._limit + 1:
                self._tell_later(*kind, window, record.levelno)
            return window.lines <= self._limit

    def _tell_later(self, name: str, words: str, window: Window, level: int) -> None:
        def tell() -> None:
            logging.getLogger(name).log(level, "%s more lines like this one: %s", window.lines - self._limit, words)

        timer = threading.Timer(window.since + self._seconds - time.monotonic(), tell)
        timer.daemon = True
        timer.start()


def without_credentials(record: logging.LogRecord) -> bool:
    """A filter: leaves an invitation's token and the query, where some clients put one, out of uvicorn's log."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            _cleared(part) if isinstance(part, str) and part.startswith("/") else part for part in record.args
        )
    return True


def _cleared(path: str) -> str:
    # As nginx does in log.conf.
    return re.sub("^/+invitations/.*", "/invitations/...", path.partition("?")[0])


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": "{asctime}{levelname}{name}{request_id}{message}",
            "style": "{",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        }
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": [FloodLimit(), add_request_id]},
        "audit": {"class": "logging.StreamHandler", "formatter": "json", "filters": [add_request_id]},
    },
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {
        # Every line of it is kept: only callers cause one. See accounts/audit.py.
        "localchat.audit": {"level": "INFO", "handlers": ["audit"], "propagate": False},
        # Its own words about each start.
        "alembic": {"level": "WARNING"},
        # Each request of the health check, and of the client without nginx, would be a line.
        "httpx": {"level": "WARNING"},
        # Their own handlers print to the same stream, in other formats.
        "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
    },
}

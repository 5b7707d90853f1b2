"""Where a command's log lines go: its audit trail to the log of the API, faults to the person who runs it."""

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

from api.accounts import audit
from api.logs import LOGGING, add_request_id

FIRST_PROCESS = Path("/proc/1")


@contextmanager
def logged(first_process: Path = FIRST_PROCESS) -> Iterator[None]:
    with ExitStack() as stack:
        faults = logging.StreamHandler()
        faults.setFormatter(logging.Formatter("localchat: %(message)s"))
        faults.setLevel(logging.ERROR)
        _attach(faults, logging.getLogger(), stack)
        trail = logging.StreamHandler(_open_api_log(first_process, stack))
        trail.setFormatter(_json_formatter())
        trail.addFilter(add_request_id)
        _attach(trail, audit.log, stack)
        audit.log.setLevel(logging.INFO)
        yield


def _attach(handler: logging.Handler, logger: logging.Logger, stack: ExitStack) -> None:
    logger.addHandler(handler)
    stack.callback(logger.removeHandler, handler)


def _open_api_log(first_process: Path, stack: ExitStack) -> TextIO:
    """In its container the API is the first process, and Docker keeps what that writes. Elsewhere standard error."""
    try:
        if b"gunicorn" in (first_process / "cmdline").read_bytes():
            return stack.enter_context((first_process / "fd/2").open("a"))
    except OSError:
        pass
    return sys.stderr


def _json_formatter() -> logging.Formatter:
    options = {name: value for name, value in LOGGING["formatters"]["json"].items() if name != "()"}
    return JsonFormatter(**options)

"""Runs one command: in the API's container `localchat …`, in development `uv run python -m api.commands …`."""

import asyncio
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import NoReturn

from api.accounts.errors import DatabaseUnavailable
from api.commands.answers import Answer, Refused
from api.commands.arguments import new_parser
from api.commands.logs import logged
from api.database.migrate import DatabaseUnusable, refuse_unless_current
from api.errors import ApiError
from api.parts import Parts
from api.settings import load_settings

DONE, REFUSED = 0, 1  # argparse ends with 2 where it cannot read the command.
INTERRUPTED = 130  # as a shell reports it: 128 and SIGINT's number


def main(words: Sequence[str] | None = None) -> int:
    """The exit status."""
    arguments = new_parser().parse_args(words)
    try:
        with logged():
            answer = _answer(arguments)
    except (ApiError, DatabaseUnusable, OSError, Refused) as error:
        sys.stderr.write(f"localchat: {_reason(error)}\n")
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    try:
        sys.stdout.write(f"{answer.as_json() if arguments.json else answer.text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Or Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


def _answer(arguments: Namespace) -> Answer:
    settings = load_settings()
    refuse_unless_current(settings.database_path)
    return asyncio.run(_run(arguments, Parts(settings)))


async def _run(arguments: Namespace, parts: Parts) -> Answer:
    try:
        (await parts.directory.now()).refuse_unless_current()
        answer: Answer = await arguments.command(arguments, parts)
    finally:
        await parts.close()
    return answer


def _reason(error: Exception) -> str:
    if isinstance(error, DatabaseUnavailable):
        return "Nothing was changed. Make sure that the volume `state` is neither full nor read-only, and try again."
    return str(error)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # asyncio's own handler would wait for the answer to a question first.
    signal.signal(signal.SIGINT, _interrupt)
    sys.exit(main())

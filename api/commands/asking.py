"""Asks the person at the terminal, or standard input."""

import sys
from getpass import getpass

from api.commands.answers import Refused


def ask_password(email: str) -> str:
    """Never an argument: every user of the machine can read those. Raises Refused."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass(f"New password for {email}: ")
    if getpass("Repeat it: ") != password:
        raise Refused("The passwords do not match; nothing was changed.")
    return password


def confirm(question: str) -> None:
    """Raises Refused unless the answer is yes."""
    if not sys.stdin.isatty():
        raise Refused(f"{question} Confirm with --yes.")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise Refused("Nothing was deleted.")

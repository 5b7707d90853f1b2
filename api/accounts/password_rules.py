"""Which new passwords are accepted, after NIST SP 800-63B: a length and no obvious ones; no rules about characters."""

from functools import cache
from pathlib import Path

from api.accounts.store import comparable
from api.errors import InvalidBody
from api.settings import MIN_PASSWORD_LENGTH

COMMON = Path(__file__).with_name("common_passwords.txt")


def refuse_weak(password: str, email: str) -> None:
    """Raises InvalidBody, with what is wrong."""
    if len(password) < MIN_PASSWORD_LENGTH:
        raise InvalidBody(f"The password needs at least {MIN_PASSWORD_LENGTH} characters.")
    folded = comparable(password)
    if folded in (comparable(email), comparable(email).partition("@")[0]):
        raise InvalidBody("The password must not be the email address.")
    if folded in _common():
        raise InvalidBody("This password is among the most common ones; choose another.")


@cache
def _common() -> frozenset[str]:
    lines = COMMON.read_text("utf-8").splitlines()
    return frozenset(comparable(line) for line in lines if not line.startswith("# "))

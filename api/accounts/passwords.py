"""Hashes passwords and compares them: argon2id, one at a time in each worker, and never on the event loop."""

import asyncio
import base64
import os
import secrets
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from api.accounts.errors import TooManyPasswords

# OWASP's Password Storage Cheat Sheet: 46 MiB, one pass, one lane. 50 ms on two cores.
MEMORY_KIBIBYTES, PASSES, LANES = 47_104, 1, 1
NICENESS = 10
# Of different client addresses, because each has one login at a time: the last in the queue waits for two seconds.
MAX_WAITING = 32

Result = TypeVar("Result")


def new_hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIBIBYTES, parallelism=LANES)


class Passwords:
    """Those of one worker."""

    def __init__(self) -> None:
        self._hasher = new_hasher()
        self._nobodys = _hash_of_nothing()
        self._thread = ThreadPoolExecutor(1, "argon2", _give_way)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Raises TooManyPasswords."""
        return await self._in_turn(lambda: self._hasher.hash(_encoded(password)))

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the hash of `password`. None takes as long, and is nobody's. Raises TooManyPasswords."""
        return await self._in_turn(lambda: is_password(self._hasher, password_hash or self._nobodys, password))

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)

    async def _in_turn(self, work: Callable[[], Result]) -> Result:
        if self._waiting >= MAX_WAITING:
            raise TooManyPasswords
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1


def _give_way() -> None:
    """Lets whoever waits for a stream or a decision go first. Linux has a priority for each thread."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def is_password(hasher: PasswordHasher, password_hash: str, password: str) -> bool:
    try:
        return hasher.verify(password_hash, _encoded(password))
    except (Argon2Error, InvalidHashError):
        return False


def _encoded(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def _hash_of_nothing() -> str:
    """In the form of a hash, but of no known password."""
    salt, digest = (base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    return f"$argon2id$v=19$m={MEMORY_KIBIBYTES},t={PASSES},p={LANES}${salt}${digest}"

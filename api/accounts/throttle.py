"""Limits failed logins per address and per account, in one file for all workers, so their number does not matter.

An attempt counts before its password is compared, and is taken back when the password was right: of many at one moment
no more than the limit are compared, and no lock is held while that happens. What cannot be counted is refused.

From an address where somebody has logged in to the account in the last 30 days, failures are counted for that account
at that address: typing errors hold nobody else back, and guesses from elsewhere do not lock its owner out. All others
are counted for the address, and for the account, with twice the limit, so that nobody guesses from many addresses.
"""

import asyncio
import hashlib
import logging
import math
import sqlite3
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from api.accounts.attempts import Attempts, TooManyFailures
from api.accounts.errors import NothingCompared
from api.accounts.turns import Turns

PATIENCE_SECONDS = 2
POLL_SECONDS = 0.01

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class CannotCount(Exception):
    """The file is broken, locked, read-only, or its disk is full."""


class LoginThrottle:
    """At most `limit` failures a minute from one address; a success is never counted."""

    def __init__(self, path: Path, limit: int, now: Callable[[], float] = time.time) -> None:
        self._limit = limit
        self._attempts = Attempts(path, limit, now)
        # SQLite waits for locks and disks, so not on the event loop. One thread, because one connection serves.
        self._thread = ThreadPoolExecutor(1, "login-throttle")
        self._turns = Turns()
        self._failure = ""
        self._failed_at = -math.inf

    async def attempt(self, address: str, check: Callable[[], Awaitable[Result]], account: str = "") -> Result:
        """What `check` returns. Raises TooManyFailures, CannotCount or TooManyPasswords before it is called.

        A false result is a failure, and so is whatever it raises but NothingCompared. `account` is what was typed,
        whether there is such an account or not.
        """
        came_at = time.monotonic()
        async with self._turns.of(address):
            self._refuse_if_failed_since(came_at)
            name = _name_of(account)
            numbers = await self._begin(address, name)
            counts = True
            try:
                result = await check()
                counts = not result
            except NothingCompared:
                counts = False
                raise
            finally:
                # Nobody waits for it: in this worker it comes before whatever is counted next.
                self._thread.submit(self._end, numbers, passed=not counts)
            if result and account:
                self._thread.submit(self._remember, name, address)
            return result

    def close(self) -> None:
        self._thread.shutdown()
        self._attempts.close()

    def _refuse_if_failed_since(self, moment: float) -> None:
        """Whoever waited while it could not be counted does not wait for that once more. Raises CannotCount."""
        if self._failed_at >= moment:
            raise CannotCount(self._failure)

    async def _begin(self, address: str, account: str) -> list[int]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    numbers = await loop.run_in_executor(self._thread, self._begin_all, address, account)
                    if numbers:
                        return numbers
                    # Attempts of other workers are open.
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError as error:
            raise CannotCount(f"failed logins cannot be counted in {self._attempts.path}: locked or slow") from error
        except (sqlite3.Error, OSError) as error:
            self._failure = f"failed logins cannot be counted in {self._attempts.path}: {error}"
            self._failed_at = time.monotonic()
            raise CannotCount(self._failure) from error

    def _begin_all(self, address: str, account: str) -> list[int]:
        """All that the attempt counts for, or nothing. Raises TooManyFailures."""
        numbers: list[int] = []
        try:
            for name, limit in self._counted_for(address, account).items():
                number = self._attempts.begin(name, limit)
                if number is None:
                    break
                numbers.append(number)
            else:
                return numbers
        except TooManyFailures:
            self._end(numbers, passed=True)
            raise
        self._end(numbers, passed=True)
        return []

    def _counted_for(self, address: str, account: str) -> dict[str, int]:
        """Names, each with its limit."""
        if not account:
            return {address: self._limit}
        if self._attempts.knows(account, address):
            return {f"{account} at {address}": self._limit}
        return {address: self._limit, account: 2 * self._limit}

    def _end(self, numbers: list[int], *, passed: bool) -> None:
        try:
            for number in numbers:
                self._attempts.end(number, passed=passed)
        except (sqlite3.Error, OSError) as error:
            # It stays open, and so counts as failed: it lets nobody in.
            log.warning("a login could not be counted as %s: %s", "passed" if passed else "failed", error)

    def _remember(self, account: str, address: str) -> None:
        try:
            self._attempts.remember(account, address)
        except (sqlite3.Error, OSError) as error:
            log.warning("the address of a login could not be remembered: %s", error)


def _name_of(account: str) -> str:
    """Of fixed length, and never an address's."""
    return f"account {hashlib.sha256(account.encode('utf-8', 'surrogatepass')).hexdigest()}" if account else ""

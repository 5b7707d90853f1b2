"""One login of an address at a time, the others in a line that is bounded in time and in number.

So one address does not fill the queue for argon2, and many right passwords at once do not use up the limit of failures.
Nor does one account fill the reader's: there it is one reading of an account at a time.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from weakref import WeakValueDictionary

from api.accounts.errors import TooManyPasswords

# Fifty logins of a household or a CI at one moment, at 0.4 s each on a busy machine. nginx waits for 60 s.
PATIENCE_SECONDS = 20
# One that waits takes 23 kB, so all take 23 MB in each worker. A proxy may be in front of everybody.
MAX_OF_ADDRESS, MAX_WAITING = 500, 1_000


class Turns:
    """Those of one worker."""

    def __init__(self, refusal: Callable[[], Exception] = TooManyPasswords, max_of_one: int | None = None) -> None:
        self._refusal = refusal
        self._max_of_one = max_of_one
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._waiting: Counter[str] = Counter()
        self._all_waiting = 0

    @asynccontextmanager
    async def of(self, address: str) -> AsyncIterator[None]:
        """Raises TooManyPasswords, or the other refusal."""
        lock = self._locks.setdefault(address, asyncio.Lock())
        has_to_wait = lock.locked() or address in self._waiting
        with self._in_line(address) if has_to_wait else nullcontext():
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await lock.acquire()
            except TimeoutError as error:
                raise self._refusal() from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _in_line(self, address: str) -> Iterator[None]:
        if self._waiting[address] >= (self._max_of_one or MAX_OF_ADDRESS) or self._all_waiting >= MAX_WAITING:
            raise self._refusal()
        self._waiting[address] += 1
        self._all_waiting += 1
        try:
            yield
        finally:
            self._all_waiting -= 1
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]

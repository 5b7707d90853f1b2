"""Logins of one address at one moment: one at a time, the others in a bounded line. Time is the event loop's own."""

import asyncio
import selectors
from collections import Counter
from collections.abc import Mapping

import pytest

from api.accounts import turns
from api.accounts.errors import TooManyPasswords
from api.accounts.turns import Turns

Outcome = float | type[TooManyPasswords]


class Jumping(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to whatever is due next: nothing waits, however busy the machine is."""

    def __init__(self) -> None:
        super().__init__(_Selector(self))
        self.now = 0.0

    def time(self) -> float:
        return self.now


class _Selector(selectors.SelectSelector):
    def __init__(self, loop: Jumping) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._loop.now += timeout or 0
        return super().select(0)


def at_once(logins: Mapping[str, int], seconds: float) -> dict[str, list[Outcome]]:
    """When each login of an address ended that takes so long to check, or that it was refused."""

    async def one(line: Turns, address: str) -> Outcome:
        try:
            async with line.of(address):
                await asyncio.sleep(seconds)
        except TooManyPasswords:
            return TooManyPasswords
        return asyncio.get_running_loop().time()

    async def all_of() -> dict[str, list[Outcome]]:
        line = Turns()
        lines = {name: asyncio.gather(*(one(line, name) for _ in range(count))) for name, count in logins.items()}
        outcomes = {name: await results for name, results in lines.items()}
        assert (line._all_waiting, line._waiting) == (0, Counter())  # noqa: SLF001
        return outcomes

    with asyncio.Runner(loop_factory=Jumping) as runner:
        return runner.run(all_of())


def test_fifty_at_once_get_through_on_a_busy_machine() -> None:
    """At eight times the 50 ms that a comparison takes; one at a time, in order."""
    ended = at_once({"home": 50}, 0.4)["home"]
    assert ended == [pytest.approx(0.4 * number) for number in range(1, 51)]


def test_nobody_waits_for_longer_than_clients_do() -> None:
    """After 20 s the rest is told to try again; two seconds later, by Retry-After."""
    ended = at_once({"home": 50}, 1)["home"]
    assert ended[:20] == [pytest.approx(number) for number in range(1, 21)]
    assert set(ended[21:]) == {TooManyPasswords}
    assert TooManyPasswords().headers == {"Retry-After": "2"}


def test_another_address_has_its_own_line() -> None:
    assert at_once({"home": 50, "work": 1}, 0.4)["work"] == [pytest.approx(0.4)]


def test_the_lines_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood is refused at once, so it takes no memory; whoever need not wait is never refused."""
    monkeypatch.setattr(turns, "MAX_OF_ADDRESS", 3)
    monkeypatch.setattr(turns, "MAX_WAITING", 5)
    ended = at_once({"flood": 1_000, "more": 1_000, "home": 2}, 0.1)
    # Of each, one does not wait.
    through = {name: len(outcomes) - outcomes.count(TooManyPasswords) for name, outcomes in ended.items()}
    assert through == {"flood": 4, "more": 3, "home": 1}

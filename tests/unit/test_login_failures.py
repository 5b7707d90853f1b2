"""How failed logins are counted: per address, per minute, in one file."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from api.login_failures import LoginFailures, TooManyFailures

Open = Callable[..., LoginFailures]


class Clock:
    def __init__(self) -> None:
        self.time = 1_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_failures(tmp_path: Path, clock: Clock) -> Iterator[Open]:
    """Opens the same file each time, as each worker does."""
    with ExitStack() as stack:
        yield lambda limit=3: stack.enter_context(closing(LoginFailures(tmp_path / "new" / "f.sqlite", limit, clock)))


def fail(failures: LoginFailures, address: str = "a") -> bool:
    return failures.attempt(address, lambda: False)


def test_refuses_above_the_limit_without_checking(open_failures: Open) -> None:
    """The password is not even looked at."""
    failures = open_failures()
    assert [fail(failures) for _ in range(3)] == [False] * 3
    checked: list[bool] = []
    with pytest.raises(TooManyFailures) as refusal:
        failures.attempt("a", lambda: bool(checked.append(True)))  # type: ignore[func-returns-value]
    assert checked == []
    assert refusal.value.retry_after_seconds == 60


def test_a_minute_later_it_is_over(open_failures: Open, clock: Clock) -> None:
    """Retry-After is when the oldest failure that counts has gone, to the second."""
    failures = open_failures()
    for _ in range(3):
        fail(failures)
        clock.time += 10
    with pytest.raises(TooManyFailures) as refusal:
        fail(failures)
    clock.time += refusal.value.retry_after_seconds - 1
    with pytest.raises(TooManyFailures):
        fail(failures)
    clock.time += 1
    assert failures.attempt("a", lambda: True)


def test_refused_attempts_do_not_lengthen_the_wait(open_failures: Open, clock: Clock) -> None:
    """Only what was checked counts."""
    failures = open_failures(1)
    fail(failures)
    for _ in range(5):
        clock.time += 10
        with pytest.raises(TooManyFailures):
            fail(failures)
    clock.time += 10
    assert failures.attempt("a", lambda: True)


def test_another_address_is_not_held_back(open_failures: Open) -> None:
    """One attacker does not lock everybody out."""
    failures = open_failures(1)
    fail(failures, "a")
    assert failures.attempt("b", lambda: True)


def test_successes_do_not_count(open_failures: Open) -> None:
    """However many there are."""
    failures = open_failures(1)
    assert all(failures.attempt("a", lambda: True) for _ in range(30))


def test_workers_count_together(open_failures: Open) -> None:
    """The limit is the same whatever the number of workers."""
    one, other = open_failures(2), open_failures(2)
    fail(one)
    fail(other)
    for failures in (one, other):
        with pytest.raises(TooManyFailures):
            fail(failures)


def test_of_many_attempts_at_once_no_more_than_the_limit_are_checked(open_failures: Open) -> None:
    """Check and count are one step: a burst is no way around the limit."""
    workers = [open_failures(10) for _ in range(4)]

    def checked(worker: LoginFailures) -> int:
        count = 0
        for _ in range(10):
            try:
                fail(worker)
            except TooManyFailures:
                continue
            count += 1
        return count

    with ThreadPoolExecutor(len(workers)) as pool:
        assert sum(pool.map(checked, workers)) == 10


def test_a_clock_that_was_set_back_locks_nobody_out(open_failures: Open, clock: Clock) -> None:
    """A failure in the time to come is forgotten."""
    failures = open_failures(1)
    fail(failures)
    clock.time -= 3_600
    assert failures.attempt("a", lambda: True)


def test_a_check_that_raises_leaves_the_file_usable(open_failures: Open) -> None:
    """No transaction stays open."""
    one, other = open_failures(), open_failures()
    with pytest.raises(ZeroDivisionError):
        one.attempt("a", lambda: bool(1 / 0))
    assert other.attempt("a", lambda: True)

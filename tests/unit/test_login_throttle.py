"""How failed logins are counted: per address, per minute, in one file; and what happens when they cannot be counted."""

import asyncio
import resource
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Barrier

import pytest

from api.accounts.attempts import COMPARED_WITHIN_SECONDS, MAX_KNOWN, Attempts, TooManyFailures
from api.accounts.throttle import CannotCount, LoginThrottle

Open = Callable[..., LoginThrottle]


class Clock:
    def __init__(self) -> None:
        self.time = 1_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_throttle(tmp_path: Path, clock: Clock) -> Iterator[Open]:
    """Opens the same file each time, like each worker."""
    with ExitStack() as stack:
        yield lambda limit=3: stack.enter_context(closing(LoginThrottle(tmp_path / "new" / "f.sqlite", limit, clock)))


def attempt(throttle: LoginThrottle, check: Callable[[], bool], address: str = "a", account: str = "") -> bool:
    try:
        return asyncio.run(throttle.attempt(address, in_a_thread(check), account))
    finally:
        # It is taken back, or its address remembered, after the answer: before the clock or the file is changed.
        throttle._thread.submit(lambda: None).result()  # noqa: SLF001


def in_a_thread(check: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    """As argon2 does it."""
    return lambda: asyncio.to_thread(check)


async def passes() -> bool:
    return True


def fail(throttle: LoginThrottle, address: str = "a", account: str = "") -> bool:
    return attempt(throttle, lambda: False, address, account)


def succeed(throttle: LoginThrottle, address: str = "a", account: str = "") -> bool:
    return attempt(throttle, lambda: True, address, account)


def test_refuses_above_the_limit_without_checking(open_throttle: Open) -> None:
    """The password is not even compared."""
    throttle = open_throttle()
    assert [fail(throttle) for _ in range(3)] == [False] * 3
    checked: list[bool] = []
    with pytest.raises(TooManyFailures) as refusal:
        attempt(throttle, lambda: bool(checked.append(True)))  # type: ignore[func-returns-value]
    assert checked == []
    assert refusal.value.retry_after_seconds == 60


def test_a_minute_later_it_is_over(open_throttle: Open, clock: Clock) -> None:
    """Retry-After is when the oldest counted failure expires, to the second."""
    throttle = open_throttle()
    for _ in range(3):
        fail(throttle)
        clock.time += 10
    with pytest.raises(TooManyFailures) as refusal:
        fail(throttle)
    clock.time += refusal.value.retry_after_seconds - 1
    with pytest.raises(TooManyFailures):
        fail(throttle)
    clock.time += 1
    assert succeed(throttle)


def test_refused_attempts_do_not_lengthen_the_wait(open_throttle: Open, clock: Clock) -> None:
    """Only checked attempts count."""
    throttle = open_throttle(1)
    fail(throttle)
    for _ in range(5):
        clock.time += 10
        with pytest.raises(TooManyFailures):
            fail(throttle)
    clock.time += 10
    assert succeed(throttle)


def test_another_address_is_not_held_back(open_throttle: Open) -> None:
    """One attacker does not lock everybody out."""
    throttle = open_throttle(1)
    fail(throttle, "a")
    assert succeed(throttle, "b")


def test_successes_do_not_count(open_throttle: Open) -> None:
    """However many there are."""
    throttle = open_throttle(1)
    assert all(succeed(throttle) for _ in range(30))


def test_workers_count_together(open_throttle: Open) -> None:
    """The limit does not depend on the number of workers."""
    one, other = open_throttle(2), open_throttle(2)
    fail(one)
    fail(other)
    for throttle in (one, other):
        with pytest.raises(TooManyFailures):
            fail(throttle)


def at_once(workers: list[LoginThrottle], each: int, check: Callable[[], bool]) -> list[bool | None]:
    """The results of simultaneous attempts: passed, failed, or None for refused."""

    async def one(worker: LoginThrottle) -> bool | None:
        try:
            return await worker.attempt("a", in_a_thread(check))
        except TooManyFailures:
            return None

    async def all_of(worker: LoginThrottle) -> list[bool | None]:
        return await asyncio.gather(*(one(worker) for _ in range(each)))

    with ThreadPoolExecutor(len(workers)) as pool:
        results = pool.map(lambda worker: asyncio.run(all_of(worker)), workers)
        return [result for results_of_one in results for result in results_of_one]


def slowly(passes: bool) -> Callable[[], bool]:  # noqa: FBT001
    """A comparison as slow as argon2's."""

    def check() -> bool:
        time.sleep(0.02)
        return passes

    return check


def test_of_many_attempts_at_once_no_more_than_the_limit_are_checked(open_throttle: Open) -> None:
    """An attempt counts before it is checked, so a burst cannot exceed the limit."""
    results = at_once([open_throttle(10) for _ in range(4)], 25, slowly(passes=False))
    assert (results.count(False), results.count(None)) == (10, 90)


def test_workers_never_share_the_last_attempt(tmp_path: Path) -> None:
    """Counting and taking are atomic: of four simultaneous workers only one gets it, a thousand times."""
    workers = [Attempts(tmp_path / "f.sqlite", 1, time.time) for _ in range(4)]
    start = Barrier(len(workers))

    def begin(worker: Attempts, address: str) -> int | None:
        start.wait()
        return worker.begin(address)

    with ThreadPoolExecutor(len(workers)) as pool:
        for address in map(str, range(1_000)):
            numbers = list(pool.map(begin, workers, [address] * len(workers)))
            assert len(numbers) - numbers.count(None) == 1
    for worker in workers:
        worker.close()


def test_of_many_right_passwords_at_once_none_is_refused(open_throttle: Open) -> None:
    """Those still being checked make others wait, nothing more."""
    assert at_once([open_throttle(1) for _ in range(4)], 5, slowly(passes=True)) == [True] * 20


def test_a_burst_of_right_passwords_is_no_queue(open_throttle: Open) -> None:
    """500 at once from one address, as with a proxy in front of all clients: all are accepted."""
    assert at_once([open_throttle(10)], 500, lambda: True) == [True] * 500


def test_others_are_checked_while_one_is(open_throttle: Open) -> None:
    """No lock is held during the slow comparison."""
    one, other = open_throttle(), open_throttle()
    assert attempt(one, lambda: succeed_in_a_thread(other))


def succeed_in_a_thread(throttle: LoginThrottle) -> bool:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(succeed, throttle).result(timeout=5)


def test_an_attempt_that_never_ended_counts_as_failed(open_throttle: Open, clock: Clock) -> None:
    """Its worker was killed; that must not allow another guess."""
    throttle = open_throttle(1)
    throttle._attempts.begin("a")  # noqa: SLF001
    clock.time += COMPARED_WITHIN_SECONDS
    with pytest.raises(TooManyFailures) as refusal:
        succeed(throttle)
    assert refusal.value.retry_after_seconds == 60 - COMPARED_WITHIN_SECONDS


def test_a_count_takes_no_longer_however_many_there_are(open_throttle: Open) -> None:
    """A stranger with many addresses does not slow others down."""
    throttle = open_throttle()
    few = best_seconds(throttle)
    with throttle._attempts._db as db:  # type: ignore[union-attr]  # noqa: SLF001
        db.execute("BEGIN")
        rows = ((str(number), 1_000_000.0) for number in range(100_000))
        db.executemany("INSERT INTO attempt (address, at, failed) VALUES (?, ?, 1)", rows)
    assert best_seconds(throttle) < 3 * few + 0.001


def best_seconds(throttle: LoginThrottle) -> float:
    def once() -> float:
        # Processor time, because the machine is shared; the file is read and written in this process.
        started = time.process_time()
        succeed(throttle)
        return time.process_time() - started

    return min(once() for _ in range(10))


def test_a_clock_that_was_set_back_locks_nobody_out(open_throttle: Open, clock: Clock) -> None:
    """A failure dated in the future is forgotten."""
    throttle = open_throttle(1)
    fail(throttle)
    clock.time -= 3_600
    assert succeed(throttle)


def test_a_check_that_raises_leaves_the_file_usable(open_throttle: Open) -> None:
    """No transaction stays open."""
    one, other = open_throttle(), open_throttle()
    with pytest.raises(ZeroDivisionError):
        attempt(one, lambda: bool(1 / 0))
    assert succeed(other)


def damaged(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1_000)


def a_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("break_", [damaged, a_folder])
def test_what_cannot_be_counted_is_not_checked(tmp_path: Path, break_: Callable[[Path], None]) -> None:
    """Otherwise a broken disk would disable the limit. The message names the file."""
    path = tmp_path / "f.sqlite"
    break_(path)
    with closing(LoginThrottle(path, 3)) as throttle:
        assert_refuses(throttle)


def assert_refuses(throttle: LoginThrottle) -> None:
    checked: list[bool] = []
    with pytest.raises(CannotCount, match="sqlite"):
        attempt(throttle, lambda: bool(checked.append(True)))  # type: ignore[func-returns-value]
    assert checked == []


def test_a_place_that_cannot_be_written_refuses(tmp_path: Path) -> None:
    """On each attempt, not at the start: everything else works."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "f.sqlite", Path("/proc/nowhere/f.sqlite")):
        with closing(LoginThrottle(path, 3)) as throttle:
            assert_refuses(throttle)


def test_a_full_disk_refuses_until_there_is_room(open_throttle: Open) -> None:
    """No restart is needed."""
    throttle = open_throttle(1_000)
    fail(throttle)
    with no_room_for_a_byte():
        assert_refuses(throttle)
    assert fail(throttle) is False


@contextmanager
def no_room_for_a_byte() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_was_deleted_after_damage_is_made_anew(tmp_path: Path) -> None:
    """No restart is needed."""
    path = tmp_path / "f.sqlite"
    damaged(path)
    with closing(LoginThrottle(path, 3)) as throttle:
        assert_refuses(throttle)
        path.unlink()
        assert succeed(throttle)


@pytest.fixture
def locked(tmp_path: Path, open_throttle: Open) -> Iterator[LoginThrottle]:
    """A throttle whose file another process has locked."""
    throttle = open_throttle()
    fail(throttle)
    with closing(sqlite3.connect(tmp_path / "new" / "f.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield throttle


def test_a_locked_file_refuses_soon(locked: LoginThrottle) -> None:
    """However many attempts there are, none waits for the others."""

    async def many() -> list[bool | BaseException]:
        attempts = (locked.attempt("a", passes) for _ in range(20))
        return await asyncio.gather(*attempts, return_exceptions=True)

    started = time.monotonic()
    results = asyncio.run(many())
    assert {type(result) for result in results} == {CannotCount}
    # One waits for the lock for a second; one after the other would be twenty.
    assert time.monotonic() - started < 10


def test_a_locked_file_stops_nobody_else(locked: LoginThrottle) -> None:
    """The event loop keeps running while a login waits for the lock."""

    async def longest_pause() -> float:
        waiting = asyncio.ensure_future(locked.attempt("a", passes))
        longest = 0.0
        while not waiting.done():
            started = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - started)
        with pytest.raises(CannotCount):
            waiting.result()
        return longest

    assert asyncio.run(longest_pause()) < 0.8


def test_an_account_is_not_guessed_from_many_addresses(open_throttle: Open) -> None:
    """Twice as many failures as from one address, and then no more from anywhere unknown."""
    throttle = open_throttle(3)
    assert [fail(throttle, f"stranger {number}", "ada") for number in range(6)] == [False] * 6
    with pytest.raises(TooManyFailures):
        succeed(throttle, "stranger 7", "ada")
    assert succeed(throttle, "stranger 7", "bob")


def test_a_refusal_for_the_account_is_no_failure_of_the_address(open_throttle: Open) -> None:
    """No password was compared."""
    throttle = open_throttle(3)
    for number in range(6):
        fail(throttle, f"stranger {number}", "ada")
    for _ in range(5):
        with pytest.raises(TooManyFailures):
            succeed(throttle, "home", "ada")
    assert succeed(throttle, "home", "bob")


def test_strangers_do_not_lock_the_owner_out(open_throttle: Open, clock: Clock) -> None:
    """Who has logged in from an address before does so again, whatever comes from elsewhere, for 30 days."""
    throttle = open_throttle(3)
    assert succeed(throttle, "home", "ada")
    for number in range(6):
        fail(throttle, f"stranger {number}", "ada")
    assert succeed(throttle, "home", "ada")
    clock.time += 29 * 86_400
    for number in range(6):
        fail(throttle, f"stranger {number}", "ada")
    assert succeed(throttle, "home", "ada")
    clock.time += 31 * 86_400
    for number in range(6):
        fail(throttle, f"stranger {number}", "ada")
    with pytest.raises(TooManyFailures):
        succeed(throttle, "home", "ada")


def test_one_persons_typing_errors_stop_nobody_else(open_throttle: Open) -> None:
    """Behind one address, where both have logged in before. Their own guesses are limited as ever."""
    throttle = open_throttle(3)
    assert all(succeed(throttle, "home", name) for name in ("ada", "bob"))
    for _ in range(3):
        fail(throttle, "home", "ada")
    with pytest.raises(TooManyFailures):
        succeed(throttle, "home", "ada")
    assert succeed(throttle, "home", "bob")


def test_a_guesser_behind_the_same_address_stops_newcomers_only(open_throttle: Open) -> None:
    """Unknown names use up the address; those who are known there still get in."""
    throttle = open_throttle(3)
    assert succeed(throttle, "home", "ada")
    for number in range(3):
        fail(throttle, "home", f"guess {number}")
    with pytest.raises(TooManyFailures):
        succeed(throttle, "home", "bob")
    assert succeed(throttle, "home", "ada")


def test_known_addresses_are_bounded(tmp_path: Path, clock: Clock) -> None:
    """Of one account; the latest stay."""
    attempts = Attempts(tmp_path / "f.sqlite", 3, clock)
    for number in range(MAX_KNOWN + 10):
        clock.time += 1
        attempts.remember("ada", str(number))
    assert [attempts.knows("ada", str(number)) for number in (0, 9, 10, MAX_KNOWN + 9)] == [False, False, True, True]
    attempts.close()

"""How passwords are kept and compared: slowly, away from the event loop, and telling nothing by the time it takes."""

import asyncio
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.accounts import passwords
from api.accounts.errors import TooManyPasswords
from api.accounts.passwords import Passwords
from tests.unit.conftest import Serve
from tests.unit.people import PASSWORD, add_person
from tests.unit.serving import Gateway

REAL_KIBIBYTES = passwords.MEMORY_KIBIBYTES


@pytest.fixture(autouse=True)
def _real_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MEMORY_KIBIBYTES", REAL_KIBIBYTES)


def test_a_hash_is_argon2id_at_owasps_minimum() -> None:
    """46 MiB, one pass, one lane; salted."""
    own = Passwords()
    one, other = asyncio.run(own.hash("a")), asyncio.run(own.hash("a"))
    assert one.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert one != other
    assert asyncio.run(own.matches(one, "a"))
    for wrong in (("b", one), ("", one), ("a\u0000", one), ("a", None), ("a", "no hash")):
        assert not asyncio.run(own.matches(wrong[1], wrong[0]))
    own.close()


def test_nobodys_password_takes_as_long() -> None:
    """An unknown account's, a disabled one's, the settings'."""
    own = Passwords()
    known = asyncio.run(own.hash("a"))
    assert 0.5 < seconds(own, known) / seconds(own, None) < 2
    own.close()


def seconds(own: Passwords, password_hash: str | None) -> float:
    """In processor time, because the machine is shared."""

    def once() -> float:
        started = time.process_time()
        asyncio.run(own.matches(password_hash, "b"))
        return time.process_time() - started

    return min(once() for _ in range(10))


def test_a_login_takes_as_long_whoever_it_is(serve_with: Serve) -> None:
    """A member, nobody, somebody disabled, the account of the settings: each costs one comparison."""
    gateway = serve_with(login_failures_per_minute=1_000)
    add_person(gateway)
    disabled = add_person(gateway, "disabled@example.org")
    gateway.client.patch(f"/users/{disabled.id}", json={"disabled": True})
    emails = ("member@example.org", "nobody@example.org", disabled.email, "admin@local")
    medians = [statistics.median(seconds_of_a_login(gateway, email) for _ in range(7)) for email in emails]
    assert max(medians) < 2 * min(medians)


def seconds_of_a_login(gateway: Gateway, email: str) -> float:
    """In processor time: client and server are this process."""
    started = time.process_time()
    assert gateway.log_in(email, "wrong password").status_code == 401
    return time.process_time() - started


def test_a_wrong_password_and_an_unknown_member_get_the_same_answer(serve_with: Serve) -> None:
    gateway = serve_with()
    disabled = add_person(gateway)
    gateway.client.patch(f"/users/{disabled.id}", json={"disabled": True})
    answers = [
        gateway.log_in("admin@local", "wrong"),
        gateway.log_in("nobody@example.org", PASSWORD),
        gateway.log_in(disabled.email, PASSWORD),
    ]
    assert {(answer.status_code, answer.content, len(answer.headers)) for answer in answers} == {
        (401, answers[0].content, len(answers[0].headers))
    }


def test_one_is_compared_at_a_time_and_few_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is told to try again: nobody makes the queue, or its memory, grow."""
    monkeypatch.setattr(passwords, "MAX_WAITING", 3)
    own = Passwords()

    async def many() -> list[bool | BaseException]:
        return await asyncio.gather(*(own.matches(None, "a") for _ in range(20)), return_exceptions=True)

    results = asyncio.run(many())
    assert results.count(False) == 3
    assert sum(isinstance(result, TooManyPasswords) for result in results) == 17
    assert asyncio.run(own.matches(None, "a")) is False
    own.close()


def test_a_full_queue_is_503_with_when_to_try_again(serve_with: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not count as a failed login: no password was compared."""
    gateway = serve_with(login_failures_per_minute=1)
    with monkeypatch.context() as full:
        full.setattr(passwords, "MAX_WAITING", 0)
        answers = [gateway.log_in() for _ in range(3)]
    assert {(answer.status_code, answer.headers["Retry-After"]) for answer in answers} == {(503, "2")}
    assert gateway.log_in().status_code == 200


def test_a_burst_of_logins_holds_nobody_up(serve_with: Serve) -> None:
    """The event loop goes on while passwords are compared; each login is answered."""
    gateway = serve_with(login_failures_per_minute=1_000)
    patient = gateway.new_client()
    # One after the other they take more than a second each on a busy machine.
    patient.timeout = 60
    body = {"email": "nobody@example.org", "password": "wrong"}
    with ThreadPoolExecutor(10) as pool:
        logins = [pool.submit(patient.post, "/login", json=body) for _ in range(10)]
        slowest = 0.0
        while not all(login.done() for login in logins):
            started = time.monotonic()
            assert gateway.stranger.get("/live").status_code == 200
            slowest = max(slowest, time.monotonic() - started)
    assert slowest < 0.5
    assert {login.result().status_code for login in logins} <= {401, 503}

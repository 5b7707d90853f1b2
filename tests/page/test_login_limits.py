"""Too many wrong passwords, on a separate stack: all tests log in from the same address."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.page.person import Person
from tests.page.trouble import Trouble
from tests.support.fixtures import StackBeforeFake
from tests.support.stack import Stack


@pytest.fixture
def stack(running_before_fake_ollama: StackBeforeFake) -> Iterator[Stack]:
    with running_before_fake_ollama(LOGIN_FAILURES_PER_MINUTE="1") as running:
        yield running


def test_after_too_many_attempts_the_login_says_how_long_to_wait(person: Person, trouble: Trouble) -> None:
    """Even with the right password."""
    trouble.expect("401")
    trouble.expect("429")
    person.page.goto("/")
    person.log_in("a wrong one")
    expect(person.page.get_by_role("alert")).to_contain_text("Wrong")
    person.log_in()
    expect(person.page.get_by_role("alert")).to_contain_text("Too many failed logins")
    expect(person.page.get_by_role("alert")).to_contain_text("try again in ")

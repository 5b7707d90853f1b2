"""How often a test repeats: enough to notice a fault, or with --long as often as docs/proof.md says."""

from typing import Protocol

import pytest


class Repetitions(Protocol):
    def __call__(self, short: int, long: int) -> int: ...


@pytest.fixture(scope="session")
def repetitions(request: pytest.FixtureRequest) -> Repetitions:
    is_long = request.config.getoption("long")
    return lambda short, long: long if is_long else short

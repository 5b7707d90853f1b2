"""The option --long, for every suite: repeats the repeated tests as often as docs/proof.md says."""

import pytest

from tests.support.repetitions import repetitions


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="repeat as often as docs/proof.md says: takes much longer")

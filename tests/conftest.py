"""For every suite: the usual umask, and --long, which repeats the repeated tests as often as docs/proof.md says."""

import os

import pytest

from tests.support.repetitions import repetitions


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="repeat as often as docs/proof.md says: takes much longer")


def pytest_configure() -> None:
    """The store's files are for nginx's group too; a shell's own umask may forbid that."""
    os.umask(0o022)

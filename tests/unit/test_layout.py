"""Tests do not import from each other: shared code is in tests/support, or in a helper in the same folder."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FOLDERS = {"unit", "e2e", "page", "faults"}
MODULES = [path for folder in [*FOLDERS, "support", "bench"] for path in (TESTS / folder).rglob("*.py")]


def imported(source: str) -> Iterator[list[str]]:
    """The parts of each imported name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ([*(node.module or "").split("."), alias.name] for alias in node.names)


def misplaced(source: str, folder: str) -> list[str]:
    """The imports that a module in `folder` must not have."""
    found = []
    for parts in imported(source):
        foreign = parts[0] == "tests" and len(parts) > 1 and parts[1] in FOLDERS - {folder}
        of_a_test = parts[0] == "tests" and any(part.startswith("test_") for part in parts[1:])
        if foreign or of_a_test:
            found.append(".".join(parts))
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(TESTS)))
def test_no_test_imports_another_or_another_folder(path: Path) -> None:
    assert misplaced(path.read_text(), path.relative_to(TESTS).parts[0]) == []


@pytest.mark.parametrize(
    "source",
    [
        "from tests.unit.test_auth import sign",
        "from tests.unit import test_auth",
        "import tests.unit.test_auth",
        "def f():\n    from tests.e2e.servers import Names",
        "from tests.e2e.conftest import OtherOllama",
    ],
)
def test_what_is_misplaced_is_noticed(source: str) -> None:
    """The control: none of these is allowed in unit."""
    assert misplaced(source, "unit")

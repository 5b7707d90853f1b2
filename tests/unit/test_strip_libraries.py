"""What is taken off the image's shared libraries is nothing that they need."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from api.strip_libraries import stripped

MODULES = ["uvloop.loop", "httptools.parser.parser", "sqlalchemy.util._collections_cy", "pydantic_core._pydantic_core"]


@pytest.mark.parametrize("name", MODULES)
def test_a_stripped_library_is_loaded(name: str, tmp_path: Path) -> None:
    """By the real loader, in a process of its own; it is no larger, and stripping it again changes nothing."""
    original = Path(str(importlib.util.find_spec(name).origin))  # type: ignore[union-attr]
    small = stripped(original.read_bytes())
    assert len(small) <= original.stat().st_size
    assert stripped(small) == small
    (tmp_path / original.name).write_bytes(small)
    load = (
        f"import importlib, importlib.util as u, sys; importlib.import_module({name.rpartition('.')[0]!r}); "
        f"s = u.spec_from_file_location({name!r}, {str(tmp_path / original.name)!r}); "
        "m = u.module_from_spec(s); s.loader.exec_module(m); print(len(dir(m)) > 5)"
    )
    assert subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, check=True).stdout == "True\n"


def test_what_is_no_library_stays() -> None:
    assert stripped(b"no library") == b"no library"

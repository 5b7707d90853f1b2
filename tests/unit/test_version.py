"""pyproject.toml has the version; everything else agrees with it."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_uv_locks_this_version() -> None:
    """`uv lock` was run after the last change."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    assert [package["version"] for package in packages if package["name"] == "localchat"] == [VERSION]


@pytest.mark.parametrize("name", ["package.json", "package-lock.json"])
def test_the_page_has_this_version(name: str) -> None:
    """`npm version --no-git-tag-version` changes both files."""
    assert json.loads((ROOT / "web" / name).read_text())["version"] == VERSION


def test_the_changelog_starts_with_this_version() -> None:
    """A release is described before it is made."""
    assert re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0] == VERSION

"""Clones of the repository on other kinds of machines."""

from pathlib import Path

from tests.support.checkouts import clone_as_on_windows, copy_tree, text_files


def test_a_clone_by_git_for_windows_has_no_carriage_return(tmp_path: Path) -> None:
    """Its core.autocrlf would add them, and a shell in a container would not find `sh\\r`."""
    copy_tree(tmp_path / "source")
    clone_as_on_windows(tmp_path / "source", tmp_path / "clone")
    files = text_files(tmp_path / "clone")
    assert len(files) > 200
    assert [file for file in files if b"\r" in file.read_bytes()] == []


def test_a_clone_by_git_for_windows_changes_no_picture(tmp_path: Path) -> None:
    """Binary files stay the same, byte for byte."""
    copy_tree(tmp_path / "source")
    clone_as_on_windows(tmp_path / "source", tmp_path / "clone")
    pictures = {path.name: path.read_bytes() for path in (tmp_path / "source").rglob("*.png")}
    assert pictures
    assert {path.name: path.read_bytes() for path in (tmp_path / "clone").rglob("*.png")} == pictures

"""Copies and clones of this repository."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def git(folder: Path, *arguments: str) -> str:
    return subprocess.check_output(["git", *arguments], cwd=folder, text=True)


def copy_tree(folder: Path) -> None:
    """The files that the next commit would contain."""
    files = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    for name in filter(None, files):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            target.write_bytes((ROOT / name).read_bytes())
            target.chmod((ROOT / name).stat().st_mode)


def clone_as_on_windows(source: Path, folder: Path) -> None:
    """Clones `source`, a copy of the tree, with the default settings of Git for Windows."""
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    git(source, "init", "--quiet")
    git(source, "add", "--all")
    git(source, *author, "commit", "--quiet", "--message", "test")
    git(source, "-c", "core.autocrlf=true", "clone", "--quiet", str(source), str(folder))


def text_files(folder: Path) -> list[Path]:
    """The files that git treats as text."""
    listed = [line.split("\t") for line in git(folder, "ls-files", "--eol").splitlines()]
    return [folder / name for kind, name in listed if not kind.startswith("i/-text")]

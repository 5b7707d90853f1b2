"""nginx/take-over.sh: a running nginx switches to another configuration and page at once, or keeps its own."""

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "nginx/take-over.sh"
FILES = {
    "nginx.conf": "old",
    "ollama-answers.js": "old",
    "take-over.sh": "old",
    "page/index.html": "old",
    "page/assets/a-1.js": "same",
}
NEXT = {name: "new" for name in FILES if "assets" not in name} | {"page/assets/b-2.js": "new"}


@dataclass
class Running:
    """A stand-in for the container; a process that ends at SIGHUP is its nginx."""

    root: Path
    nginx: subprocess.Popen[bytes]

    def write(self, folder: str, files: dict[str, str]) -> None:
        for name, content in files.items():
            path = self.root / "tmp" / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def take_over(self, check: str = "exit 0") -> int:
        """The script's exit status, with `nginx -t` behaving like this."""
        (self.root / "nginx").write_text(f"#!/bin/sh\n{check}\n")
        (self.root / "nginx").chmod(0o755)
        environment = {"PATH": f"{self.root}:{os.environ['PATH']}", "LOCALCHAT_ROOT": str(self.root)}
        return subprocess.run(["sh", str(SCRIPT)], env=environment, check=False).returncode

    def files(self) -> dict[str, str]:
        folder = self.root / "tmp/nginx"
        paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "nginx.pid"]
        return {str(path.relative_to(folder)): path.read_text() for path in paths}

    def was_told(self) -> bool:
        """Whether nginx got a SIGHUP. Ends it."""
        self.nginx.terminate()
        return self.nginx.wait(5) == -signal.SIGHUP


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    # Not as under nohup, which has its children ignore SIGHUP.
    with subprocess.Popen(["env", "--default-signal=HUP", "sleep", "60"]) as nginx:
        running = Running(tmp_path, nginx)
        running.write("nginx", {**FILES, "nginx.pid": str(nginx.pid)})
        yield running
        nginx.kill()


def test_what_is_new_is_taken_over(running: Running) -> None:
    """The old page's files stay for open tabs."""
    running.write("nginx.next", NEXT)
    assert running.take_over() == 0
    assert running.files() == {**FILES, **NEXT}
    assert running.was_told()


def test_what_is_the_same_changes_nothing(running: Running) -> None:
    """No reload, which would close idle connections."""
    running.write("nginx.next", FILES)
    assert running.take_over() == 0
    assert running.files() == FILES
    assert not running.was_told()


def test_what_nginx_refuses_changes_nothing(running: Running) -> None:
    """The exit status tells scripts/redeploy."""
    running.write("nginx.next", NEXT)
    assert running.take_over("exit 1") == 1
    assert running.files() == FILES
    assert not running.was_told()


@pytest.mark.parametrize("changed", FILES)
def test_a_change_of_any_file_is_noticed(running: Running, changed: str) -> None:
    """The page's files too."""
    running.write("nginx.next", {**FILES, changed: "changed"})
    running.take_over()
    assert running.files()[changed] == "changed"
    assert running.was_told()

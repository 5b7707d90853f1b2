"""How scripts/up reads and writes .env (scripts/lib/settings.sh), as far as testable without Docker."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def with_settings_file(folder: Path, content: str, command: str, **shell: str) -> subprocess.CompletedProcess[str]:
    """Runs `command` with this content in .env."""
    (folder / ".env").write_text(content, newline="")
    script = f"set -euo pipefail; for part in say settings; do source {ROOT}/scripts/lib/$part.sh; done; {command}"
    environment = {"PATH": os.environ["PATH"], **shell}
    return subprocess.run(["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True)  # noqa: PLW1510


@pytest.mark.parametrize(
    "line",
    [
        "ADMIN_PASSWORD=K$xyz",
        'ADMIN_PASSWORD="K$xyz"',
        "ADMIN_PASSWORD=K$$xyz",
        "ADMIN_PASSWORD=K${xyz}",
        "ADMIN_PASSWORD=one #two",
        "ADMIN_PASSWORD=one\t#two",
        r'ADMIN_PASSWORD="one\two"',
        "export ADMIN_PASSWORD=K$xyz",
        "  ADMIN_PASSWORD = K$xyz",
        "ADMIN_PASSWORD: K$xyz",
        "ADMIN_PASSWORD=K$xyz\r",
        "\ufeffADMIN_PASSWORD=K$xyz",
        "ADMIN_PASSWORD=first\nADMIN_PASSWORD=K$xyz",
        "SECRET_KEY=0123456789abcdef0123456789$xyz",
        "ADMIN_EMAIL=me@$host",
    ],
)
def test_a_secret_that_compose_would_change_is_refused(tmp_path: Path, line: str) -> None:
    """`K$xyz` would become `K`, and `K` would log in."""
    name = next(name for name in ("ADMIN_PASSWORD", "SECRET_KEY", "ADMIN_EMAIL") if name in line)
    done = with_settings_file(tmp_path, f"{line}\n", "refuse_changed_secrets")
    assert done.returncode == 1
    assert f"{name}='…'" in done.stderr
    assert "xyz" not in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# ADMIN_PASSWORD=K$xyz",
        "ADMIN_PASSWORD='K$xyz'",
        "ADMIN_PASSWORD='K$xyz # \"y' # a comment",
        r"ADMIN_PASSWORD='it\'s'",
        "ADMIN_PASSWORD=plain",
        "ADMIN_PASSWORD=pl#ain",
        'ADMIN_PASSWORD="with blanks"',
        r"ADMIN_PASSWORD=back\slash",
        "ADMIN_PASSWORD=K$xyz\nADMIN_PASSWORD='K$xyz'",
        "BIND=$ADDRESS:8000",
    ],
)
def test_a_secret_that_arrives_as_it_is_written_is_taken(tmp_path: Path, line: str) -> None:
    """Single quotes preserve everything; other settings may contain variables."""
    assert with_settings_file(tmp_path, f"{line}\r\n", "refuse_changed_secrets").returncode == 0


def test_the_shell_wins_over_the_file(tmp_path: Path) -> None:
    """Its value reaches the container unchanged, so the line in the file does not matter."""
    done = with_settings_file(tmp_path, "ADMIN_PASSWORD=K$xyz\n", "refuse_changed_secrets", ADMIN_PASSWORD="a$b #c")
    assert done.returncode == 0


@pytest.mark.parametrize("content", ["A=1", "A=1\n", "A=1\r\n", ""])
def test_what_is_remembered_has_a_line_of_its_own(tmp_path: Path, content: str) -> None:
    """Even if the file does not end with a newline."""
    with_settings_file(tmp_path, content, "remember NODE_IMAGE", NODE_IMAGE="mine/node:24")
    assert (tmp_path / ".env").read_text().splitlines() == [*content.splitlines(), "NODE_IMAGE=mine/node:24"]


def test_what_is_written_stays(tmp_path: Path) -> None:
    """The user's choice, in any spelling that Compose reads."""
    content = "export NODE_IMAGE = 'mine/node:24'\n"
    with_settings_file(tmp_path, content, "remember NODE_IMAGE", NODE_IMAGE="another/node:24")
    assert (tmp_path / ".env").read_text() == content

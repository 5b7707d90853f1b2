"""Schemathesis sends what the OpenAPI description allows, and what it does not: with --long 10,000 cases."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import PASSWORD, uvicorn
from tests.faults.gateway import Gateway
from tests.support.fake_ollama import Answer, FakeOllama, Request
from tests.support.fixtures import StackBeforeFake
from tests.support.repetitions import Repetitions
from tests.support.stack import ROOT, Stack

SEED = 20_261_124
CONFIG = ROOT / "tests/faults/schemathesis.toml"
# For each operation with parameters or a body: four of the six.
FEW_PER_OPERATION = 250
MANY_PER_OPERATION = 2_550
# Random logins fail, as they should; throttled with 429 they would test nothing, and affect later tests.
SETTINGS = {"ADMIN_EMAIL": "admin@local", "ADMIN_PASSWORD": PASSWORD, "LOGIN_FAILURES_PER_MINUTE": "1000000"}
CHUNK = (
    b'{"model":"m","created_at":"2026-11-24T00:00:00Z",'
    b'"message":{"role":"assistant","content":"Hi"},"done":true,"done_reason":"stop"}\n'
)
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


def as_ollama_would(request: Request) -> Answer:
    """200, with the requested type."""
    if request.method == "GET":
        return Answer(200, JSON, (b'{"models":[]}',), "complete")
    streams = json.loads(request.body).get("stream") is not False
    return Answer(200, NDJSON if streams else JSON, (CHUNK,), "complete")


@pytest.fixture
def ollama(ollama: FakeOllama) -> FakeOllama:
    ollama.otherwise = as_ollama_would
    return ollama


@pytest.fixture(scope="module")
def stack(running_before_fake_ollama: StackBeforeFake) -> Iterator[Stack]:
    """nginx and the API, only for this module: see SETTINGS."""
    with running_before_fake_ollama(**SETTINGS) as running:
        yield running


def report_of(gateway: Gateway, folder: Path, cases_per_operation: int) -> dict[str, Any]:
    """Schemathesis' findings at `gateway`."""
    report = folder / "report.json"
    done = subprocess.run(
        [
            *("schemathesis", "--config-file", str(CONFIG), "run", f"{gateway.url}/openapi.json"),
            *("--seed", str(SEED), "--max-examples", str(cases_per_operation)),
            *("--report", "json", "--report-json-path", str(report), "--no-color"),
        ],
        cwd=folder,
        env=os.environ | {"LOCALCHAT_TOKEN": gateway.token},
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout, done.stderr)
    facts: dict[str, Any] = json.loads(report.read_text())
    return facts


def findings(report: dict[str, Any]) -> list[str]:
    return [f"{failure['title']}: {failure['operations']}" for failure in report["failures"]]


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("ollama")
def test_what_the_description_names_is_all_that_is_answered(
    stack: Stack, tmp_path: Path, repetitions: Repetitions
) -> None:
    """No 5xx, no hang, and each response has a described status, type and format."""
    cases_per_operation = repetitions(short=FEW_PER_OPERATION, long=MANY_PER_OPERATION)
    report = report_of(Gateway(stack.url, "admin@local", PASSWORD), tmp_path, cases_per_operation)
    assert findings(report) == []
    assert (report["complete"], report["errors"], report["operations"]["errored"]) == (True, [], 0)
    # All but /logout: see schemathesis.toml.
    assert report["operations"]["tested"] == report["operations"]["total"] - 1
    assert report["test_cases"]["generated"] >= 4 * cases_per_operation


@pytest.mark.usefixtures("ollama")
def test_the_api_alone_answers_alike(fake_ollama_on_the_host: FakeOllama, tmp_path: Path) -> None:
    """Without nginx too."""
    settings = {"LOGIN_FAILURES_PER_MINUTE": "1000000", "OLLAMA_URL": fake_ollama_on_the_host.url}
    with uvicorn("api.main:app", tmp_path, **settings) as gateway:
        report = report_of(gateway, tmp_path, FEW_PER_OPERATION)
    assert findings(report) == []
    assert report["test_cases"]["generated"] >= 4 * FEW_PER_OPERATION


@pytest.mark.usefixtures("ollama")
def test_the_naive_gateway_fails(naive: Gateway, tmp_path: Path) -> None:
    """The control: few cases find its 500s."""
    assert any("Server error" in finding for finding in findings(report_of(naive, tmp_path, FEW_PER_OPERATION)))

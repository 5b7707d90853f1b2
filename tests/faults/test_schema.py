"""What the OpenAPI description allows, and what it does not, sent by schemathesis: 10,000 cases and more."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import StackBeforeFake
from tests.e2e.stack import ROOT, Stack
from tests.fake_ollama import Answer, FakeOllama, Request
from tests.faults.conftest import PASSWORD, uvicorn
from tests.faults.door import Door

SEED = 20_261_124
CONFIG = ROOT / "tests/faults/schemathesis.toml"
CASES = 10_000
# Of each operation that takes anything: four of the six.
CASES_PER_OPERATION = 2_550
# To see that the control fails, and that the API alone does not, takes fewer.
FEW_PER_OPERATION = 250
# Random logins fail, as they should; held back by 429 they would test nothing, and hold back the tests to come.
SETTINGS = {"ADMIN_EMAIL": "admin@local", "ADMIN_PASSWORD": PASSWORD, "LOGIN_FAILURES_PER_MINUTE": "1000000"}
CHUNK = (
    b'{"model":"m","created_at":"2026-11-24T00:00:00Z",'
    b'"message":{"role":"assistant","content":"Hi"},"done":true,"done_reason":"stop"}\n'
)
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


def as_ollama_would(request: Request) -> Answer:
    """200, of the type that was asked for."""
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
    """nginx and the API, of this module alone: see SETTINGS."""
    with running_before_fake_ollama(**SETTINGS) as running:
        yield running


def report_of(door: Door, folder: Path, cases_per_operation: int) -> dict[str, Any]:
    """What schemathesis found at `door`."""
    report = folder / "report.json"
    done = subprocess.run(
        [
            *("schemathesis", "--config-file", str(CONFIG), "run", f"{door.url}/openapi.json"),
            *("--seed", str(SEED), "--max-examples", str(cases_per_operation)),
            *("--report", "json", "--report-json-path", str(report), "--no-color"),
        ],
        cwd=folder,
        env=os.environ | {"LOCALCHAT_TOKEN": door.token},
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
def test_ten_thousand_cases_find_nothing(stack: Stack, tmp_path: Path) -> None:
    """No 5xx, no hang, and each answer has a status, a type and a shape that the description names."""
    report = report_of(Door(stack.url, "admin@local", PASSWORD), tmp_path, CASES_PER_OPERATION)
    assert findings(report) == []
    assert (report["complete"], report["errors"], report["operations"]["errored"]) == (True, [], 0)
    assert report["operations"]["tested"] == report["operations"]["total"]
    assert report["test_cases"]["generated"] >= CASES


@pytest.mark.usefixtures("ollama")
def test_the_api_alone_answers_alike(fake_ollama_on_the_host: FakeOllama, tmp_path: Path) -> None:
    """Without nginx the description holds too."""
    settings = {"LOGIN_FAILURES_PER_MINUTE": "1000000", "OLLAMA_URL": fake_ollama_on_the_host.url}
    with uvicorn("api.main:app", tmp_path, **settings) as door:
        report = report_of(door, tmp_path, FEW_PER_OPERATION)
    assert findings(report) == []
    assert report["test_cases"]["generated"] >= 4 * FEW_PER_OPERATION


@pytest.mark.usefixtures("ollama")
def test_the_naive_gateway_fails(naive: Door, tmp_path: Path) -> None:
    """The control: a twentieth of the cases finds its 500s."""
    assert any("Server error" in finding for finding in findings(report_of(naive, tmp_path, FEW_PER_OPERATION)))

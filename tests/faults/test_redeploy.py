"""scripts/redeploy puts another build in the place of the running one, and nobody notices."""

import os
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.e2e.stack import ROOT, Stack
from tests.fake_ollama import FakeOllama
from tests.faults.door import Door
from tests.faults.load import Load
from tests.faults.test_kills import answer

TIMES = 20


@pytest.fixture
def load(stack: Stack, ollama: FakeOllama) -> Iterator[Load]:
    """50 streams, 50 requests and an upload a second, running."""
    ollama.otherwise = answer
    door = Door(stack.url, stack.email, stack.password)
    with Load(door, streams=50, requests_per_second=25, uploads_per_second=1) as load:
        load.wait_until_it_runs()
        yield load


def redeploy(stack: Stack, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {"COMPOSE_PROJECT_NAME": stack.project, "COMPOSE_ENV_FILES": stack.env_file, **settings}
    command = [str(ROOT / "scripts/redeploy")]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


@pytest.mark.timeout(900)
def test_twenty_redeploys_drop_nothing(stack: Stack, load: Load) -> None:
    """No request fails, no stream is cut, no upload is lost; each time there is one API, another than before."""
    seen = [stack.inspect("api")["Id"]]
    took = []
    for number in range(TIMES):
        started = time.monotonic()
        # Another limit each time, so that nginx gets another configuration too.
        done = redeploy(stack, MAX_BODY_MB=str(1 + number % 2))
        assert done.returncode == 0, done.stdout + done.stderr
        took.append(time.monotonic() - started)
        seen.append(stack.inspect("api")["Id"])
        assert load.failures == []
    print(f"{TIMES} redeploys, {sorted(took)[TIMES // 2]:.1f} s each; under them {load.done}")
    assert len(set(seen)) == TIMES + 1


def test_a_plain_recreate_drops_some(stack: Stack, load: Load) -> None:
    """The control: the load notices what is dropped."""
    stack.run("up", "--detach", "--wait", "--force-recreate", "nginx", "api")
    assert load.of_kind("stream")
    assert load.of_kind("request")


@pytest.mark.timeout(120)
def test_a_build_that_does_not_start_changes_nothing(stack: Stack, load: Load) -> None:
    """The old API goes on, and the script says why."""
    before = stack.inspect("api")["Id"]
    done = redeploy(stack, ACCESS_TOKEN_EXPIRE_MINUTES="-1")
    assert done.returncode == 1
    assert "ACCESS_TOKEN_EXPIRE_MINUTES" in done.stdout + done.stderr
    assert "the old one still runs" in done.stderr
    assert stack.inspect("api")["Id"] == before
    assert load.failures == []

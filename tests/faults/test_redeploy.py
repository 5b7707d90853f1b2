"""scripts/redeploy puts another build in the place of the running one, and nobody notices."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.stack import ROOT, Stack
from tests.e2e.test_scripts import copy_tree
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


def environment_of(stack: Stack, **settings: str) -> dict[str, str]:
    return os.environ | {"COMPOSE_PROJECT_NAME": stack.project, "COMPOSE_ENV_FILES": stack.env_file, **settings}


def redeploy(stack: Stack, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = environment_of(stack, **settings)
    command = [str(ROOT / "scripts/redeploy")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


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


@pytest.fixture
def changed_page(tmp_path: Path) -> Path:
    """A copy of the repository in which nothing but the page is another."""
    copy_tree(tmp_path)
    if certificates := os.environ.get("EXTRA_CA_FILE"):
        shutil.copy(ROOT / certificates, tmp_path)
    index, script = tmp_path / "web/index.html", tmp_path / "web/src/main.tsx"
    index.write_text(index.read_text().replace("<title>", "<title>Another "))
    script.write_text(script.read_text() + 'console.debug("another build");\n')
    return tmp_path


def page_of(stack: Stack) -> tuple[str, dict[str, bytes]]:
    """The page, and the files that it names by path. Fails when it names one that is not there."""
    index = httpx.get(stack.url, headers={"Accept": "text/html"}).raise_for_status().text
    paths = re.findall(r'"(/assets/[^"]+)"', index)
    return index, {path: httpx.get(stack.url + path).raise_for_status().content for path in paths}


@pytest.mark.timeout(120)
def test_a_redeploy_brings_the_new_page(stack: Stack, load: Load, changed_page: Path, tmp_path: Path) -> None:
    """At each moment all that the page names is there; the old files stay, for a tab that is open may ask for them."""
    old, old_files = page_of(stack)
    log = tmp_path / "redeploy.log"
    with log.open("wb") as output:
        command = [str(changed_page / "scripts/redeploy")]
        redeploying = subprocess.Popen(command, env=environment_of(stack), stdout=output, stderr=output)
        while redeploying.poll() is None:
            page_of(stack)
    assert redeploying.returncode == 0, log.read_text()

    new, new_files = page_of(stack)
    assert ("<title>Another " in old, "<title>Another " in new) == (False, True)
    assert b"another build" in b"".join(new_files.values())
    for path, content in old_files.items():
        for encoding in ["identity", "gzip"]:
            assert httpx.get(stack.url + path, headers={"Accept-Encoding": encoding}).content == content
    assert load.failures == []

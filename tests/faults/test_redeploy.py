"""scripts/redeploy replaces the running build without anybody noticing."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.databases import DATABASE, put_back_database
from tests.faults.gateway import Gateway
from tests.faults.load import Load, answer
from tests.support.checkouts import copy_tree
from tests.support.fake_ollama import FakeOllama
from tests.support.repetitions import Repetitions
from tests.support.stack import ROOT, Stack, until


@pytest.fixture
def load(stack: Stack, ollama: FakeOllama) -> Iterator[Load]:
    """A running load: 50 streams; 50 requests, five large chats and an upload a second."""
    ollama.otherwise = answer
    gateway = Gateway(stack.url, stack.email, stack.password)
    with Load(gateway, streams=50, requests_per_second=25, uploads_per_second=1, large_chats_per_second=5) as load:
        load.wait_until_it_runs()
        yield load


def environment_of(stack: Stack, **settings: str) -> dict[str, str]:
    return os.environ | {"COMPOSE_PROJECT_NAME": stack.project, "COMPOSE_ENV_FILES": stack.env_file, **settings}


def redeploy(stack: Stack, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = environment_of(stack, **settings)
    command = [str(ROOT / "scripts/redeploy")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.timeout(900)
def test_redeploys_drop_nothing(stack: Stack, load: Load, repetitions: Repetitions) -> None:
    """No request fails, no stream is cut, no upload is lost; each time there is one API container, a new one."""
    times = repetitions(short=3, long=20)
    seen = [stack.inspect("api")["Id"]]
    took = []
    for number in range(times):
        started = time.monotonic()
        # Another limit each time, so that nginx's configuration changes too.
        done = redeploy(stack, MAX_BODY_MB=str(1 + number % 2))
        assert done.returncode == 0, done.stdout + done.stderr
        took.append(time.monotonic() - started)
        seen.append(stack.inspect("api")["Id"])
        assert load.failures == []
    print(f"{times} redeploys, {sorted(took)[times // 2]:.1f} s each; under them {load.done}")
    assert len(set(seen)) == times + 1


def test_a_plain_recreate_drops_some(stack: Stack, load: Load) -> None:
    """The control: the load notices drops."""
    stack.run("up", "--detach", "--wait", "--force-recreate", "nginx", "api")
    assert load.of_kind("stream")
    assert load.of_kind("request")


@pytest.mark.timeout(120)
def test_a_build_that_does_not_start_changes_nothing(stack: Stack, load: Load) -> None:
    """The old API keeps running, and the script says why."""
    before = stack.inspect("api")["Id"]
    done = redeploy(stack, ACCESS_TOKEN_EXPIRE_MINUTES="-1")
    assert done.returncode == 1
    assert "ACCESS_TOKEN_EXPIRE_MINUTES" in done.stdout + done.stderr
    assert "the old one is still running" in done.stderr
    assert stack.inspect("api")["Id"] == before
    assert load.failures == []


@pytest.mark.timeout(300)
def test_a_build_that_starts_and_does_not_answer_changes_nothing(stack: Stack, load: Load) -> None:
    """nginx is not pointed to it: the old API serves on, also during the wait for the new one."""
    before = stack.inspect("api")["Id"]
    done = redeploy(stack, WEB_CONCURRENCY="0")
    assert done.returncode == 1
    assert "the old one is still running" in done.stderr
    assert stack.inspect("api")["Id"] == before
    assert load.failures == []


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the repository that can be built."""
    copy_tree(tmp_path)
    if certificates := os.environ.get("EXTRA_CA_FILE"):
        shutil.copy(ROOT / certificates, tmp_path)
    return tmp_path


NEXT_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{newest}"


def upgrade() -> None:
    op.create_table("more", sa.Column("id", sa.Text, primary_key=True))
    op.add_column("account", sa.Column("more", sa.Text))
"""


@pytest.mark.timeout(120)
def test_a_redeploy_crosses_a_migration(stack: Stack, load: Load, copy: Path, request: pytest.FixtureRequest) -> None:
    """The old API works on with the new tables until it is replaced; people, keys and streams are kept."""
    with stack.client() as admin:
        key = {"name": "kept", "expires_in_days": None, "scopes": ["chat"]}
        kept = admin.post("/keys", json=key).raise_for_status().json()["key"]
    versions = copy / "api/database/migrations/versions"
    newest = max(path.name for path in versions.glob("0*.py"))[:4]
    (versions / "9999_next.py").write_text(NEXT_MIGRATION.format(newest=newest))
    command = [str(copy / "scripts/redeploy")]
    done = subprocess.run(command, env=environment_of(stack), capture_output=True, text=True, check=False)
    request.addfinalizer(lambda: put_back_database(stack, f"{DATABASE}.before-9999"))
    assert done.returncode == 0, done.stdout + done.stderr
    files = stack.run("exec", "--no-TTY", "api", "ls", "/data/state").split()
    assert "localchat.sqlite.before-9999" in files
    assert httpx.get(f"{stack.url}/files/none", headers={"X-Api-Key": kept}).status_code == 404
    assert load.failures == []


@pytest.fixture
def changed_page(copy: Path) -> Path:
    """The same with a different page."""
    index, script = copy / "web/index.html", copy / "web/src/main.tsx"
    index.write_text(index.read_text().replace("<title>", "<title>Another "))
    script.write_text(script.read_text() + 'console.debug("another build");\n')
    return copy


def page_of(stack: Stack) -> tuple[str, dict[str, bytes]]:
    """The page, and the files that it names by path. Fails if one is missing."""
    index = httpx.get(stack.url, headers={"Accept": "text/html"}).raise_for_status().text
    paths = re.findall(r'"(/assets/[^"]+)"', index)
    return index, {path: httpx.get(stack.url + path).raise_for_status().content for path in paths}


@pytest.mark.timeout(120)
def test_a_redeploy_brings_the_new_page(stack: Stack, load: Load, changed_page: Path, tmp_path: Path) -> None:
    """All files that the page names exist at any moment; the old ones stay for open tabs."""
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


def refusal_of(stack: Stack) -> str:
    """The error for a stranger; empty while nginx is being replaced."""
    try:
        return httpx.get(f"{stack.url}/models").text
    except httpx.TransportError:
        return ""


@pytest.mark.timeout(120)
def test_watch_brings_a_change_to_the_api(stack: Stack, copy: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """`docker compose watch`, as in CONTRIBUTING.md: within seconds of a save the API runs the new code."""
    log = tmp_path_factory.mktemp("watch") / "log"
    errors = copy / "api/errors.py"
    with log.open("wb") as output:
        command = ["docker", "compose", "watch", "--no-up"]
        watching = subprocess.Popen(command, cwd=copy, env=environment_of(stack), stdout=output, stderr=output)
        try:
            until(lambda: "Watch enabled" in log.read_text(), "it watches")
            errors.write_text(errors.read_text().replace("A valid bearer token", "A watched bearer token"))
            until(lambda: "A watched bearer" in refusal_of(stack), "the change is there", 60)
        finally:
            watching.terminate()
            watching.wait(20)

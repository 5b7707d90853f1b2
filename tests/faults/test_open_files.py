"""Docker 29 allows a container 1,024 open files, a soft limit: 1,500 streams need more."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.faults.gateway import Gateway
from tests.support.fake_ollama import FakeOllama
from tests.support.fixtures import StackBeforeFake
from tests.support.stack import Stack

STREAMS = 1_500
OVERLAY = """
services:
  nginx: &limited { ulimits: { nofile: { soft: 1024, hard: 16384 } } }
  api: *limited
"""


@pytest.fixture(scope="module")
def docker_29(running_before_fake_ollama: StackBeforeFake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    overlay = tmp_path_factory.mktemp("docker-29") / "ulimits.yml"
    overlay.write_text(OVERLAY)
    with running_before_fake_ollama(overlay) as running:
        yield running


@pytest.fixture
def stack(docker_29: Stack) -> Stack:
    return docker_29


def test_1500_streams_at_once_though_a_container_starts_with_1024_files(stack: Stack, ollama: FakeOllama) -> None:
    """Each gets its first chunk while all others are still open."""
    hold = ollama.gate()
    ollama.answer_always(lambda: [b'{"done":false}\n', hold, b'{"done":true}\n'])
    gateway = Gateway(stack.url, stack.email, stack.password)
    try:
        assert asyncio.run(open_streams(gateway)) == {b"HTTP/1.1 200": STREAMS}
    finally:
        hold.open()


def test_the_limit_is_what_the_containers_are_started_with(stack: Stack) -> None:
    """The control: the containers start with 1,024; nginx's and the API's workers have more."""
    for service, program in {"nginx": "[n]ginx: worker", "api": "[g]unicorn"}.items():
        assert stack.inspect(service)["HostConfig"]["Ulimits"] == [{"Name": "nofile", "Soft": 1024, "Hard": 16384}]
        script = (
            f"for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline | grep -q '{program}' && cat $p/limits; done; true"
        )
        limits = stack.run("exec", "--no-TTY", service, "sh", "-c", script)
        soft = {line.split()[3] for line in limits.splitlines() if line.startswith("Max open files")}
        assert soft
        assert "1024" not in soft


async def open_streams(gateway: Gateway) -> Counter[bytes]:
    """The first lines of the answers, read while all are open."""
    parts = urlsplit(gateway.url)
    body = b'{"model":"m","messages":[]}'
    headers = f"Host: x\r\nAuthorization: Bearer {gateway.token}\r\nContent-Length: {len(body)}\r\n"
    head = f"POST /chat HTTP/1.1\r\n{headers}\r\n"
    first_lines: Counter[bytes] = Counter()
    writers = []
    for _ in range(STREAMS):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(head.encode() + body)
        first_lines[(await asyncio.wait_for(reader.readline(), 30))[:12]] += 1
        writers.append(writer)
    for writer in writers:
        writer.close()
    return first_lines

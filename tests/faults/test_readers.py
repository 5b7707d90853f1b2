"""A client that stops reading is held back by TCP: it costs no memory or disk, and eventually Ollama is released."""

import re
import time
from collections.abc import Iterator

import pytest

from tests.faults.gateway import Gateway, read_until
from tests.support.fake_ollama import FakeOllama
from tests.support.stack import ROOT, Stack

MEBIBYTE = 1024 * 1024
STREAM_MB = 300
GROWTH_MB = 20
SEND_TIMEOUT_SECONDS = 60  # send_timeout in nginx.conf
BLOCK = b"x" * 65_535 + b"\n"
CGROUP = "/sys/fs/cgroup/memory"
MEMORY_OF_THE_CONTAINER = f"cat {CGROUP}.current 2>/dev/null || cat {CGROUP}/memory.usage_in_bytes"


class Endless:
    """A stream of 300 MB, and how much of it Ollama could send."""

    sent = 0

    def __call__(self) -> Iterator[bytes]:
        while self.sent < STREAM_MB * MEBIBYTE:
            self.sent += len(BLOCK)
            yield BLOCK


def memory_mb(stack: Stack, service: str) -> float:
    """The whole container's memory, including files on tmpfs."""
    return int(stack.run("exec", "--no-TTY", service, "sh", "-c", MEMORY_OF_THE_CONTAINER)) / MEBIBYTE


def files_of_nginx(stack: Stack) -> list[str]:
    """The files it has written next to its configuration."""
    return stack.run("exec", "--no-TTY", "nginx", "find", "/tmp/nginx/proxy", "/tmp/nginx/body", "-type", "f").split()


def settled(stream: Endless) -> int:
    """The amount sent once nothing more has been sent for a second."""
    while True:
        before, until = stream.sent, time.monotonic() + 1
        while time.monotonic() < until and stream.sent == before:
            time.sleep(0.05)
        if stream.sent == before:
            return before


@pytest.mark.timeout(120)
def test_a_stalled_reader_costs_nothing_and_frees_ollama(stack: Stack, ollama: FakeOllama) -> None:
    """The memory of nginx and API grows by at most 20 MB; after the send timeout Ollama's connection is closed."""
    endless = Endless()
    ollama.answer_always(endless)
    before = memory_mb(stack, "nginx") + memory_mb(stack, "api")
    with Gateway(stack.url, stack.email, stack.password).start_chat() as reader:
        read_until(reader, b"x")
        sent = settled(endless)
        stalled_at = time.monotonic()
        grown = memory_mb(stack, "nginx") + memory_mb(stack, "api") - before
        print(f"held back after {sent / MEBIBYTE:.1f} of {STREAM_MB} MB; memory {grown:+.1f} MB")
        assert sent < STREAM_MB * MEBIBYTE / 2
        assert grown <= GROWTH_MB
        assert files_of_nginx(stack) == []
        connection = ollama.requests[0].connection
        while connection.closed_at is None:
            assert time.monotonic() - stalled_at < SEND_TIMEOUT_SECONDS + 10
            time.sleep(0.1)
        print(f"Ollama is released after {connection.closed_at - stalled_at:.0f} s")


def test_the_api_alone_holds_a_stalled_reader_back(alone: Gateway, ollama: FakeOllama) -> None:
    """Without nginx there is no send timeout, but nothing is buffered either: Ollama waits."""
    endless = Endless()
    ollama.answer_always(endless)
    with alone.start_chat() as reader:
        read_until(reader, b"x")
        assert settled(endless) < STREAM_MB * MEBIBYTE / 2
    ollama.requests[0].connection.wait_until_closed()


def test_the_send_timeout_is_nginxs() -> None:
    """The number above matches the configuration."""
    (seconds,) = re.findall(r"^\s+send_timeout (\d+)s;", (ROOT / "nginx/nginx.conf").read_text(), re.MULTILINE)
    assert int(seconds) == SEND_TIMEOUT_SECONDS

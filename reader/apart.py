"""Reads a document in a process of its own: with limits, as long as somebody waits for it, and never twice in one."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from reader.answers import MAX_ANSWER_BYTES, Question, Reading, Reason, Unreadable, reading_in

ROOT = Path(__file__).parents[1]
# Where a process can give up everything, see surrender.py. Without that no document is read.
CAN_SURRENDER = sys.platform == "linux"
# Nothing of ours, which has secrets. One arena, because each reserves 64 MB of what the limit counts.
ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"}
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Of one reading. `memory_bytes` come on top of the 20 to 50 MB that a process has before it begins."""

    # Two of them, and the service itself, fit in its 512 MB.
    memory_bytes: int = 160 * MEBIBYTE
    # With the wait for a turn below the 60 s that nginx waits for the API.
    seconds: int = 30


class Apart:
    """Reads at most `at_once` documents at the same time."""

    def __init__(self, limits: Limits | None = None, at_once: int = 2, wait_seconds: float = 20) -> None:
        self._limits = limits or Limits()
        self._turns = asyncio.Semaphore(at_once)
        self._wait_seconds = wait_seconds

    async def read(self, file: int, question: Question) -> Reading:
        """`file` is the descriptor of the document, which stays open. Raises Unreadable."""
        return reading_in(await self.answer(file, question))

    async def answer(self, file: int, question: Question) -> bytes:
        """The line with the reading or the reason for none. Raises Unreadable."""
        if not CAN_SURRENDER:
            raise Unreadable(Reason.NOT_LINUX)
        async with self._turn():
            return await _answer(file, question, self._limits)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Unreadable(Reason.BUSY) from error
        try:
            yield
        finally:
            self._turns.release()


async def _answer(file: int, question: Question, limits: Limits) -> bytes:
    command = (sys.executable, "-s", "-m", "reader.child", question.line().decode(), json.dumps(asdict(limits)))
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=file,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=ROOT,
        env=ENVIRONMENT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(limits.seconds):
            answer = await line_of(process.stdout)
            status = await process.wait()
    except TimeoutError as error:
        raise Unreadable(Reason.SLOW) from error
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.shield(process.wait())
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        raise Unreadable(Reason.SLOW if status == -signal.SIGXCPU else Reason.TOO_LARGE)
    if status != 0 or not answer.endswith(b"\n"):
        raise Unreadable(Reason.BROKEN)
    return answer


async def line_of(stream: asyncio.StreamReader | None) -> bytes:
    """All that is sent, which has to be one answer. Raises Unreadable for more."""
    assert stream is not None  # noqa: S101  It is a pipe or a socket.
    chunks: list[bytes] = []
    size = 0
    while chunk := await stream.read(MEBIBYTE):
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            raise Unreadable(Reason.BROKEN)
        chunks.append(chunk)
    return b"".join(chunks)

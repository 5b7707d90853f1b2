"""A scripted Ollama: sends the answers that a test has enqueued, faults included, and records every request.

    with FakeOllama() as ollama:
        gate = ollama.gate()
        ollama.enqueue(b'{"done":false}\\n', gate, b'{"done":true}\\n')  # the last line waits for gate.open()

For faults, pacing and load: what a real Ollama cannot be made to do on demand.
"""

import asyncio
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Self

NDJSON = {"Content-Type": "application/x-ndjson"}

# What follows the last chunk: the end of the body, a closed or a reset connection, or silence.
Ending = Literal["complete", "close", "reset", "silence"]
DEADLINE_SECONDS = 5
MAX_HEAD_BYTES = 65_536


def wait_until(is_so: Callable[[], object], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Returns as soon as `is_so()`; fails after `seconds`, naming `what` did not happen."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"within {seconds} s this did not happen: {what}"
        time.sleep(0.002)


@dataclass
class Connection:
    """When the client closed it, by time.monotonic(); None while it is open."""

    closed_at: float | None = None

    def wait_until_closed(self) -> float:
        wait_until(lambda: self.closed_at is not None, "the client closes its connection to Ollama")
        assert self.closed_at is not None
        return self.closed_at


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]  # lower-case names
    body: bytes
    connection: Connection


class Gate:
    """Holds an answer back until it is opened."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._opened = asyncio.Event()

    def open(self) -> None:
        self._loop.call_soon_threadsafe(self._opened.set)

    async def passed(self) -> None:
        await self._opened.wait()


# Bytes are a chunk; a number is a pause in seconds.
Step = bytes | float | Gate


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str] | None  # None: no status line either
    steps: Iterable[Step]
    ending: Ending


NO_ANSWER = Answer(500, {}, (b"the test enqueued no answer",), "complete")


@dataclass
class FakeOllama:
    """Runs in its own thread, on a random port of `host`."""

    host: str = "127.0.0.1"
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    answers: deque[Answer] = field(default_factory=deque)
    # What GET /api/status says about Ollama's cloud. It is answered outside the script and not recorded.
    cloud_is_off: bool = True
    # Answers requests while nothing is enqueued.
    otherwise: Callable[[Request], Answer] = lambda _: NO_ANSWER

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def gate(self) -> Gate:
        return Gate(self._loop)

    def enqueue(
        self, *steps: Step, status: int = 200, headers: Mapping[str, str] = NDJSON, ending: Ending = "complete"
    ) -> None:
        """Enqueues an answer: chunked, or raw if `headers` has a Content-Length."""
        self.answers.append(Answer(status, headers, steps, ending))

    def answer_always(self, steps: Callable[[], Iterable[Step]], headers: Mapping[str, str] = NDJSON) -> None:
        """Answers every request for which nothing is enqueued, until forget()."""
        self.otherwise = lambda _: Answer(200, headers, steps(), "complete")

    def enqueue_no_answer(self, ending: Ending) -> None:
        """Enqueues `ending` instead of a first byte."""
        self.answers.append(Answer(0, None, (), ending))

    def enqueue_raw(self, *steps: Step, ending: Ending = "complete") -> None:
        """Enqueues these bytes as the complete answer: head, framing and body."""
        self.answers.append(Answer(0, None, steps, ending))

    def wait_for_request(self) -> Request:
        wait_until(lambda: self.requests, f"a request reaches the fake Ollama at {self.url}")
        return self.requests[-1]

    def forget(self) -> None:
        self.requests.clear()
        self.answers.clear()
        self.otherwise = lambda _: NO_ANSWER
        self.cloud_is_off = True

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._open: set[_Wire] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-ollama")
        self._thread.start()
        # In its own thread: this one may already run a loop, as with Playwright.
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        self._server = await self._loop.create_server(lambda: _Wire(self, self._open), self.host)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        for wire in list(self._open):
            wire.abort()
        await asyncio.sleep(0)  # lets the transports close


class _Wire(asyncio.Protocol):
    """One connection; its requests are answered in turn."""

    def __init__(self, ollama: FakeOllama, opened: set["_Wire"]) -> None:
        self._ollama = ollama
        self._opened = opened
        self._received = bytearray()
        self._connection = Connection()
        self._answering: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._opened.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._connection.closed_at = self._connection.closed_at or time.monotonic()
        self._opened.discard(self)
        if self._answering:
            self._answering.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES)
        if end < 0:
            return
        first, *lines = self._received[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        start, length = end + 4, int(headers.get("content-length", 0))
        if len(self._received) < start + length:
            return
        body = bytes(self._received[start : start + length])
        del self._received[: start + length]
        method, path, _ = first.split(" ")
        answer = self._answer_to(Request(method, path, headers, body, self._connection))
        self._answering = asyncio.get_running_loop().create_task(self._answer(answer))

    def _answer_to(self, request: Request) -> Answer:
        if request.path == "/api/status":
            status = json.dumps({"cloud": {"disabled": self._ollama.cloud_is_off, "source": "env"}}).encode()
            return Answer(200, {"Content-Type": "application/json"}, (status,), "complete")
        self._ollama.requests.append(request)
        return self._ollama.answers.popleft() if self._ollama.answers else self._ollama.otherwise(request)

    def abort(self) -> None:
        self._transport.abort()

    async def _answer(self, answer: Answer) -> None:
        chunked = answer.headers is not None and "Content-Length" not in answer.headers
        if answer.headers is not None:
            lines = [
                f"HTTP/1.1 {answer.status} Scripted",
                *(f"{name}: {value}" for name, value in answer.headers.items()),
            ]
            lines += ["Transfer-Encoding: chunked"] if chunked else []
            self._transport.write("\r\n".join([*lines, "", ""]).encode())
        for step in answer.steps:
            if isinstance(step, Gate):
                await step.passed()
            elif isinstance(step, bytes):
                self._transport.write(b"%x\r\n%b\r\n" % (len(step), step) if chunked else step)
                await self._writable.wait()
            else:
                await asyncio.sleep(step)
        self._end(answer.ending, chunked=chunked)

    def _end(self, ending: Ending, *, chunked: bool) -> None:
        if ending == "complete" and chunked:
            self._transport.write(b"0\r\n\r\n")
        elif ending == "close":
            self._transport.close()
        elif ending == "reset":
            # Lingering for 0 s makes the close a TCP reset.
            own_socket: socket.socket = self._transport.get_extra_info("socket")
            own_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

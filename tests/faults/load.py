"""A steady load on a door, in the background: streams, requests and uploads, and what became of each.

with Load(door, streams=50, requests_per_second=50) as load:
    …
assert load.failures == []
"""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

import httpx

from tests.e2e.stack import until
from tests.faults.door import Door

STREAM_CHUNKS = 100
CHUNK_EVERY_SECONDS = 0.05
UPLOADED = b"line\n" * 200_000


def paced_stream() -> list[bytes | float]:
    """What the scripted Ollama answers each stream: 20 chunks a second, for five seconds."""
    steps: list[bytes | float] = []
    for number in range(STREAM_CHUNKS):
        steps += [b'{"n":%d,"done":false}\n' % number, CHUNK_EVERY_SECONDS]
    return [*steps, b'{"done":true}\n']


@dataclass(frozen=True)
class Failure:
    kind: str
    at: float
    reason: str


@dataclass
class Load:
    """Keeps `streams` streams open, each anew when it has ended, and asks and uploads at the given rates."""

    door: Door
    streams: int = 0
    requests_per_second: float = 0
    uploads_per_second: float = 0
    failures: list[Failure] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=lambda: {"stream": 0, "request": 0, "upload": 0})

    def __enter__(self) -> Self:
        assert self.door.token
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="load")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Lets what is running end by itself."""
        self._stopping.set()
        self._thread.join()

    def wait_until_it_runs(self) -> None:
        """Until a fifth of the streams has ended well, which takes some five seconds. Nothing may have failed."""
        until(lambda: self.failures or self.done["stream"] >= self.streams / 5, "the load runs")
        assert not self.failures, self.failures[:3]

    def of_kind(self, kind: str) -> list[Failure]:
        return [failure for failure in self.failures if failure.kind == kind]

    async def _run(self) -> None:
        headers = {"Authorization": f"Bearer {self.door.token}"}
        async with httpx.AsyncClient(
            base_url=self.door.url,
            headers=headers,
            timeout=30,
            trust_env=False,
            limits=httpx.Limits(max_connections=None),
        ) as client:
            await asyncio.gather(
                *(self._streams(number) for number in range(self.streams)),
                self._at_a_rate("request", self.requests_per_second, lambda: self._request(client)),
                self._at_a_rate("upload", self.uploads_per_second, lambda: self._upload(client)),
            )

    async def _streams(self, number: int) -> None:
        await asyncio.sleep(number * STREAM_CHUNKS * CHUNK_EVERY_SECONDS / self.streams)
        while not self._stopping.is_set():
            await self._noted("stream", self._stream())

    async def _at_a_rate(self, kind: str, per_second: float, start: Callable[[], Coroutine[None, None, None]]) -> None:
        tasks = set()
        next_at = time.monotonic()
        while per_second and not self._stopping.is_set():
            task = asyncio.create_task(self._noted(kind, start()))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            next_at += 1 / per_second
            await asyncio.sleep(max(0, next_at - time.monotonic()))
        await asyncio.gather(*tasks)

    async def _noted(self, kind: str, doing: Coroutine[None, None, None]) -> None:
        started = time.monotonic()
        try:
            await doing
            self.done[kind] += 1
        except (AssertionError, OSError, httpx.HTTPError, EOFError) as error:
            self.failures.append(Failure(kind, started, repr(error)[:300]))
            await asyncio.sleep(0.1)  # not a storm while nobody answers

    async def _stream(self) -> None:
        # By hand: a client library would take more of the machine than what is tested.
        parts = urlsplit(self.door.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            body = b'{"model":"m","messages":[]}'
            head = f"POST /chat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.door.token}\r\nConnection: close\r\n"
            length = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            writer.write(head.encode() + length + body)
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 200 "), answer[:200]
            assert answer.count(b'"done":false') == STREAM_CHUNKS, f"cut after {answer[-60:]!r}"
            assert answer.endswith(b"0\r\n\r\n"), f"cut after {answer[-60:]!r}"
        finally:
            writer.close()

    @staticmethod
    async def _request(client: httpx.AsyncClient) -> None:
        # A decision of the API, and one that Ollama answers.
        answers = await client.get("/models"), await client.get("/files/0123456789ab_none.txt")
        assert [answer.status_code for answer in answers] == [200, 404], [answer.text[:100] for answer in answers]

    @staticmethod
    async def _upload(client: httpx.AsyncClient) -> None:
        answer = await client.post("/upload", files={"file": ("load.txt", UPLOADED)})
        assert answer.status_code == 200, answer.text
        back = await client.get(answer.json()["download_path"])
        assert back.content == UPLOADED, f"{back.status_code}, {len(back.content)} bytes"

"""A steady background load on a gateway: streams, requests and uploads, and the result of each.

with Load(gateway, streams=50, requests_per_second=50) as load:
    …
assert load.failures == []
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

import httpx

from tests.faults.gateway import Gateway
from tests.support.fake_ollama import Answer, Request
from tests.support.stack import until

STREAM_CHUNKS = 100
CHUNK_EVERY_SECONDS = 0.05
UPLOADED = b"line\n" * 200_000
# Large enough for @large_body in nginx.conf: authenticated first, and buffered in a file.
LARGE_CHAT = b'{"model":"m","stream":false,"messages":[{"role":"user","content":"%b"}]}' % (b"x" * 200_000)


def paced_stream() -> list[bytes | float]:
    """The scripted Ollama's answer to each stream: 20 chunks a second, for five seconds."""
    steps: list[bytes | float] = []
    for number in range(STREAM_CHUNKS):
        steps += [b'{"n":%d,"done":false}\n' % number, CHUNK_EVERY_SECONDS]
    return [*steps, b'{"done":true}\n']


def answer(request: Request) -> Answer:
    """A list of models, or a stream of five seconds."""
    if request.path == "/api/tags":
        return Answer(200, {"Content-Type": "application/json"}, (b'{"models":[]}',), "complete")
    return Answer(200, {"Content-Type": "application/x-ndjson"}, paced_stream(), "complete")


@dataclass(frozen=True)
class Failure:
    kind: str
    at: float
    reason: str


@dataclass
class Load:
    """Keeps `streams` streams open, restarting each when it ends, and sends requests and uploads at the given rates."""

    gateway: Gateway
    streams: int = 0
    requests_per_second: float = 0
    uploads_per_second: float = 0
    large_chats_per_second: float = 0
    failures: list[Failure] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter[str])

    def __enter__(self) -> Self:
        assert self.gateway.token
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="load")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Waits for what is in progress."""
        self._stopping.set()
        self._thread.join()

    def wait_until_it_runs(self) -> None:
        """Until a fifth of the streams has succeeded, which takes about five seconds. Nothing may have failed."""
        until(lambda: self.failures or self.done["stream"] >= self.streams / 5, "the load runs")
        assert not self.failures, self.failures[:3]

    def of_kind(self, kind: str) -> list[Failure]:
        return [failure for failure in self.failures if failure.kind == kind]

    async def _run(self) -> None:
        headers = {"Authorization": f"Bearer {self.gateway.token}"}
        async with httpx.AsyncClient(
            base_url=self.gateway.url,
            headers=headers,
            timeout=30,
            trust_env=False,
            limits=httpx.Limits(max_connections=None),
        ) as client:
            await asyncio.gather(
                *(self._streams(number) for number in range(self.streams)),
                self._at_a_rate("request", self.requests_per_second, lambda: self._request(client)),
                self._at_a_rate("upload", self.uploads_per_second, lambda: self._upload(client)),
                self._at_a_rate("large chat", self.large_chats_per_second, lambda: self._large_chat(client)),
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
            await asyncio.sleep(0.1)  # no storm while nothing answers

    async def _stream(self) -> None:
        # Without a client library, which would need more CPU than the gateway.
        parts = urlsplit(self.gateway.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            body = b'{"model":"m","messages":[]}'
            head = (
                f"POST /chat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.gateway.token}\r\nConnection: close\r\n"
            )
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
        # One that Ollama answers, and one that the API answers.
        answers = await client.get("/models"), await client.get("/files/0123456789ab_none.txt")
        assert [answer.status_code for answer in answers] == [200, 404], [answer.text[:100] for answer in answers]

    @staticmethod
    async def _large_chat(client: httpx.AsyncClient) -> None:
        answer = await client.post("/chat", content=LARGE_CHAT)
        assert answer.status_code == 200, answer.text

    @staticmethod
    async def _upload(client: httpx.AsyncClient) -> None:
        answer = await client.post("/upload", files={"file": ("load.txt", UPLOADED)})
        assert answer.status_code == 200, answer.text
        back = await client.get(answer.json()["download_path"])
        assert back.content == UPLOADED, f"{back.status_code}, {len(back.content)} bytes"

"""Keeps a pull going after the client that asked for it has left.

Ollama shares one download among all who ask for a model. It stops when the last of them leaves, and fails for all when
the one who began it leaves early. So the API begins each pull and stays to its end; clients' own requests join it.
"""

import asyncio
import json
import logging
import time
from contextlib import suppress

from api.errors import ApiError
from api.ollama.client import Ollama
from api.ollama.model_names import canonical

log = logging.getLogger(__name__)

# Then the client's request goes to Ollama all the same: that a registry is slow or down is for Ollama to report.
BEGINS_WITHIN_SECONDS = 3
# A download that was abandoned while it was being prepared has progress without a total, for ever.
NO_TOTAL_SECONDS = 60
ATTEMPTS = 5

Event = dict[str, object]
ABANDONED: Event = {"error": "context canceled"}  # Ollama's words


class Pulls:
    """The pulls that this process waits for. They end with it; Ollama keeps what has come and goes on from there."""

    def __init__(self, ollama: Ollama) -> None:
        self._ollama = ollama
        self._running: dict[str, Pull] = {}

    async def begin(self, model: str) -> None:
        """Waits for `model` in the background, once. Returns when a client's own request can join the download."""
        key = canonical(model)
        if key not in self._running:
            pull = self._running[key] = Pull(self._ollama, model)
            pull.task.add_done_callback(lambda _: self._running.pop(key))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._running[key].begun.wait(), BEGINS_WITHIN_SECONDS)

    async def close(self) -> None:
        tasks = [pull.task for pull in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Pull:
    """One of them. `begun` is set when Ollama downloads for us, or when there is nothing left to wait for."""

    def __init__(self, ollama: Ollama, model: str) -> None:
        self._ollama = ollama
        self._model = model
        self.begun = asyncio.Event()
        self.task = asyncio.create_task(self._wait())

    async def _wait(self) -> None:
        try:
            last = await self._outcome()
        finally:
            self.begun.set()
        if "error" in last:
            log.warning("pull of %s failed: %s", self._model, last["error"])
        else:
            log.info("pull of %s ended: %s", self._model, last.get("status"))

    async def _outcome(self) -> Event:
        """Ollama's last line. A client may have begun a later layer, and left: then the pull is asked for again."""
        for _ in range(ATTEMPTS):
            last = await self._ask()
            if not str(last.get("error", "")).endswith(str(ABANDONED["error"])):
                break
        return last

    async def _ask(self) -> Event:
        last: Event = {}
        progressed_at = time.monotonic()
        body = json.dumps({"model": self._model}).encode()
        try:
            async with self._ollama.stream("POST", "/api/pull", body) as answer:
                async for line in answer.aiter_lines():
                    last = dict(json.loads(line))
                    if "digest" in last:
                        self.begun.set()
                    if "digest" not in last or "total" in last:
                        progressed_at = time.monotonic()
                    if time.monotonic() - progressed_at > NO_TOTAL_SECONDS:
                        return ABANDONED
        except (ApiError, ValueError, TypeError) as error:
            return {"error": str(error)}
        return last

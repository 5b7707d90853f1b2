"""Keeps a pull going after the client that asked for it has left.

Ollama shares one download among all who ask for a model, and stops it when the last of them leaves. So the API is one
of them, to the end. The client's own request still goes to Ollama by itself, and asking again joins the download.
"""

import asyncio
import json
import logging

from api.errors import ApiError
from api.ollama import Ollama

log = logging.getLogger(__name__)


class Pulls:
    """The pulls that this process waits for. They end with it; Ollama keeps what has come and goes on from there."""

    def __init__(self, ollama: Ollama) -> None:
        self._ollama = ollama
        self._running: dict[str, asyncio.Task[None]] = {}

    def keep(self, model: str) -> None:
        """Waits for `model` in the background, once."""
        if model not in self._running:
            task = asyncio.create_task(self._wait_for(model))
            self._running[model] = task
            task.add_done_callback(lambda _: self._running.pop(model))

    async def close(self) -> None:
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait_for(self, model: str) -> None:
        last: dict[str, object] = {}
        try:
            async with self._ollama.stream("POST", "/api/pull", json.dumps({"model": model}).encode()) as answer:
                async for line in answer.aiter_lines():
                    last = json.loads(line)
        except (ApiError, ValueError) as error:
            last = {"error": str(error)}
        if "error" in last:
            log.warning("pull of %s failed: %s", model, last["error"])
        else:
            log.info("pull of %s ended: %s", model, last.get("status"))

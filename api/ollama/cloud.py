"""Refuses what Ollama would run at ollama.com, in case OLLAMA_URL names an Ollama whose cloud is on.

model_names.py refuses what shows in a name. Two things do not: a model that runs elsewhere may be called anything, and
a tool that Ollama itself runs searches the web.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

import httpx

from api.errors import ApiError, CloudModel, CloudTool
from api.ollama.client import Ollama
from api.ollama.model_names import MAX_NAME_LENGTH
from api.ollama.strict_json import refuse_case_variants

log = logging.getLogger(__name__)

# How long an answer is good. The cloud is seldom turned on, and a model seldom replaced by another of the same name.
REMEMBERED_SECONDS = 10
MAX_REMEMBERED = 1_000
# web_search, web_search_20250305, web_fetch and what may come: Ollama 0.34 runs what begins with `web_search`
# (openai/responses.go, middleware/anthropic.go). The other begins what stands for a very long string (structure.py).
CLOUD_TOOLS = ("web_", "\udc00")


class Cloud:
    """Asks Ollama, at most once each REMEMBERED_SECONDS, whether its cloud is off; if not, about each model too."""

    def __init__(self, ollama: Ollama) -> None:
        self._ollama = ollama
        self._off = Remembered(self._ask_whether_off)
        self._remote: dict[str, Remembered] = {}
        self._has_warned = False

    async def refuse(self, models: Iterable[str], tools: Iterable[str] = ()) -> None:
        """Raises CloudModel, and CloudTool if there are any of these (types that cloud_tools found).

        When Ollama cannot be asked nothing is refused: it cannot be reached then, and the client is told so.
        """
        if await self._off.answer() is not False:
            return
        for tool in tools:
            raise CloudTool(tool)
        for model in models:
            if await self._about(model).answer():
                raise CloudModel(model)

    async def warn(self) -> None:
        """Says in the log that the cloud is on, if it is; later if it cannot be asked now."""
        await self._off.answer()

    def _about(self, model: str) -> "Remembered":
        known = self._remote.get(model)
        if known is None:
            known = Remembered(lambda: self._ask_whether_remote(model))
            if len(self._remote) >= MAX_REMEMBERED:
                self._remote.clear()
            if len(model) <= MAX_NAME_LENGTH:
                self._remote[model] = known
        return known

    async def _ask_whether_off(self) -> bool:
        answer = _object(await self._ollama.ask("GET", "/api/status"))
        cloud = answer.get("cloud")
        is_off = isinstance(cloud, dict) and cloud.get("disabled") is True
        if not is_off and not self._has_warned:
            log.warning(
                "The Ollama at %s has its cloud on, or is too old to say. LocalChat refuses cloud models and web "
                "tools. To be certain that nothing leaves your machines, start that Ollama with OLLAMA_NO_CLOUD=1.",
                self._ollama.url,
            )
        self._has_warned = not is_off
        return is_off

    async def _ask_whether_remote(self, model: str) -> bool | None:
        response = await self._ollama.ask("POST", "/api/show", {"model": model})
        if response.is_error:
            return None
        return any(_object(response).get(field) for field in ("remote_host", "remote_model"))


class Remembered:
    """The answer to a question, asked again when it is older than REMEMBERED_SECONDS, by one of those who want it."""

    def __init__(self, ask: Callable[[], Awaitable[bool | None]]) -> None:
        self._ask = ask
        self._last: bool | None = None
        self._good_until = 0.0
        self._asking = asyncio.Lock()

    async def answer(self) -> bool | None:
        """None if there has been none yet."""
        async with self._asking:
            if time.monotonic() >= self._good_until:
                # If Ollama cannot be asked, its last answer stands.
                with suppress(ApiError):
                    self._last = await self._ask()
                if self._last is not None:
                    self._good_until = time.monotonic() + REMEMBERED_SECONDS
            return self._last


def cloud_tools(tools: object) -> list[str]:
    """The types of those `tools` of a request that Ollama would have run elsewhere. Raises AmbiguousBody."""
    found = []
    for tool in tools if isinstance(tools, list) else []:
        refuse_case_variants(tool, ["type"])
        kind = tool.get("type") if isinstance(tool, dict) else None
        if isinstance(kind, str) and kind.strip().lower().startswith(CLOUD_TOOLS):
            found.append(kind)
    return found


def _object(response: httpx.Response) -> dict[str, object]:
    try:
        value = response.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}

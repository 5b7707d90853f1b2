"""Asks the provider for JSON: in bounded time and size, and without following redirects."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from api.accounts.oidc.errors import ProviderRefused, ProviderUnavailable

# For everything that one request of a browser needs to know.
TIMEOUT_SECONDS = 5
# A provider that is down is not asked again for each browser that comes.
RETRY_AFTER_SECONDS = 5
MAX_AT_ONCE = 16
MAX_ANSWER_BYTES = 1024 * 1024
OK = 200

JsonObject = dict[str, Any]

log = logging.getLogger(__name__)


class Fetch:
    """One worker's way to it."""

    def __init__(self) -> None:
        # Used once each: a connection that the provider is just closing would be a sign-in that fails.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, limits=limits, follow_redirects=False)
        self._failed_at = -float("inf")
        self._at_once = 0

    @asynccontextmanager
    async def in_time(self) -> AsyncIterator[None]:
        """Around all questions of one request. Raises ProviderUnavailable."""
        if self._at_once >= MAX_AT_ONCE:
            raise ProviderUnavailable
        self._at_once += 1
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                yield
        except TimeoutError as error:
            raise self._unavailable(f"no answer within {TIMEOUT_SECONDS} s") from error
        finally:
            self._at_once -= 1

    async def get(self, url: str, token: str = "") -> JsonObject:
        """Raises ProviderUnavailable and ProviderRefused."""
        return await self._json("GET", url, {"Authorization": f"Bearer {token}"} if token else {})

    async def post(self, url: str, headers: Mapping[str, str], form: str) -> JsonObject:
        """Raises ProviderUnavailable and ProviderRefused."""
        return await self._json("POST", url, {**headers, "Content-Type": "application/x-www-form-urlencoded"}, form)

    async def close(self) -> None:
        await self._client.aclose()

    async def _json(self, method: str, url: str, headers: Mapping[str, str], body: str = "") -> JsonObject:
        if time.monotonic() - self._failed_at < RETRY_AFTER_SECONDS:
            raise ProviderUnavailable
        headers = {**headers, "Accept": "application/json", "Accept-Encoding": "identity"}
        try:
            async with self._client.stream(method, url, headers=headers, content=body or None) as response:
                content = await _read(response, url)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._unavailable(f"{url}: {error!r}") from error
        except ValueError as error:
            raise refused(f"{url} cannot be asked: {type(error).__name__}") from error
        if response.status_code != OK:
            raise refused(f"{url} answered {response.status_code}: {content[:200].decode(errors='replace')!r}")
        return _parsed(content, url)

    def _unavailable(self, reason: str) -> ProviderUnavailable:
        self._failed_at = time.monotonic()
        log.error("the identity provider is unavailable: %s", reason)
        return ProviderUnavailable()


def refused(reason: str) -> ProviderRefused:
    """With a line in the log. `reason` has no secret."""
    log.error("a sign-in failed at the identity provider: %s", reason)
    return ProviderRefused()


async def _read(response: httpx.Response, url: str) -> bytes:
    # As it comes: a compressed answer could be of any size.
    content = bytearray()
    async for piece in response.aiter_raw():
        content += piece
        if len(content) > MAX_ANSWER_BYTES:
            raise refused(f"{url} answered more than {MAX_ANSWER_BYTES} bytes")
    return bytes(content)


def _parsed(content: bytes, url: str) -> JsonObject:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise refused(f"{url} did not answer JSON") from error
    if not isinstance(parsed, dict):
        raise refused(f"{url} did not answer a JSON object")
    return parsed

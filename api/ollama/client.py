"""The client of Ollama, for when there is no nginx to carry the bytes, and for /health.

httpx's errors, turned into ours:

    HTTPError
     └ TransportError
        ├ TimeoutException
        │  ├ ConnectTimeout, PoolTimeout   OllamaUnavailable
        │  └ ReadTimeout, WriteTimeout     OllamaSilent
        └ NetworkError, ProtocolError …    OllamaUnavailable
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx

from api.errors import OllamaSilent, OllamaUnavailable
from api.ollama.strict_json import JsonObject

CONNECT_TIMEOUT_SECONDS = 5  # nginx's proxy_connect_timeout
HEALTH_TIMEOUT_SECONDS = 3
ASK_TIMEOUT_SECONDS = 2  # A request waits for it.


class Ollama:
    """One Ollama, at `url`. A silence longer than `timeout_seconds` ends a request. Each method raises our errors."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self.url = url
        self._client = httpx.AsyncClient(
            base_url=url,
            timeout=httpx.Timeout(timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS),
            # As many streams as there are clients; nginx has no limit here either. Each connection is used once: bytes
            # beyond the end of an answer would be read as the next caller's.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            # Ignore HTTP_PROXY: Ollama is on the local network.
            trust_env=False,
        )

    @asynccontextmanager
    async def stream(self, method: str, path: str, body: bytes) -> AsyncIterator[httpx.Response]:
        """An answer whose body is still to come."""
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        with _failures_as_ours():
            async with self._client.stream(method, path, content=body, headers=headers) as response:
                yield response

    async def get(self, path: str) -> httpx.Response:
        with _failures_as_ours():
            return await self._client.get(path)

    async def ask(self, method: str, path: str, body: JsonObject | None = None) -> httpx.Response:
        """An answer that takes Ollama no time."""
        with _failures_as_ours():
            return await self._client.request(method, path, json=body, timeout=ASK_TIMEOUT_SECONDS)

    async def check(self) -> None:
        """Raises OllamaUnavailable or OllamaSilent unless Ollama answers."""
        try:
            response = await self._client.get("/api/version", timeout=HEALTH_TIMEOUT_SECONDS)
            response.raise_for_status()
        except httpx.ReadTimeout as error:
            raise OllamaSilent(f"Ollama did not answer within {HEALTH_TIMEOUT_SECONDS} s.") from error
        except httpx.HTTPError as error:
            raise OllamaUnavailable(f"Ollama is unreachable: {error or type(error).__name__}.") from error

    async def close(self) -> None:
        await self._client.aclose()


@contextmanager
def _failures_as_ours() -> Iterator[None]:
    try:
        yield
    except (httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise OllamaUnavailable from error
    except httpx.TimeoutException as error:
        raise OllamaSilent from error
    except httpx.TransportError as error:
        raise OllamaUnavailable from error

"""Hands a decided request to nginx, or streams it here when there is no nginx. The same contract either way."""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from fastapi.responses import FileResponse, Response
from starlette.responses import MalformedRangeHeader, RangeNotSatisfiable
from starlette.types import Receive, Scope, Send

from api.errors import ApiError, RangeNotInFile
from api.ollama import Ollama

log = logging.getLogger(__name__)

# For proxies in front of us: a buffered or compressed stream is no stream.
STREAM_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


class Relay(Protocol):
    def to_ollama(self, method: str, path: str, body: bytes = b"", model: str = "") -> Response:
        """The response to a request that Ollama shall answer at `path`; method and body are the client's own."""

    def to_file(self, path: Path, headers: dict[str, str]) -> Response:
        """The response to a request that the file at `path` shall answer."""


class NginxRelay:
    """Answers with what nginx shall do: a named location to carry the request to, or a file to send."""

    def to_ollama(self, method: str, path: str, body: bytes = b"", model: str = "") -> Response:  # noqa: ARG002
        headers = {
            "X-Accel-Redirect": "@ollama",
            "X-LocalChat-Path": path,
            # For nginx's access log alone. Quoted: a header cannot hold all of Unicode.
            "X-LocalChat-Model": quote(model[:200], safe="/:"),
        }
        return Response(headers=headers)

    def to_file(self, path: Path, headers: dict[str, str]) -> Response:
        return Response(headers={**headers, "X-Accel-Redirect": f"/_stored/{path.name}"})


class DirectRelay:
    """Carries the bytes by itself."""

    def __init__(self, ollama: Ollama) -> None:
        self._ollama = ollama

    def to_ollama(self, method: str, path: str, body: bytes = b"", model: str = "") -> Response:  # noqa: ARG002
        return OllamaResponse(self._ollama, method, path, body)

    def to_file(self, path: Path, headers: dict[str, str]) -> Response:
        return UploadResponse(path, headers=headers, media_type=headers["Content-Type"])


class UploadResponse(FileResponse):
    """A file and its ranges as nginx has them: another unit is ignored, what is no range of the file is 416."""

    @classmethod
    def _parse_range_header(cls, http_range: str, file_size: int) -> list[tuple[int, int]]:
        if not http_range.strip().lower().startswith("bytes="):
            return []
        try:
            return super()._parse_range_header(http_range, file_size)
        except (MalformedRangeHeader, RangeNotSatisfiable) as error:
            raise RangeNotInFile(file_size) from error


class OllamaResponse(Response):
    """Ollama's status, type and bytes, each chunk as it comes, for as long as the client is there.

    Raises OllamaUnavailable and OllamaSilent before the first byte; after it, a stream that breaks looks broken.
    """

    def __init__(self, ollama: Ollama, method: str, path: str, body: bytes) -> None:
        super().__init__()
        self._ollama = ollama
        self._method = method
        self._path = path
        self._request_body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        # A race, because a client may leave before Ollama's first byte, when there is nothing to send that could fail.
        carrying = asyncio.ensure_future(self._carry(send))
        leaving = asyncio.ensure_future(_until_the_client_leaves(receive))
        try:
            await asyncio.wait({carrying, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if carrying.done():
                carrying.result()
        finally:
            for task in (carrying, leaving):
                task.cancel()
            with suppress(asyncio.CancelledError, ApiError):
                await carrying

    async def _carry(self, send: Send) -> None:
        started = False
        try:
            async with self._ollama.stream(self._method, self._path, self._request_body) as answer:
                headers = {"Content-Type": answer.headers.get("Content-Type", "application/json"), **STREAM_HEADERS}
                raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
                await send({"type": "http.response.start", "status": answer.status_code, "headers": raw})
                started = True
                async for chunk in answer.aiter_raw():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except ApiError as error:
            if not started:
                raise
            # Without a last chunk the server closes the connection, and the client sees the cut.
            log.warning("stream broken by Ollama: %s", error)
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_the_client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

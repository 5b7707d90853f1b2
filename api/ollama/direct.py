"""Sends Ollama's answers and files from the API itself, where there is no nginx. The contract is the same."""

import asyncio
import logging
import os
import re
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path

import httpx
from fastapi.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from api.errors import ApiError, ClientLeft, OllamaUnavailable, RangeNotInFile, UploadNotFound
from api.http.leaving import while_connected
from api.ollama.client import Ollama

log = logging.getLogger(__name__)

# For proxies in front of us: a buffered or compressed stream is no stream.
STREAM_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}

# Those that Ollama uses: nothing else at OLLAMA_URL becomes a page under our origin. nginx/ollama-answers.js has
# the same; a test compares the two.
ANSWER_TYPES = re.compile(
    r"(application/(json|x-ndjson)|text/(event-stream|plain))( *; *charset=utf-8)?", flags=re.IGNORECASE
)
UNKNOWN_TYPE = "application/octet-stream"
STARLETTES_RANGE_ERRORS = (400, 416)
FIRST_ANSWER_STATUS = 200  # below: a hint that an answer will come, or another protocol from here on


class DirectRelay:
    """Carries the bytes in this process. See NginxRelay."""

    def __init__(self, ollama: Ollama) -> None:
        self._ollama = ollama

    def to_ollama(self, method: str, path: str, body: bytes, model: str) -> Response:  # noqa: ARG002
        return OllamaResponse(self._ollama.stream(method, path, body))

    def get_from_ollama(self, path: str, model: str) -> Response:
        return self.to_ollama("GET", path, b"", model)

    def post_to_ollama(self, path: str, body: bytes, model: str) -> Response:
        return self.to_ollama("POST", path, body, model)

    def to_file(self, path: Path, headers: dict[str, str]) -> Response:
        return UploadResponse(path, headers=headers, media_type=headers["Content-Type"])


class UploadResponse(FileResponse):
    """A file and its ranges as nginx sends them: another unit than bytes is ignored; no range of the file is 416.

    Raises UploadNotFound if it was deleted since it was found.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_unless_refused(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in STARLETTES_RANGE_ERRORS:
                raise RangeNotInFile(int(self.headers["Content-Length"]))
            await send(message)

        headers = [header for header in scope["headers"] if not _is_range_of_another_unit(*header)]
        try:
            await super().__call__({**scope, "headers": headers}, receive, send_unless_refused)
        except RuntimeError as error:  # Starlette's, before it has sent anything
            if await asyncio.to_thread(os.path.lexists, self.path):
                raise
            raise UploadNotFound from error


def _is_range_of_another_unit(name: bytes, value: bytes) -> bool:
    return name == b"range" and not value.strip().lower().startswith(b"bytes=")


class OllamaResponse(Response):
    """Ollama's status, type and bytes, each chunk as it comes, until the client leaves.

    Raises OllamaUnavailable and OllamaSilent before the first byte; after it, a stream that breaks looks broken.
    """

    def __init__(self, answer: AbstractAsyncContextManager[httpx.Response]) -> None:
        super().__init__()
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        # A race, because a client may leave before Ollama's first byte, when there is nothing to send that could fail.
        with suppress(ClientLeft):
            await while_connected(receive, self._carry(send))

    async def _carry(self, send: Send) -> None:
        started = False
        try:
            async with self._answer as answer:
                if answer.status_code < FIRST_ANSWER_STATUS:
                    raise OllamaUnavailable
                # None of Ollama's other headers.
                headers = {"Content-Type": answer_type(answer.headers.get("Content-Type", "")), **STREAM_HEADERS}
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


def answer_type(content_type: str) -> str:
    """Ollama's own where it is one that Ollama uses."""
    return content_type if ANSWER_TYPES.fullmatch(content_type) else UNKNOWN_TYPE

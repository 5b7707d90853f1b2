"""Receives one uploaded file: as it comes, checked and on disk block by block, in a thread.

Others are served while a disk is slow or a text is decoded.
"""

import asyncio
from collections.abc import AsyncIterator

from fastapi import Request
from fastapi.concurrency import contextmanager_in_threadpool
from starlette.requests import ClientDisconnect

from api.errors import ClientLeft, FileTooLarge
from api.files.account import AccountUploads
from api.files.content.validator import ContentValidator
from api.files.form import FileFieldParser
from api.files.names import original_name, safe_name
from api.files.partial import PartialUpload
from api.http.bodies import refuse_compressed
from api.settings import MEBIBYTE

ENVELOPE_BYTES = MEBIBYTE  # what a body may be larger than its file: boundaries, headers, small other fields
# A thread for each chunk of 64 kB would cost more than the write.
BLOCK_BYTES = MEBIBYTE // 2


async def receive(request: Request, store: AccountUploads) -> str:
    """The name that the file is stored under. What breaks off leaves nothing behind. Raises ApiError."""
    refuse_compressed(request)
    at_least_bytes = int(request.headers.get("Content-Length", 0)) - ENVELOPE_BYTES
    if at_least_bytes > store.max_mb * MEBIBYTE:
        raise FileTooLarge(store.max_mb)
    async with contextmanager_in_threadpool(store.receive(at_least_bytes)) as partial:
        incoming = IncomingFile(partial, request.headers.get("Content-Type", ""))
        async for block in _blocks(request):
            await asyncio.to_thread(incoming.feed, block)
        return await asyncio.to_thread(incoming.commit)


async def _blocks(request: Request) -> AsyncIterator[list[bytes]]:
    """The body in chunks as they came, BLOCK_BYTES of them or somewhat more at a time. Raises ClientLeft."""
    block: list[bytes] = []
    size_bytes = 0
    try:
        async for chunk in request.stream():
            block.append(chunk)
            size_bytes += len(chunk)
            if size_bytes >= BLOCK_BYTES:
                yield block
                block, size_bytes = [], 0
    except ClientDisconnect as error:
        raise ClientLeft from error
    yield block


class IncomingFile:
    """The form's file on its way into the store."""

    def __init__(self, partial: PartialUpload, content_type: str) -> None:
        self._partial = partial
        self._original_name = ""
        self._validator: ContentValidator | None = None
        self._form = FileFieldParser(content_type, self._on_name, self._on_data)

    def feed(self, chunks: list[bytes]) -> None:
        """The next bytes of the form. Raises ApiError."""
        for chunk in chunks:
            self._form.feed(chunk)

    def commit(self) -> str:
        """The name of the file, which is whole and durable now. Raises ApiError."""
        self._form.finish()
        assert self._validator is not None  # noqa: S101  finish() knows that there was a name.
        return self._partial.commit(self._validator.finish(), self._original_name)

    def _on_name(self, name: str) -> None:
        self._original_name = original_name(name)
        # What is judged is the name that the file will have: `x.png ` is stored as `x.png`.
        self._validator = ContentValidator(safe_name(name))

    def _on_data(self, data: bytes) -> None:
        assert self._validator is not None  # noqa: S101  A part's headers come before its data.
        self._validator.feed(data)
        self._partial.write(data)

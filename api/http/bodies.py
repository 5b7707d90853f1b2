"""Reads request bodies: within a size and a time, and the large ones one at a time.

What checking a body costs grows with its size and no faster: see ollama/structure.py.
"""

import asyncio
import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

from api.errors import BodyTooLarge, BodyTooSlow, ClientLeft, CompressedBody
from api.settings import MEBIBYTE

Checked = TypeVar("Checked")

KIBIBYTE = 1024
# Checked on the event loop, in 10 ms at most. A larger one goes to a thread, and others are served.
SMALL_BODY_BYTES = 32 * KIBIBYTE
# Above it one at a time in each worker, which is also in memory only while it is checked.
LARGE_BODY_BYTES = MEBIBYTE
# Behind nginx a body comes from nginx's memory; without it, from somebody's network.
MAX_SECONDS_TO_ARRIVE = 60


class BodyReader:
    def __init__(self, max_body_mb: int) -> None:
        self._limit_bytes = max_body_mb * MEBIBYTE
        self._turn = asyncio.Semaphore(1)

    async def read(self, request: Request, check: Callable[[bytes], Checked]) -> Checked:
        """What `check` makes of the body. Raises what read_body and `check` raise."""
        size_bytes = announced_bytes(request)
        if size_bytes <= SMALL_BODY_BYTES:
            return check(await read_body(request, self._limit_bytes))
        async with self._turn if size_bytes > LARGE_BODY_BYTES else nullcontext():
            return await asyncio.to_thread(check, await read_body(request, self._limit_bytes))


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """The body, whole. Raises BodyTooLarge as soon as it is known to be above the limit, BodyTooSlow when it trickles,
    CompressedBody, and ClientLeft."""
    refuse_compressed(request)
    try:
        async with asyncio.timeout(MAX_SECONDS_TO_ARRIVE):
            return await _read(request, limit_bytes)
    except ClientDisconnect as error:
        raise ClientLeft from error
    except TimeoutError as error:
        raise BodyTooSlow(f"The body took longer than {MAX_SECONDS_TO_ARRIVE} s to arrive.") from error


async def _read(request: Request, limit_bytes: int) -> bytes:
    too_large = BodyTooLarge(f"The body is larger than {_in_words(limit_bytes)}.")
    if limit_bytes < announced_bytes(request) < math.inf:
        raise too_large
    chunks: list[bytes] = []
    size_bytes = 0
    async for chunk in request.stream():
        chunks.append(chunk)
        size_bytes += len(chunk)
        if size_bytes > limit_bytes:
            raise too_large
    return b"".join(chunks)


def refuse_compressed(request: Request) -> None:
    """Raises CompressedBody: Ollama is sent the bytes that were checked, so there is no place to decompress them."""
    encodings = ",".join(request.headers.getlist("Content-Encoding"))
    if any(encoding.strip().lower() not in ("", "identity") for encoding in encodings.split(",")):
        raise CompressedBody(encodings)


def announced_bytes(request: Request) -> float:
    """0 if there is no body; infinity if its length is not known before its end."""
    if "Transfer-Encoding" in request.headers:
        return math.inf
    return int(request.headers.get("Content-Length", 0))


def _in_words(size_bytes: int) -> str:
    return f"{size_bytes // MEBIBYTE} MB" if size_bytes >= MEBIBYTE else f"{size_bytes // KIBIBYTE} kB"

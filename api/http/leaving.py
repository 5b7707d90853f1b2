"""Work that nobody waits for any more ends: servers say that a client left only to those who ask."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from starlette.types import Receive

from api.errors import ApiError, ClientLeft

Result = TypeVar("Result")


async def while_connected(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """What `work` returns or raises. Raises ClientLeft, once it is ended, when the client leaves."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(until_the_client_leaves(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientLeft
    finally:
        for task in (working, leaving):
            task.cancel()
        with suppress(asyncio.CancelledError, ApiError):
            await working


async def until_the_client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

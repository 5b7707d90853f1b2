"""Reads a refused body to its end, where there is no nginx, which does the same.

Most clients send all of it before they read. If the connection is closed earlier, it breaks while they send, and they
never see the refusal. nginx's lingering_time and lingering_timeout have the same limits.
"""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LINGER_SECONDS = 600
PAUSE_SECONDS = 5


class Lingering:
    """Sends an early response at once, and ends it when the body has ended."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body_ended = scope["type"] != "http"

        async def receive_noting_the_end() -> Message:
            nonlocal body_ended
            message = await receive()
            body_ended = body_ended or not message.get("more_body", False)
            return message

        async def send_before_the_end(message: Message) -> None:
            if body_ended or message["type"] != "http.response.body" or message.get("more_body", False):
                await send(message)
                return
            await send({**message, "more_body": True})
            await _discard_the_rest(receive)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app(scope, receive_noting_the_end, send_before_the_end)


async def _discard_the_rest(receive: Receive) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while (await asyncio.wait_for(receive(), PAUSE_SECONDS)).get("more_body", False):
                pass

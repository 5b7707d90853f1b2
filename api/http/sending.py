"""Long answers of the API's own: only so much at once that clients who do not take theirs do not fill the memory."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Response
from starlette.types import Receive, Scope, Send

from api.errors import ApiError

# In each worker: sixteen of the longest texts.
MAX_BYTES = 128 * 1024 * 1024
RETRY_SECONDS = 5


class TooMuchBeingSent(ApiError, status=503):
    detail = "Too many long answers are being sent at the moment; try again in a few seconds."

    def __init__(self) -> None:
        super().__init__(None, {"Retry-After": str(RETRY_SECONDS)})


class Sending:
    """What clients have not taken yet, of one worker."""

    def __init__(self) -> None:
        self._size_bytes = 0

    @contextmanager
    def counting(self, size_bytes: int) -> Iterator[None]:
        """Raises TooMuchBeingSent."""
        if self._size_bytes + size_bytes > MAX_BYTES:
            raise TooMuchBeingSent
        self._size_bytes += size_bytes
        try:
            yield
        finally:
            self._size_bytes -= size_bytes


class LongJson(Response):
    """Raises TooMuchBeingSent before it begins."""

    media_type = "application/json"

    def __init__(self, content: str, sending: Sending) -> None:
        super().__init__(content)
        self._sending = sending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        with self._sending.counting(len(self.body)):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": self.body, "more_body": True})
            # The server takes this when the client has taken nearly all of that.
            await send({"type": "http.response.body", "body": b"", "more_body": False})

"""The service `reader`, as the API asks it in the stack: over a socket, with the open file handed along."""

import asyncio
import os
import socket
import time
from contextlib import suppress
from pathlib import Path

from api.files.text.errors import ReaderUnavailable
from reader.answers import Question, Reading, reading_in
from reader.apart import line_of

# Only these two containers have the volume.
SOCKET = Path("/run/reader/reader.sock")
# A redeploy replaces it, and so does Docker when it was killed.
AWAY_SECONDS = 10
RETRY_SECONDS = 0.25
# Longer than a turn and a reading may take, shorter than nginx's patience.
ANSWER_SECONDS = 55


class ReaderService:
    def __init__(self, path: Path = SOCKET) -> None:
        self._path = str(path)

    async def read(self, file: int, question: Question) -> Reading:
        """Raises Unreadable, and ReaderUnavailable."""
        deadline = time.monotonic() + AWAY_SECONDS
        while True:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    answer = await self._ask(file, question)
                    if answer.endswith(b"\n"):
                        return reading_in(answer)
            except (OSError, TimeoutError) as error:
                if time.monotonic() > deadline:
                    raise ReaderUnavailable from error
            if time.monotonic() > deadline:
                raise ReaderUnavailable
            await asyncio.sleep(RETRY_SECONDS)

    async def _ask(self, file: int, question: Question) -> bytes:
        """Without its line feed if the service ended before or in the middle of it. Raises OSError."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.setblocking(False)
            await asyncio.get_running_loop().sock_connect(connection, self._path)
            # Opened anew, because descriptors that are handed along share their place in the file.
            again = os.open(f"/proc/self/fd/{file}", os.O_RDONLY)
            try:
                socket.send_fds(connection, [question.line()], [again])
            finally:
                os.close(again)
            stream, writer = await asyncio.open_unix_connection(sock=connection)
            try:
                return await line_of(stream)
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

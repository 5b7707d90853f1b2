"""The service: reads the documents that the API hands over, on a Unix socket; without network, and no other files.

python3 -m reader SOCKET

A connection brings one question, a line of JSON, with the open file beside it (SCM_RIGHTS); the answer is a line too.
One that closes before that ends its reading.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from reader.answers import MAX_QUESTION_BYTES, Question, Unreadable, line_with
from reader.apart import Apart
from reader.surrender import keep_others_out

# Many more than ever wait: each is two open files.
MAX_CONNECTIONS = 128
SECONDS_TO_ASK = 5
AGAIN_SECONDS = 1

log = logging.getLogger(__name__)


class Service:
    def __init__(self, path: Path, apart: Apart) -> None:
        self._path = path
        self._apart = apart
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then what was begun is finished."""
        with _listening(self._path) as listener:
            accepting = asyncio.create_task(self._accept(listener))
            await stop.wait()
            accepting.cancel()
        if self._running:
            await asyncio.wait(self._running)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError as error:  # too many open files, here or on this machine
                log.warning("no connection can be accepted; it is tried again: %s", error)
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            if len(self._running) >= MAX_CONNECTIONS:
                connection.close()
                continue
            task = asyncio.create_task(self._serve(connection))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                async with asyncio.timeout(SECONDS_TO_ASK):
                    line, files = await _received(connection)
            except TimeoutError:
                return
            try:
                await self._answer(connection, line, files)
            finally:
                for file in files:
                    os.close(file)

    async def _answer(self, connection: socket.socket, line: bytes, files: list[int]) -> None:
        stream, writer = await asyncio.open_unix_connection(sock=connection)
        try:
            if not files:
                return
            answering = asyncio.create_task(self._answer_to(files[0], line))
            leaving = asyncio.create_task(stream.read(1))
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            leaving.cancel()
            if answering.done():
                writer.write(answering.result())
            answering.cancel()
            with suppress(asyncio.CancelledError):
                await answering
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer_to(self, file: int, line: bytes) -> bytes:
        try:
            return await self._apart.answer(file, Question.of(line))
        except Unreadable as error:
            return line_with(error)
        except (ValueError, KeyError, TypeError):  # no question
            return b""


async def _received(connection: socket.socket) -> tuple[bytes, list[int]]:
    loop = asyncio.get_running_loop()
    connection.setblocking(False)
    while True:
        try:
            line, files, _, _ = socket.recv_fds(connection, MAX_QUESTION_BYTES, 1)
        except BlockingIOError:
            readable = asyncio.Event()
            loop.add_reader(connection, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(connection)
        else:
            return line, files


def _listening(path: Path) -> socket.socket:
    """On a socket that takes the place of an earlier one at `path` in one step."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(new))
    new.chmod(0o660)  # for the API, which has the folder's group
    listener.listen(MAX_CONNECTIONS)
    listener.setblocking(False)
    new.replace(path)
    return listener


async def main(path: Path) -> None:
    keep_others_out()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await Service(path, Apart()).run(stop)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))

"""Small servers that record requests: a DNS server, and a proxy that refuses everything."""

import socket
import struct
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Self

HEADER_BYTES = 12
NOT_FOUND = 3


class Server(ABC):
    """Answers one request at a time, in its own thread, until the context ends."""

    def __init__(self, listening: socket.socket) -> None:
        self._socket = listening
        host, port = listening.getsockname()
        self.address = f"{host}:{port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):  # closed on exit
            while True:
                self._serve_one()

    @abstractmethod
    def _serve_one(self) -> None: ...


class Names(Server):
    """Answers every address query with `known`, or no such name if that is None. Counts the queries."""

    def __init__(self, host: str, known: str) -> None:
        self.known: str | None = known
        self.asked = 0
        listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listening.bind((host, 0))
        super().__init__(listening)

    def _serve_one(self) -> None:
        question, asker = self._socket.recvfrom(512)
        self._socket.sendto(self._answer(question), asker)
        self.asked += 1

    def _answer(self, question: bytes) -> bytes:
        asked = question[HEADER_BYTES : question.index(0, HEADER_BYTES) + 5]
        status = 0x8180 | (0 if self.known else NOT_FOUND)
        header = question[:2] + struct.pack("!HHHHH", status, 1, 1 if self.known else 0, 0, 0)
        if not self.known:
            return header + asked
        # The same name, an IPv4 address, valid for a second.
        return header + asked + b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 1, 4) + socket.inet_aton(self.known)


class RefusingProxy(Server):
    """Records the requests, and refuses them."""

    def __init__(self, host: str) -> None:
        self.asked: list[str] = []
        super().__init__(socket.create_server((host, 0)))
        self.url = f"http://{self.address}"

    def _serve_one(self) -> None:
        connection, _ = self._socket.accept()
        with connection, suppress(OSError):  # the client disconnected
            self.asked.append(connection.recv(65_536).decode(errors="replace").partition("\r\n")[0])
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

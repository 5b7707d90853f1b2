"""Reads HTTP as uvicorn does, with two differences.

What cannot be read is refused in our one shape. nginx reads each request first, but lets a control character in a
header pass, which uvicorn's parser does not.

An upgrade that is not served is ignored (RFC 9110, 7.8). uvicorn loses the body of such a request, see
https://github.com/Kludex/uvicorn/issues/2722; Java's HttpClient offers an upgrade to HTTP/2 with every one.
"""

import json

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn_worker import UvicornWorker  # type: ignore[import-untyped]

from api.http.response_headers import DATA_HEADERS

DETAIL = "This is not a valid HTTP request."  # nginx's words for what it cannot read itself
UPGRADE_TOKENS = {b"upgrade", b"http2-settings"}


class HttpProtocol(HttpToolsProtocol):
    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        body = json.dumps({"detail": DETAIL}).encode()
        head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in DATA_HEADERS.items())
        self.transport.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        # Taken from the end. Not a recursion: each of the requests in `data` may offer an upgrade.
        unread = [memoryview(data)]
        while unread:
            chunk = unread.pop()
            try:
                self.parser.feed_data(chunk)
            except httptools.HttpParserError:
                self.send_400_response("")
                return
            except httptools.HttpParserUpgrade as stopped:
                if self._should_upgrade():
                    self.handle_websocket_upgrade()
                    return
                if self._ignores_upgrade():
                    unread += [chunk[stopped.args[0] :], memoryview(self._head_without_upgrade())]
                    self.parser = httptools.HttpRequestParser(self)
                    self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does

    def on_headers_complete(self) -> None:
        if not self._ignores_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._ignores_upgrade():
            super().on_message_complete()

    def _ignores_upgrade(self) -> bool:
        """Whether the parser stops after these headers for an upgrade that is not served. CONNECT has no body."""
        return self.parser.should_upgrade() and not self._should_upgrade() and self.parser.get_method() != b"CONNECT"

    def _head_without_upgrade(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        for name, value in self.headers:
            if name == b"connection":
                lines.append(b"connection: " + _without_upgrade(value))
            elif name not in UPGRADE_TOKENS:
                lines.append(b"%b: %b" % (name, value))
        return b"\r\n".join([*lines, b"", b""])


def _without_upgrade(connection: bytes) -> bytes:
    tokens = (token.strip() for token in connection.split(b","))
    return b", ".join(token for token in tokens if token.lower() not in UPGRADE_TOKENS)


class Worker(UvicornWorker):  # type: ignore[misc]  # It has no types.
    """gunicorn's worker, in the container."""

    CONFIG_KWARGS = {**UvicornWorker.CONFIG_KWARGS, "http": HttpProtocol}  # noqa: RUF012  As there.


def use_in_every_uvicorn() -> None:
    """For `uvicorn api.main:app`, which has chosen its own protocol class before it loads the app."""

    def make_ours(_: type[HttpToolsProtocol], *__: object, **___: object) -> HttpToolsProtocol:
        return object.__new__(HttpProtocol)

    HttpToolsProtocol.__new__ = staticmethod(make_ours)  # type: ignore[method-assign,assignment]

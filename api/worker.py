"""How gunicorn's workers read HTTP: as uvicorn does, but what cannot be read is refused in our one shape.

nginx reads each request first. It lets a control character in a header pass, which uvicorn's parser does not.
"""

import json

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn_worker import UvicornWorker  # type: ignore[import-untyped]

from api.protocols import Protocol, error_body

BAD_REQUEST = 400
DETAIL = "This is not a valid HTTP request."  # nginx's words for what it cannot read itself


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's own, which words this one answer by itself: `Invalid HTTP request received.`, as plain text."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        body = json.dumps(error_body(Protocol.LOCALCHAT, BAD_REQUEST, DETAIL)).encode()
        head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
        self.transport.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        self.transport.close()


class Worker(UvicornWorker):  # type: ignore[misc]  # It has no types.
    CONFIG_KWARGS = {**UvicornWorker.CONFIG_KWARGS, "http": HttpProtocol}  # noqa: RUF012  As there.

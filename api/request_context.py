"""Gives each request its id: on its response, on every line logged meanwhile, and on the error when one escapes."""

import logging
import re
import uuid
from contextvars import ContextVar
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiError, render

log = logging.getLogger(__name__)

request_id: ContextVar[str] = ContextVar("request_id", default="-")


class RequestContext:
    """`behind_nginx`: nginx makes the id, and logs the caller. Without nginx the id is made here."""

    def __init__(self, app: ASGIApp, *, behind_nginx: bool) -> None:
        self._app = app
        self._behind_nginx = behind_nginx

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        own_id = self._id_of(scope)
        request_id.set(own_id)
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = own_id
                if self._behind_nginx and "caller" in scope.get("state", {}):
                    # For nginx's access log, which does not pass it on.
                    headers["X-LocalChat-Caller"] = quote(scope["state"]["caller"].email, safe="@")
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            log.exception("unhandled error")
            if started:
                raise
            await render(ApiError(), scope["path"])(scope, receive, send_with_id)

    def _id_of(self, scope: Scope) -> str:
        given = Headers(scope=scope).get("X-Request-ID", "") if self._behind_nginx else ""
        return given if re.fullmatch(r"[0-9a-f]{32}", given) else uuid.uuid4().hex

"""What every request passes on its way in, and every answer on its way out."""

import logging
import re
import uuid
from collections.abc import Iterator
from urllib.parse import quote

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.decide import decide
from api.errors import ApiError
from api.http.hosts import KnownHosts
from api.http.response_headers import CACHING, DATA_HEADERS
from api.http.slashes import meant
from api.logs import request_id
from api.ollama.allowlist import find_allowed
from api.ollama.dialects import error_response
from api.ollama.not_found import not_found_response
from api.parts import Parts

REQUEST_ID = re.compile(r"[0-9a-f]{32}")
ADDED_HEADERS = [(name.lower().encode(), value.encode()) for name, value in {**DATA_HEADERS, **CACHING}.items()]

log = logging.getLogger(__name__)


class RequestContext:
    """A known host, the path that was meant, who answers it, an id in the log and on the answer, and every error."""

    def __init__(self, app: ASGIApp, *, parts: Parts) -> None:
        self._app = app
        self._parts = parts
        # nginx makes the id, and logs the caller. Without nginx the id is made here.
        self._behind_nginx = parts.settings.behind_nginx
        self._hosts = KnownHosts(parts.settings.allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = {**scope, "path": meant(scope["path"])}
        request_id.set(self._id_of(scope))
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], *self._headers(scope)]
            await send(message)

        try:
            app = await self._app_for(scope, receive)
            await app(scope, receive, send_with_id)
        except ApiError as error:
            await error_response(error, scope["path"])(scope, receive, send_with_id)
        except Exception:
            log.exception("unhandled error")
            if started:
                raise
            await error_response(ApiError(), scope["path"])(scope, receive, send_with_id)

    def _headers(self, scope: Scope) -> Iterator[tuple[bytes, bytes]]:
        yield b"x-request-id", request_id.get().encode()
        if self._behind_nginx and "caller" in scope.get("state", {}):
            # For nginx's access log; nginx does not pass it on.
            yield b"x-localchat-caller", quote(scope["state"]["caller"].email, safe="@").encode()

    async def _app_for(self, scope: Scope, receive: Receive) -> ASGIApp:
        """The answer of a row, or FastAPI: its routing and dependencies would take longer than a decision."""
        for name, value in scope["headers"]:
            if name == b"host":
                self._hosts.refuse_others(value.decode("latin-1"))
        row = find_allowed(scope["method"], scope["path"])
        if row is not None:
            return await decide(row, Request(scope, receive), self._parts)
        # Starlette's patterns end with `$`, which lets a line feed pass.
        return not_found_response(scope["method"], scope["path"]) if scope["path"].endswith("\n") else self._app

    def _id_of(self, scope: Scope) -> str:
        given = dict(scope["headers"]).get(b"x-request-id", b"") if self._behind_nginx else b""
        text: str = given.decode("latin-1")
        return text if REQUEST_ID.fullmatch(text) else uuid.uuid4().hex


class ResponseHeaders:
    """What every answer tells browsers: this is data, for its asker only, and no page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in ADDED_HEADERS if pair[0] not in given)]
            await send(message)

        await self._app(scope, receive, send_with_headers)

"""Refuses a path with a line feed at its end: Starlette's patterns end with `$`, which lets one pass."""

from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import nothing_here


class ExactPaths:
    """404 for such a path, whatever is there without the line feed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("\n"):
            await nothing_here(scope["method"], scope["path"])(scope, receive, send)
        else:
            await self._app(scope, receive, send)

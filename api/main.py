"""Wires the control plane together; decides nothing."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from api import docs, health
from api.accounts import invitations, key_routes, me, users
from api.accounts import routes as accounts
from api.accounts.identify import authenticate, authenticate_admin, authenticate_session
from api.accounts.oidc import routes as oidc
from api.database.migrate import DatabaseUnusable
from api.errors import InvalidBody
from api.files import routes as files
from api.files.text import routes as texts
from api.http.lingering import Lingering
from api.http.protocol import use_in_every_uvicorn
from api.logs import without_credentials
from api.middleware import RequestContext, ResponseHeaders
from api.ollama import description
from api.ollama.dialects import error_response
from api.ollama.not_found import not_found_response
from api.parts import Parts
from api.settings import Settings, load_settings

DESCRIPTION = "The front door of a private Ollama. Log in, send the token as `Authorization: Bearer <token>`."
# Beyond the few headers that every page may read.
EXPOSED_HEADERS = ["X-Request-ID", "Retry-After", "WWW-Authenticate", "Content-Disposition", "Content-Range"]
METHOD_NOT_ALLOWED = 405
# A route is in one of these, or it does not exist; a row of the allow-list is for callers, see decide.py.
PUBLIC = (accounts.router, oidc.router, invitations.router, health.router, docs.router)
FOR_CALLERS = (files.router, texts.router, description.router)
FOR_SESSIONS = (me.router, key_routes.router)
FOR_ADMINS = (users.router,)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The API. Exits with a message when the settings are refused."""
    settings = settings or load_settings()
    logging.getLogger("uvicorn.access").addFilter(without_credentials)
    app = FastAPIOffline(
        title="LocalChat",
        version="1",
        description=DESCRIPTION,
        docs_url=None,  # docs.py
        redoc_url=None,
        # See http/slashes.py.
        redirect_slashes=False,
        lifespan=_lifespan,
        exception_handlers={HTTPException: _on_http_exception, RequestValidationError: _on_invalid_parameter},
        # Nobody here reads it, and finding that out takes a part of each request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        separate_input_output_schemas=False,
    )
    app.state.parts = Parts(settings)
    _add_middleware(app, app.state.parts)
    for router in PUBLIC:
        app.include_router(router)
    for routers, check in (
        (FOR_CALLERS, authenticate),
        (FOR_SESSIONS, authenticate_session),
        (FOR_ADMINS, authenticate_admin),
    ):
        for router in routers:
            app.include_router(router, dependencies=[Depends(check)])
    return app


def _add_middleware(app: FastAPI, parts: Parts) -> None:
    settings = parts.settings
    # The last one added is the outermost: errors carry CORS headers too, so that a page can read them.
    app.add_middleware(RequestContext, parts=parts)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_credentials="*" not in settings.cors_origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=EXPOSED_HEADERS,
    )
    app.add_middleware(ResponseHeaders)
    if not settings.behind_nginx:
        app.add_middleware(Lingering)


async def _on_invalid_parameter(request: Request, error: RequestValidationError) -> JSONResponse:
    """A parameter that FastAPI reads, in our one shape. Bodies are read by routes."""
    reasons = "; ".join(f"{item['loc'][-1]}: {item['msg']}" for item in error.errors())
    return error_response(InvalidBody(reasons), request.scope["path"])


async def _on_http_exception(request: Request, error: HTTPException) -> JSONResponse:
    """Starlette has no such route, or not for this method. Our own refusals go on to RequestContext."""
    allowed = ""
    if error.status_code == METHOD_NOT_ALLOWED:
        # Starlette names those of one route only, and none for static files.
        allowed = ", ".join(_methods_of(request.scope["path"])) or "GET, HEAD"
    return not_found_response(request.method, request.scope["path"], allowed)


def _methods_of(path: str) -> list[str]:
    routes = (route for router in (*PUBLIC, *FOR_CALLERS, *FOR_SESSIONS, *FOR_ADMINS) for route in router.routes)
    fitting = (route for route in routes if isinstance(route, APIRoute) and route.path_regex.fullmatch(path))
    return sorted({method for route in fitting for method in route.methods or ()})


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    parts: Parts = app.state.parts
    await parts.start()
    # Not waited for: an Ollama that is down stops nothing here.
    work = (parts.cloud.warn(), parts.activity.write_now_and_then(), parts.retention.remove_now_and_then())
    tasks = [asyncio.create_task(each) for each in work]
    yield
    for task in tasks:
        task.cancel()
    await parts.close()


def __getattr__(name: str) -> FastAPI:
    """`api.main:app`, made when it is asked for: importing this module reads no environment."""
    if name != "app":
        raise AttributeError(name)
    use_in_every_uvicorn()
    app = create_app()
    try:
        # In gunicorn's master, before the first worker: see preload_app.
        app.state.parts.prepare_database()
    except DatabaseUnusable as error:
        sys.exit(f"LocalChat does not start: {error}")
    return app

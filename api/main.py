"""Wires the control plane together; decides nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from api.auth import Accounts, Tokens
from api.errors import add_error_handlers
from api.exact_paths import ExactPaths
from api.login_failures import LoginFailures
from api.ollama import Ollama
from api.pulls import Pulls
from api.relay import DirectRelay, NginxRelay
from api.request_context import RequestContext
from api.routes import auth, chat, files, health, models, protocols
from api.settings import Settings, load_settings
from api.uploads import UploadStore

DESCRIPTION = "The front door of a private Ollama. Log in, send the token as `Authorization: Bearer <token>`."
# Beyond the few headers that every page may read.
EXPOSED_HEADERS = ["X-Request-ID", "Retry-After", "WWW-Authenticate", "Content-Disposition", "Content-Range"]


def create_app(settings: Settings | None = None) -> FastAPI:
    """The API. Exits with a message when the settings are refused."""
    settings = settings or load_settings()
    app = FastAPIOffline(
        title="LocalChat",
        version="1",
        description=DESCRIPTION,
        redoc_url=None,
        # A redirect would answer for a path that is not there, and lose a POST's body with some clients.
        redirect_slashes=False,
        lifespan=_lifespan,
        separate_input_output_schemas=False,
    )
    _add_parts(app, settings)
    add_error_handlers(app)
    _add_middleware(app, settings)
    for routes in (auth, models, chat, files, health, protocols):
        app.include_router(routes.router)
    return app


def _add_parts(app: FastAPI, settings: Settings) -> None:
    state = app.state
    state.settings = settings
    state.accounts = Accounts(settings)
    state.tokens = Tokens(settings, state.accounts)
    state.login_failures = LoginFailures(
        settings.state_dir / "login-failures.sqlite", settings.login_failures_per_minute
    )
    state.uploads = UploadStore(settings.upload_dir, settings.max_upload_mb)
    state.ollama = Ollama(settings.ollama_url, settings.ollama_timeout_seconds)
    state.pulls = Pulls(state.ollama)
    # The one switch between the two ways of running.
    state.relay = NginxRelay() if settings.behind_nginx else DirectRelay(state.ollama)


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    # The last one added is the outermost: errors carry CORS headers too, so that a page can read them.
    app.add_middleware(ExactPaths)
    app.add_middleware(RequestContext, behind_nginx=settings.behind_nginx)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_credentials="*" not in settings.cors_origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=EXPOSED_HEADERS,
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.uploads.sweep()
    yield
    app.state.login_failures.close()
    await app.state.pulls.close()
    await app.state.ollama.close()


def __getattr__(name: str) -> FastAPI:
    """`api.main:app`, made when it is asked for: importing this module reads no environment."""
    if name != "app":
        raise AttributeError(name)
    return create_app()

"""The parts of the application as one typed object, made once from the settings."""

import asyncio
from typing import Annotated

from fastapi import Depends, Request

from api.accounts.activity import Activity
from api.accounts.directory import Directory
from api.accounts.oidc.provider import Provider
from api.accounts.passwords import Passwords
from api.accounts.settings_account import SettingsAccount
from api.accounts.throttle import LoginThrottle
from api.accounts.tokens import Tokens
from api.database.changes import SqliteChanges
from api.database.database import Database
from api.database.engine import open_engine
from api.database.migrate import migrate
from api.files.retention import Retention
from api.files.store import UploadStore
from api.files.text.service import ReaderService
from api.files.text.texts import Texts
from api.http.bodies import BodyReader
from api.http.sending import Sending
from api.ollama.client import Ollama
from api.ollama.cloud import Cloud
from api.ollama.direct import DirectRelay
from api.ollama.pulls import Pulls
from api.ollama.relay import NginxRelay
from api.settings import Settings
from reader.apart import Apart


class Parts:
    """One of each, in each worker."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.settings_account = SettingsAccount(settings)
        self.tokens = Tokens(settings)
        self.passwords = Passwords()
        self.database = Database(settings.database_path)
        changes = SqliteChanges(settings.database_path)
        self.directory = Directory(self.database, changes, self.settings_account.without_database())
        self.activity = Activity(self.database)
        failures = settings.state_dir / "login-failures.sqlite"
        self.login_throttle = LoginThrottle(failures, settings.login_failures_per_minute)
        self.provider = Provider(settings) if settings.oidc_issuer else None
        self.uploads = UploadStore(settings.upload_dir, settings.max_upload_mb, settings.upload_quota_mb)
        self.retention = Retention(self.uploads, settings.upload_retention_days)
        self.sending = Sending()
        self.bodies = BodyReader(settings.max_body_mb)
        self.ollama = Ollama(settings.ollama_url, settings.ollama_timeout_seconds)
        self.pulls = Pulls(self.ollama)
        self.cloud = Cloud(self.ollama)
        # The switch between the two ways of running.
        self.relay = NginxRelay(settings.upload_dir) if settings.behind_nginx else DirectRelay(self.ollama)
        # In the stack a service reads, which has nothing but the file; without it, a process with the same limits.
        self.texts = Texts(self.uploads, ReaderService() if settings.behind_nginx else Apart())
        self._database_is_ready = False

    def prepare_database(self) -> None:
        """Once: of gunicorn's workers none does it again, or a worker that starts late would meet a newer version's.

        Raises DatabaseUnusable.
        """
        if not self._database_is_ready:
            migrate(self.settings.database_path)
            self.settings_account.keep(open_engine(self.settings.database_path))
            self._database_is_ready = True

    async def start(self) -> None:
        await asyncio.to_thread(self.prepare_database)
        await self.directory.now()
        await asyncio.to_thread(self.uploads.tidy)

    async def close(self) -> None:
        await self.activity.write()
        self.login_throttle.close()
        self.passwords.close()
        self.directory.close()
        if self.provider is not None:
            await self.provider.close()
        self.database.close()
        await self.pulls.close()
        await self.ollama.close()


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


PartsDep = Annotated[Parts, Depends(_parts)]

"""Removes uploads that are older than UPLOAD_RETENTION_DAYS: at the start, then once an hour."""

import asyncio
import logging
import time

from api.errors import UploadNotFound
from api.files.account import NANOSECONDS, AccountUploads
from api.files.disk import locked
from api.files.store import UploadStore

INTERVAL_SECONDS = 3600
DAY_SECONDS = 86_400

log = logging.getLogger(__name__)


class Retention:
    """Each worker tries; one at a time does it."""

    def __init__(self, store: UploadStore, days: int) -> None:
        self._store = store
        self._days = days

    async def remove_now_and_then(self) -> None:
        while self._days:
            await asyncio.to_thread(self.remove_old)
            await asyncio.sleep(INTERVAL_SECONDS)

    def remove_old(self) -> None:
        """A running download goes on: it has its file open."""
        try:
            with locked(self._store.folder, wait=False):
                removed = sum(map(self._remove_old_of, self._store.accounts()))
        except BlockingIOError:  # another worker is at it
            return
        except OSError as error:
            log.warning("old uploads in %s cannot be removed; it is tried again: %s", self._store.folder, error)
            return
        if removed:
            log.info("%d uploads older than %d days were removed (UPLOAD_RETENTION_DAYS)", removed, self._days)

    def _remove_old_of(self, uploads: AccountUploads) -> int:
        kept_since_ns = (time.time() - self._days * DAY_SECONDS) * NANOSECONDS
        old = (file.name for file in uploads.stored() if file.stored_at_ns < kept_since_ns)
        return sum(_is_removed(uploads, name) for name in old)


def _is_removed(uploads: AccountUploads, name: str) -> bool:
    try:
        uploads.unlink(name)
    except UploadNotFound:  # its owner has just deleted it
        return False
    except OSError as error:
        log.warning("%s in %s is old and cannot be removed; it is tried again: %s", name, uploads.folder, error)
        return False
    return True

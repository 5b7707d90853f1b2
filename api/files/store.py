"""The folder of all uploads, one for each account in it: cleared up at the start, deleted with the account."""

import fcntl
import logging
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from api.accounts.store import SETTINGS_ID
from api.files import original_names
from api.files.account import AccountUploads
from api.files.adoption import adopt
from api.files.disk import fsync_folder, is_file, is_folder, remove_whole
from api.files.names import ACCOUNT_ID, PARTIAL_NAME, REMOVED_NAME
from api.files.partial import FILE_MODE
from api.files.quota import Quotas
from api.files.text.cache import remove_texts_of_nothing

log = logging.getLogger(__name__)


class UploadStore:
    """A folder for each account in `folder`; files of at most `max_upload_mb` MiB, of `quota_mb` together unless 0."""

    def __init__(self, folder: Path, max_upload_mb: int, quota_mb: int = 0) -> None:
        self.max_mb = max_upload_mb
        self.quotas = Quotas(quota_mb)
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def of(self, account_id: str) -> AccountUploads:
        if not ACCOUNT_ID.fullmatch(account_id):
            raise ValueError(f"not an account's id: {account_id!r}")
        return AccountUploads(self.folder, account_id, self.max_mb, self.quotas)

    def accounts(self) -> Iterator[AccountUploads]:
        """Those that have a folder."""
        for path in self.folder.iterdir():
            if ACCOUNT_ID.fullmatch(path.name) and is_folder(path):
                yield self.of(path.name)

    def tidy(self) -> None:
        """At the start of each process; others may be running."""
        self.adopt()
        self.remove_orphans()

    def adopt(self) -> None:
        """Moves what an earlier version stored to the account of the settings; what can't be moved is still found."""
        try:
            adopt(self.folder, self.of(SETTINGS_ID).make_folder())
        except OSError as error:
            log.warning("what an earlier version stored stays in %s, where it is still found: %s", self.folder, error)

    def remove_orphans(self) -> None:
        """Deletes what killed processes left half-written or half-deleted.

        A running upload holds a lock; it ends with its process.
        """
        for path in self.folder.iterdir():
            if REMOVED_NAME.fullmatch(path.name):
                remove_whole(path)
        for account in self.accounts():
            _remove_orphans(account.folder)
        _remove_orphans(self.folder)

    def remove(self, account_id: str) -> None:
        """Deletes an account's files for good. An id is never used again: a file takes its folder's place.

        So an upload that is still running finds no folder to end in, and makes none.
        """
        if account_id == SETTINGS_ID:
            raise ValueError("the account of the settings cannot be deleted")
        folder = self.of(account_id).folder
        while not is_file(folder):
            removed = self.folder / f"{secrets.token_hex(8)}.removed"
            with suppress(FileNotFoundError):
                folder.rename(removed)
            try:
                folder.touch(FILE_MODE, exist_ok=False)
                fsync_folder(self.folder)
            except FileExistsError:  # an upload made a folder again
                continue
            finally:
                remove_whole(removed)


def _remove_orphans(folder: Path) -> None:
    try:
        original_names.remove_orphans(folder)
        remove_texts_of_nothing(folder)
        partials = [path for path in folder.iterdir() if PARTIAL_NAME.fullmatch(path.name) and is_file(path)]
    except OSError as error:
        log.warning("%s cannot be searched for what is left over from uploads: %s", folder, error)
        return
    for path in partials:
        _remove_unless_locked(path)


def _remove_unless_locked(path: Path) -> None:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except (FileNotFoundError, BlockingIOError):  # removed by another worker; in use
        pass
    except OSError as error:
        # It belongs to somebody else; start anyway.
        log.warning("%s is left over from an upload and cannot be removed: %s", path, error)

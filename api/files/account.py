"""The uploads of one account, in its own folder."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from api.accounts.store import SETTINGS_ID
from api.errors import DiskFull, NotAuthenticated, UploadNotFound
from api.files import original_names
from api.files.disk import files_in, fsync_folder, is_file, is_folder
from api.files.names import STORED_NAME
from api.files.partial import PartialUpload
from api.files.quota import Quota, Quotas
from api.files.text.cache import forget

NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
FOLDER_MODE = 0o750
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class StoredFile:
    name: str
    original_name: str
    size_bytes: int
    stored_at_ns: int


class AccountUploads:
    """An account without uploads has no folder yet."""

    def __init__(self, store: Path, account_id: str, max_mb: int, quotas: Quotas) -> None:
        self.max_mb = max_mb
        self.quota_bytes = quotas.quota_bytes
        self.folder = store / account_id
        self._store = store
        self._quotas = quotas

    def find(self, name: str) -> Path:
        """The path of the upload called exactly `name`. Raises UploadNotFound."""
        if STORED_NAME.fullmatch(name):
            for folder in self._folders():
                if is_file(folder / name):
                    return folder / name
        raise UploadNotFound

    def stored(self) -> list[StoredFile]:
        """All of them, as the disk has them at the moment."""
        found = {file.name: file for folder in self._folders() for file in _stored_in(folder)}
        return list(found.values())

    def delete(self, name: str) -> None:
        """For good. Whoever is just getting it gets it whole. Raises UploadNotFound."""
        path = self.find(name)
        self.unlink(name)
        with suppress(FileNotFoundError, NotADirectoryError):  # the account is being deleted
            fsync_folder(path.parent)

    def unlink(self, name: str) -> None:
        """Raises UploadNotFound if somebody else was quicker."""
        # adopt() links from the last one to the first: the other way round, it could bring the file back.
        removed = [_unlink(folder / name) for folder in reversed(list(self._folders()))]
        if not any(removed):
            raise UploadNotFound

    def _folders(self) -> Iterator[Path]:
        if is_folder(self.folder):
            yield self.folder
        if self.folder.name == SETTINGS_ID:
            # What adopt() could not move, and what an earlier version stored since, running beside this one.
            yield self._store

    @contextmanager
    def receive(self, at_least_bytes: int = 0) -> Iterator[PartialUpload]:
        """A file to write to, which vanishes unless it is committed.

        Raises FileTooLarge, TooManyFiles, QuotaExceeded, DiskFull and, if the account goes meanwhile, NotAuthenticated.
        """
        quota = self.quota()
        with self._faults_as_ours():
            quota.refuse_hopeless(at_least_bytes)
            partial = PartialUpload.create(self.make_folder(), self.max_mb, quota)
            try:
                yield partial
            finally:
                partial.discard()

    def quota(self) -> Quota:
        """For one upload."""
        return Quota(self._quotas, self.folder.name, self._folders)

    def make_folder(self) -> Path:
        """Makes it unless it exists. Raises OSError."""
        try:
            self.folder.mkdir(FOLDER_MODE)
            fsync_folder(self._store)
        except FileExistsError as error:
            if not is_folder(self.folder):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(self.folder)) from error
        return self.folder

    @contextmanager
    def _faults_as_ours(self) -> Iterator[None]:
        try:
            yield
        except NotADirectoryError as error:
            if is_file(self.folder):  # UploadStore.remove() put it there
                raise NotAuthenticated from error
            raise
        except OSError as error:
            if error.errno in NO_SPACE:
                raise DiskFull from error
            raise


def _stored_in(folder: Path) -> Iterator[StoredFile]:
    found = files_in(folder)
    for name, status in found.items():
        if STORED_NAME.fullmatch(name):
            is_kept = original_names.beside(name) in found
            original = original_names.read(folder, name) if is_kept else original_names.implied_by(name)
            yield StoredFile(name, original, status.st_size, status.st_mtime_ns)


def _unlink(path: Path) -> bool:
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    original_names.forget(path)
    forget(path)
    return True

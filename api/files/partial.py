"""One file on its way to the disk: under a temporary name until it is whole."""

import fcntl
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

from api.errors import FileTooLarge
from api.files import original_names
from api.files.disk import fsync_folder, locked
from api.files.names import safe_name
from api.files.quota import Quota
from api.settings import MEBIBYTE

FILE_MODE = 0o640  # nginx reads by group
UNCOUNTED_BYTES = MEBIBYTE  # A small file's quota is looked at once, when it is stored.


class PartialUpload:
    """A file under a temporary name, locked for as long as it is being written."""

    def __init__(self, path: Path, file: IO[bytes], max_mb: int, quota: Quota) -> None:
        self._path = path
        self._file = file
        self._max_mb = max_mb
        self._quota = quota
        self._size_bytes = 0

    @classmethod
    def create(cls, folder: Path, max_mb: int, quota: Quota) -> Self:
        while True:
            path = folder / f"{secrets.token_hex(8)}.partial"
            file = open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE), "wb", buffering=0)  # noqa: PTH123, SIM115
            fcntl.flock(file, fcntl.LOCK_EX)
            # remove_orphans() may have come between the creation and the lock.
            if os.fstat(file.fileno()).st_nlink:
                return cls(path, file, max_mb, quota)
            file.close()

    def write(self, data: bytes) -> None:
        """Raises FileTooLarge, TooManyFiles and QuotaExceeded."""
        self._size_bytes += len(data)
        if self._size_bytes > self._max_mb * MEBIBYTE:
            raise FileTooLarge(self._max_mb)
        if self._size_bytes > UNCOUNTED_BYTES:
            self._quota.refuse_hopeless(self._size_bytes)
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]

    def commit(self, name: str, original_name: str = "") -> str:
        """Makes the file durable under a name made of `name`, which it returns. Blocks for as long as the disk takes.

        `original_name` is what its owner calls it, if that is another. Raises TooManyFiles, QuotaExceeded.
        """
        final = self._path.with_name(f"{secrets.token_hex(6)}_{safe_name(name)}")
        os.fsync(self._file.fileno())
        with locked(final.parent):
            self._quota.refuse(self._size_bytes)
            original_names.keep(final.parent, final.name, original_name or name)
            self._path.rename(final)
        fsync_folder(final.parent)
        return final.name

    def discard(self) -> None:
        """Leaves nothing of a file that was not committed."""
        # Gone when it was committed, or its account was removed.
        with suppress(FileNotFoundError, NotADirectoryError):
            self._path.unlink()
        self._file.close()

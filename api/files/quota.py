"""How many files an account may have, and of what size together: counted on the disk, so that nothing can drift."""

import math
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from api.files.disk import file_status
from api.files.errors import QuotaExceeded, TooManyFiles
from api.files.names import STORED_NAME
from api.settings import MEBIBYTE

# A stored file never changes. One that an operator is just copying into the store does.
SETTLED_SECONDS = 60
MAX_REMEMBERED = 100_000  # about 20 MB
# Each takes a block of the disk and an inode, however small it is, and a line of every list.
MAX_FILES = 10_000

Folders = Callable[[], Iterable[Path]]


class Quotas:
    """Each account's. Remembers sizes: reading those of 10,000 files takes 50 ms, reading their names takes 8."""

    def __init__(self, quota_mb: int) -> None:
        self.quota_mb = quota_mb
        self.quota_bytes = quota_mb * MEBIBYTE or None
        self._remembered: dict[str, dict[str, int]] = {}

    def sizes_of(self, account_id: str, folders: Iterable[Path]) -> list[int]:
        """Of its files, in bytes."""
        found = {name: folder for folder in folders for name in _names_in(folder)}
        sizes = self._remembered.get(account_id, {})
        if not sizes.keys() <= found.keys():
            sizes = {name: sizes[name] for name in sizes.keys() & found.keys()}
        new = {name: found[name] / name for name in found.keys() - sizes.keys() if STORED_NAME.fullmatch(name)}
        statuses = {name: status for name, path in new.items() if (status := file_status(path))}
        settled_at = time.time() - SETTLED_SECONDS
        settled = {name: status.st_size for name, status in statuses.items() if status.st_mtime < settled_at}
        self._remember(account_id, sizes | settled if settled else sizes)
        return [*sizes.values(), *(status.st_size for status in statuses.values())]

    def _remember(self, account_id: str, sizes: dict[str, int]) -> None:
        if sum(map(len, list(self._remembered.values()))) > MAX_REMEMBERED:
            self._remembered = {}
        self._remembered[account_id] = sizes


class Quota:
    """An account's, for one upload."""

    def __init__(self, quotas: Quotas, account_id: str, folders: Folders) -> None:
        self._quotas = quotas
        self._account_id = account_id
        self._folders = folders
        self._room_bytes: float = 0

    def refuse_hopeless(self, size_bytes: int) -> None:
        """While it arrives: counts again only when it is larger than the room that was found. Raises as refuse()."""
        if size_bytes > self._room_bytes:
            self.refuse(size_bytes)

    def refuse(self, size_bytes: int) -> None:
        """Exact while nobody else stores a file. Raises TooManyFiles and QuotaExceeded."""
        sizes = self._quotas.sizes_of(self._account_id, self._folders())
        if len(sizes) >= MAX_FILES:
            raise TooManyFiles(MAX_FILES)
        quota_bytes = self._quotas.quota_bytes
        self._room_bytes = math.inf if quota_bytes is None else quota_bytes - sum(sizes)
        if size_bytes > self._room_bytes:
            raise QuotaExceeded(sum(sizes) / MEBIBYTE, self._quotas.quota_mb)


def _names_in(folder: Path) -> list[str]:
    with suppress(FileNotFoundError, NotADirectoryError):
        return os.listdir(folder)  # noqa: PTH208  ten thousand paths would take three times as long
    return []

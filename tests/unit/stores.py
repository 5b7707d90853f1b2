"""Unusual upload names, the pattern of stored names, and a store on a full disk."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.files.account import AccountUploads
from api.files.partial import PartialUpload
from api.files.store import UploadStore

STORED = re.compile(r"[0-9a-f]{12}_[A-Za-z0-9][A-Za-z0-9._-]*")
ODD_NAMES = [
    "../../etc/passwd",
    "..\\..\\windows\\system32\\x.txt",
    "C:\\x",
    "/etc/passwd",
    "a\0b.txt",
    "a.txt\0",
    "x" * 5_000,
    "x" * 5_000 + ".txt",
    "a." + "x" * 5_000,
    "\u202etxt.exe",
    "\u05d0\u05d1.txt",
    "a\r\nX-Injected: 1.txt",
    'a"; filename="b.txt',
    "CON",
    "nul.txt",
    "",
    ".",
    "..",
    "...",
    ".bashrc",
    "-rf",
    "--",
    "_",
    " ",
    "\U0001f999",
    "a/../../b",
    "%2e%2e%2fx",
    "a.partial",
    "\ud800.txt",
]


class FullStore(UploadStore):
    """A store on a full disk: writing to /dev/full fails as on one."""

    def of(self, account_id: str) -> AccountUploads:
        return FullFolder(self.folder, account_id, self.max_mb, self.quotas)


class FullFolder(AccountUploads):
    @contextmanager
    def receive(self, at_least_bytes: int = 0) -> Iterator[PartialUpload]:
        with super().receive(at_least_bytes) as partial, Path("/dev/full").open("wb", buffering=0) as full:
            assert isinstance(partial, PartialUpload)
            yield PartialUpload(Path("/nonexistent"), full, self.max_mb, self.quota())

"""The text of a caller's upload, from where it is kept or newly read."""

import asyncio
import os
from pathlib import Path
from typing import IO, Protocol

from api.accounts.turns import Turns
from api.errors import UploadNotFound
from api.files.content.kinds import media_type
from api.files.store import UploadStore
from api.files.text.cache import keep, kept
from api.files.text.errors import ReaderBusy, no_text
from api.files.text.pages import page_ranges
from reader.answers import PageRanges, Question, Reading, Reason, Unreadable

DIGITS_AND_UNDERSCORE = 13  # before the name in a stored name
# Of one account, in each worker: a page asks for the handful of files of a message at once.
MAX_WAITING = 16


class Reader(Protocol):
    async def read(self, file: int, question: Question) -> Reading:
        """`file` is a descriptor, which stays open. Raises Unreadable."""


class Texts:
    def __init__(self, uploads: UploadStore, reader: Reader) -> None:
        self._uploads = uploads
        self._reader = reader
        # The reader has two places for everybody, and a line without names.
        self._turns = Turns(ReaderBusy, MAX_WAITING)

    async def of(self, account_id: str, filename: str, pages: str | None = None) -> Reading:
        """`pages` as pages.py has it. Raises UploadNotFound, InvalidBody, and why there is no text: see errors.py."""
        upload = await asyncio.to_thread(self._uploads.of(account_id).find, filename)
        ranges = None if pages is None else page_ranges(pages)
        try:
            return await self._text(upload, ranges)
        except Unreadable as error:
            raise no_text(error, filename[DIGITS_AND_UNDERSCORE:]) from error

    async def _text(self, upload: Path, pages: PageRanges | None) -> Reading:
        if media_type(upload.name).startswith("image/"):
            raise Unreadable(Reason.PICTURE)
        reading = await asyncio.to_thread(kept, upload, pages)
        if reading is None:
            reading = await self._read(upload, pages)
            await asyncio.to_thread(keep, upload, pages, reading)
        return reading

    async def _read(self, upload: Path, pages: PageRanges | None) -> Reading:
        async with self._turns.of(upload.parent.name):
            with await asyncio.to_thread(_opened, upload) as file:
                return await self._reader.read(file.fileno(), Question(upload.suffix.lower(), pages))


def _opened(upload: Path) -> IO[bytes]:
    """Not a bare descriptor: nobody would close that of a client who leaves just now. Raises UploadNotFound."""
    try:
        return open(upload, "rb", buffering=0, opener=_without_following)
    except (FileNotFoundError, NotADirectoryError) as error:  # deleted since it was found, or its account
        raise UploadNotFound from error


def _without_following(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)

"""Texts that were read, each beside its upload. One of each upload: of the pages that were asked for last."""

import json
import logging
import secrets
import zlib
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from api.files.disk import is_file, is_folder
from api.files.names import STORED_NAME, TEXT_NAME, text_name
from reader.answers import PageRanges, Reading, Unreadable, reading_in

log = logging.getLogger(__name__)

# Of what is read, and of how it is kept: another one is read anew.
VERSION = 1
# Compressed, a text takes up no more than a small multiple of its upload, which may be compressed too.
FASTEST = 1


def kept(upload: Path, pages: PageRanges | None) -> Reading | None:
    try:
        key, _, reading = zlib.decompress((upload.with_name(text_name(upload.name))).read_bytes()).partition(b"\n")
        return reading_in(reading) if key == _key(upload, pages) else None
    except (OSError, zlib.error, Unreadable):
        return None


def keep(upload: Path, pages: PageRanges | None, reading: Reading) -> None:
    """Unless the disk is full or the account gone; then it is read again."""
    text = _key(upload, pages) + b"\n" + json.dumps(asdict(reading), ensure_ascii=False).encode()
    # A process that starts takes it for what a killed one left, and deletes it: then the text is not kept either.
    partial = upload.with_name(f"{secrets.token_hex(8)}.partial")
    try:
        with partial.open("xb") as file:
            file.write(zlib.compress(text, FASTEST))
        partial.rename(upload.with_name(text_name(upload.name)))
    except OSError as error:
        log.warning("the text of %s is not kept: %s", upload, error)
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    if not is_file(upload):  # deleted while it was read
        forget(upload)


def forget(upload: Path) -> None:
    """Deletes the text of an upload that has just been deleted."""
    with suppress(FileNotFoundError, NotADirectoryError):  # it has none; the account is being deleted
        upload.with_name(text_name(upload.name)).unlink()


def remove_texts_of_nothing(folder: Path) -> None:
    """Of uploads that were deleted by a process that was killed, or by hand. Raises OSError."""
    names = [path.name for path in folder.iterdir()]
    wanted = {text_name(name) for name in names if STORED_NAME.fullmatch(name)}
    for name in names:
        if TEXT_NAME.fullmatch(name) and name not in wanted and not is_folder(folder / name):
            (folder / name).unlink(missing_ok=True)


def _key(upload: Path, pages: PageRanges | None) -> bytes:
    return json.dumps([VERSION, upload.name, pages]).encode()

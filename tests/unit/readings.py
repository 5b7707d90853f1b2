"""Reads documents apart, as the API and the service do."""

import asyncio
import tempfile
from pathlib import Path

from reader.answers import PageRanges, Question, Reading, Reason, Unreadable
from reader.apart import Apart, Limits

# Small enough to be reached at once, large enough for what is harmless.
SMALL = Limits(memory_bytes=128 * 1024 * 1024, seconds=10)


def read(data: bytes, suffix: str, pages: PageRanges | None = None, limits: Limits = SMALL) -> Reading:
    """Raises Unreadable."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        return asyncio.run(Apart(limits).read(file.fileno(), Question(suffix, pages)))


def reason(data: bytes, suffix: str, pages: PageRanges | None = None, limits: Limits = SMALL) -> Reason | None:
    """Why there is no text; None if there is."""
    try:
        read(data, suffix, pages, limits)
    except Unreadable as error:
        return error.reason
    return None


def readings_of(parent: int) -> list[str]:
    """The readings that are its child processes, and still run."""
    return [path.name for path in Path("/proc").glob("[0-9]*") if _is_reading_of(path, parent)]


def _is_reading_of(process: Path, parent: int) -> bool:
    try:
        found = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        return found == parent and "reader.child" in (process / "cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False

"""Which pages of a document: `1-10`, `3`, `2,5-7`."""

import re

from api.errors import InvalidBody
from reader.answers import PageRanges

NUMBER = "[1-9][0-9]{0,5}"
RANGE = re.compile(f"({NUMBER})(?:-({NUMBER}))?")
# For the description of the API; that no range ends before it begins, it cannot say.
PATTERN = f"^{NUMBER}(-{NUMBER})?(,{NUMBER}(-{NUMBER})?)*$"
MAX_RANGES = 50
MAX_LENGTH = MAX_RANGES * len("123456-123456,")
HOW = f"pages: write page numbers and ranges from 1 on, such as 1-10, 3 or 2,5-7; at most {MAX_RANGES}."


def page_ranges(written: str) -> PageRanges:
    """Raises InvalidBody."""
    parts = written.split(",") if len(written) <= MAX_LENGTH else []
    if not 0 < len(parts) <= MAX_RANGES:
        raise InvalidBody(HOW)
    return tuple(sorted({_range(part) for part in parts}))


def _range(part: str) -> tuple[int, int]:
    match = RANGE.fullmatch(part)
    if match is None:
        raise InvalidBody(HOW)
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise InvalidBody(f"pages: {part} ends before it begins. {HOW}")
    return first, last

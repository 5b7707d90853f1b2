"""What is asked of a reading and what comes of it, and both as one line of JSON between processes."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Literal

# Half a million tokens or so, more than nearly every local model takes.
MAX_CHARACTERS = 2_000_000
# Of UTF-8, with the little around it. What JSON escapes is ASCII, and gets shorter by no more than a byte.
MAX_ANSWER_BYTES = 4 * MAX_CHARACTERS + 4096
MAX_QUESTION_BYTES = 4096

PageRanges = tuple[tuple[int, int], ...]
Format = Literal["markdown", "plain"]


class Reason(StrEnum):
    """Why there is no text. The words for a person are the API's."""

    PICTURE = "picture"
    SCAN = "scan"
    EMPTY = "empty"
    BINARY = "binary"
    ENCRYPTED = "encrypted"
    BROKEN = "broken"
    TOO_LONG = "too long"
    TOO_LARGE = "too large"
    NO_SUCH_PAGE = "no such page"
    NO_PAGES = "no pages"
    NOT_LINUX = "not Linux"
    SLOW = "slow"
    BUSY = "busy"


class Unreadable(Exception):
    """`number` is what the reason has to say in figures: pages that there are, or that fit."""

    def __init__(self, reason: Reason, number: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.number = number


@dataclass(frozen=True)
class Question:
    suffix: str  # of the file's name, with its dot, in lower case
    pages: PageRanges | None = None  # each from, to; the first page is 1

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def of(cls, line: bytes) -> "Question":
        asked = json.loads(line)
        pages = asked["pages"]
        return cls(asked["suffix"], None if pages is None else tuple((first, last) for first, last in pages))


@dataclass(frozen=True)
class Reading:
    text: str
    format: Format
    pages: int | None  # that the document has, where it has any


def line_with(answer: Reading | Unreadable) -> bytes:
    found = asdict(answer) if isinstance(answer, Reading) else {"reason": answer.reason, "number": answer.number}
    return json.dumps(found, ensure_ascii=False).encode() + b"\n"


def reading_in(answer: bytes) -> Reading:
    """Raises Unreadable. The process that answered had a stranger's document: nothing it says is taken on trust."""
    try:
        found = json.loads(answer)
        if "reason" in found:
            raise Unreadable(Reason(found["reason"]), _count(found["number"]))
        found["text"].encode()
        if found["format"] in ("markdown", "plain") and len(found["text"]) <= MAX_CHARACTERS:
            return Reading(found["text"], found["format"], _count(found["pages"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(Reason.BROKEN) from error
    raise Unreadable(Reason.BROKEN)


def _count(value: object) -> int | None:
    if value is not None and type(value) is not int:
        raise TypeError
    return value

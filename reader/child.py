"""The process that reads one document: its standard input. It answers with a line, and may do nothing else.

python3 -m reader.child QUESTION LIMITS
"""

import codecs
import json
import os
import sys
from collections.abc import Callable
from typing import BinaryIO

from reader.answers import MAX_CHARACTERS, Question, Reading, Reason, Unreadable, line_with
from reader.kinds import HEAD_BYTES, kind_of
from reader.surrender import give_up_everything

Read = Callable[[], Reading]
ENCODINGS = ("utf-16-le", "cp437")  # what pypdfium2 decodes with, and zipfile
# Everything but line ends and tabs: a model has no use for them, and JSON writes each in six characters.
CONTROLS: dict[int, str | None] = dict.fromkeys([*range(9), 11, *range(14, 32), 127, 0xFFFE, 0xFFFF])
CONTROLS[12] = "\n"


def main() -> None:
    question = Question.of(sys.argv[1].encode())
    file = open(0, "rb", closefd=False)  # noqa: SIM115  descriptor 0
    answer: Reading | Unreadable
    try:
        answer = _read(question, file, json.loads(sys.argv[2]))
    except Unreadable as error:
        answer = error
    with open(1, "wb", closefd=False) as out:
        out.write(line_with(answer))
    # No finalizers of libraries that a document may have confused.
    os._exit(0)


def _read(question: Question, file: BinaryIO, limits: dict[str, int]) -> Reading:
    """Raises Unreadable."""
    try:
        load_encodings(*ENCODINGS)
        read = _reading_of(question, file)
        give_up_everything(**limits)
        reading = read()
        text = _cleaned(reading.text)
    except MemoryError as error:
        raise Unreadable(Reason.TOO_LARGE) from error
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(Reason.BROKEN) from error
    if not text:
        raise Unreadable(Reason.EMPTY)
    if len(text) > MAX_CHARACTERS:
        raise Unreadable(Reason.TOO_LONG)
    return Reading(text, reading.format, reading.pages)


def _reading_of(question: Question, file: BinaryIO) -> Read:
    """Loads what this kind of document is read with, and nothing else: 20 to 100 ms. Raises Unreadable."""
    kind = kind_of(question.suffix, file.read(HEAD_BYTES))
    file.seek(0)
    if kind == "pdf":
        from reader.pdf import read_pdf  # noqa: PLC0415

        return lambda: read_pdf(file, question.pages)
    if kind == "office":
        from reader import office  # noqa: PLC0415

        office.warm_up()
        return lambda: office.read_office(file, question.suffix, question.pages)
    from reader import plain  # noqa: PLC0415

    plain.warm_up()
    return lambda: plain.read_plain(file, question.pages)


def load_encodings(*names: str) -> None:
    """Python loads each from a file when it is first used."""
    for name in names:
        codecs.lookup(name)


def _cleaned(text: str) -> str:
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\r\n", "\n").replace("\r", "\n").translate(CONTROLS).strip()


if __name__ == "__main__":
    main()

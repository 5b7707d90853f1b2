"""What a command answers: JSON with the fields of the API's own answers, or words for a person; or that it refuses."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel


class Refused(Exception):
    """Says what is wrong, and what to do."""


@dataclass(frozen=True)
class Answer:
    fields: BaseModel | dict[str, str]
    text: str

    def as_json(self) -> str:
        if isinstance(self.fields, BaseModel):
            return self.fields.model_dump_json()
        return json.dumps(self.fields)


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """As wide as it has to be."""
    lines = (titles, *rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def minute(at: datetime | None, otherwise: str) -> str:
    return otherwise if at is None else f"{at:%Y-%m-%d %H:%M} UTC"

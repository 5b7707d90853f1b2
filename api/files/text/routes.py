"""GET /files/{filename}/text: what a model is given of a document."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from api.accounts.identify import authenticate
from api.accounts.store import Caller
from api.files.text.pages import PATTERN
from api.files.text.tokens import estimated_tokens
from api.http.leaving import while_connected
from api.http.sending import LongJson
from api.openapi import errors
from api.parts import PartsDep
from reader.answers import Reading

router = APIRouter(tags=["files"])

CallerDep = Annotated[Caller, Depends(authenticate)]
Pages = Annotated[
    str | None,
    Query(description="Only these pages, of a PDF: `1-10`, `3`, `2,5-7`.", json_schema_extra={"pattern": PATTERN}),
]


class FileText(BaseModel):
    filename: str = Field(examples=["3f9a1c07be52_report.pdf"])
    text: str
    format: Literal["markdown", "plain"]
    pages: int | None = Field(description="How many the document has; null where it has none to choose from.")
    characters: int
    estimated_tokens: int = Field(description="Roughly; models count differently.")


REASONS = errors(
    *(401, 404, 422, 503, 504),
    _422="There is no text in it (a scan, a picture), or not on such pages; the message says which.",
    _503="Other documents are being read, or the reader is not running; `Retry-After` says when to try again.",
    _504="Reading it takes too long.",
)


@router.head("/files/{filename}/text", include_in_schema=False)
@router.get("/files/{filename}/text", response_model=FileText, responses=REASONS)
async def text(request: Request, parts: PartsDep, caller: CallerDep, filename: str, pages: Pages = None) -> Response:
    """The text in one of the caller's uploads: of a PDF, an office document or a text file. Nothing is cut."""
    reading = await while_connected(request.receive, parts.texts.of(caller.account_id, filename, pages))
    # In a thread, because it may be megabytes.
    return LongJson(await asyncio.to_thread(_body, filename, reading), parts.sending)


def _body(filename: str, reading: Reading) -> str:
    return FileText(
        filename=filename,
        text=reading.text,
        format=reading.format,
        pages=reading.pages,
        characters=len(reading.text),
        estimated_tokens=estimated_tokens(reading.text),
    ).model_dump_json()

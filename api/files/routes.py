"""POST /upload and GET /files/{filename}: files in, and the same bytes out."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from api.accounts.identify import authenticate
from api.accounts.store import Caller
from api.files.content import media_type
from api.files.form import FIELD
from api.files.receive import receive
from api.openapi import errors
from api.parts import PartsDep

router = APIRouter(tags=["files"])
CallerDep = Annotated[Caller, Depends(authenticate)]

FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "string", "contentMediaType": "application/octet-stream"}},
                }
            }
        },
    }
}
BYTES = {
    "description": "The bytes as they were sent. `Range` is supported.",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


class Upload(BaseModel):
    filename: str = Field(examples=["3f9a1c07be52_report.pdf"])
    download_path: str = Field(examples=["/files/3f9a1c07be52_report.pdf"])


@router.post(
    "/upload",
    responses=errors(401, 413, 415, 422, 507, _415="A type of file that is not accepted, or a compressed body."),
    openapi_extra=FORM,
)
async def upload(request: Request, parts: PartsDep, caller: CallerDep) -> Upload:
    """Stores one file: an image, a PDF or text. A broken upload leaves nothing behind."""
    name = await receive(request, parts.uploads.of(caller.account_id))
    return Upload(filename=name, download_path=f"/files/{name}")


@router.head("/files/{filename}", include_in_schema=False)
@router.get("/files/{filename}", response_class=Response, responses={200: BYTES, **errors(401, 404, 416)})
async def download(parts: PartsDep, caller: CallerDep, filename: str) -> Response:
    """One of the caller's uploads, as it was sent, to be saved and not rendered. Anybody else's is 404."""
    path = await asyncio.to_thread(parts.uploads.of(caller.account_id).find, filename)
    headers = {
        "Content-Type": media_type(filename),
        "Content-Disposition": f'attachment; filename="{filename}"',
        # Kept by a browser, but asked for anew: it may be another who asks.
        "Cache-Control": "private, no-cache",
    }
    return parts.relay.to_file(path, headers)

"""POST /upload, and /files: files in, and the same bytes out, listed and deleted."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.accounts.identify import authenticate
from api.accounts.store import Caller
from api.files.content.kinds import media_type
from api.files.form import FIELD
from api.files.receive import receive
from api.files.schemas import Files, Upload, download_path
from api.http.sending import LongJson, TooMuchBeingSent
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


@router.post(
    "/upload",
    responses=errors(401, 413, 415, 422, 507, _415="A type of file that is not accepted, or a compressed body."),
    openapi_extra=FORM,
)
async def upload(request: Request, parts: PartsDep, caller: CallerDep) -> Upload:
    """Stores one file: an image, a document or text. A broken upload leaves nothing behind."""
    name = await receive(request, parts.uploads.of(caller.account_id))
    return Upload(filename=name, download_path=download_path(name))


@router.head("/files", include_in_schema=False)
@router.get("/files", response_model=Files, responses=errors(401, 503, _503=TooMuchBeingSent.detail))
async def list_files(parts: PartsDep, caller: CallerDep) -> Response:
    """The caller's uploads, the newest first."""
    uploads = parts.uploads.of(caller.account_id)
    # Written in the thread too: there may be ten thousand.
    listing = await asyncio.to_thread(lambda: Files.of(uploads.stored(), uploads.quota_bytes).model_dump_json())
    return LongJson(listing, parts.sending)


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


@router.delete("/files/{filename}", status_code=204, responses=errors(401, 404, 422))
async def delete_file(parts: PartsDep, caller: CallerDep, filename: str) -> Response:
    """Deletes one of the caller's uploads for good. A download that is running goes on."""
    await asyncio.to_thread(parts.uploads.of(caller.account_id).delete, filename)
    return Response(status_code=204)

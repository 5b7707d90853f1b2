"""POST /upload and GET /files/{filename}: files in, and the same bytes out."""

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api.auth import CallerDep
from api.errors import BodyTooLarge, InvalidBody
from api.file_types import ContentCheck, media_type
from api.multipart import FIELD, FileField
from api.relay import Relay
from api.routes.responses import errors
from api.schemas import Upload
from api.settings import MEBIBYTE
from api.uploads import PartialUpload, UploadStore, safe_name

router = APIRouter(tags=["files"])

ENVELOPE_BYTES = MEBIBYTE  # what a body may be larger than its file: boundaries, headers, small other fields

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


@router.post("/upload", responses=errors(401, 413, 415, 422, 507), openapi_extra=FORM)
async def upload(request: Request, _: CallerDep) -> Upload:
    """Keeps one file: an image, a PDF or text. What breaks off leaves nothing behind."""
    store: UploadStore = request.app.state.uploads
    if int(request.headers.get("Content-Length", 0)) > store.max_mb * MEBIBYTE + ENVELOPE_BYTES:
        raise BodyTooLarge(f"The file is larger than {store.max_mb} MB (MAX_UPLOAD_MB).")
    with store.receive() as partial:
        incoming = IncomingFile(partial)
        form = FileField(request.headers.get("Content-Type", ""), incoming.named, incoming.write)
        try:
            await form.read(request.stream())
        except ClientDisconnect as error:
            raise InvalidBody("The client left before its file was complete.") from error
        incoming.finish()
        name = await run_in_threadpool(partial.keep, incoming.name)
    return Upload(filename=name, download_path=f"/files/{name}")


class IncomingFile:
    """A file on its way in: checked and written chunk by chunk."""

    def __init__(self, partial: PartialUpload) -> None:
        self.name = ""
        self._partial = partial
        self._check: ContentCheck | None = None

    def named(self, name: str) -> None:
        # What is judged is the name that the file will have: `x.png ` is stored as `x.png`.
        self.name = safe_name(name)
        self._check = ContentCheck(self.name)

    def write(self, data: bytes) -> None:
        assert self._check is not None  # noqa: S101  A part's headers come before its data.
        self._check.feed(data)
        self._partial.write(data)

    def finish(self) -> None:
        assert self._check is not None  # noqa: S101
        self._check.finish()


@router.head("/files/{filename}", include_in_schema=False)
@router.get("/files/{filename}", response_class=Response, responses={200: BYTES, **errors(401, 404, 416)})
async def download(request: Request, filename: str, _: CallerDep) -> Response:
    """An upload, as it was sent, to be saved and not rendered."""
    store: UploadStore = request.app.state.uploads
    relay: Relay = request.app.state.relay
    path = store.find(filename)
    headers = {
        "Content-Type": media_type(filename),
        "Content-Disposition": f'attachment; filename="{filename}"',
        "X-Content-Type-Options": "nosniff",
    }
    return relay.to_file(path, headers)

"""Uploads as raw bytes, to send what no client library would, and small files of many kinds."""

import io
import zipfile

import httpx

from tests.unit.serving import Gateway

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0" + bytes(50)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(50)
WEBP = b"RIFF\x24\0\0\0WEBPVP8 " + bytes(50)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
FORM_TYPE = "multipart/form-data; boundary=b"
END = b"\r\n--b--\r\n"


def part(data: bytes, name: bytes = b'"a.txt"', field: bytes = b"file") -> bytes:
    """One part of a form; `name` as it appears in the header, quotes included."""
    return b'--b\r\nContent-Disposition: form-data; name="%b"; filename=%b\r\n\r\n%b' % (field, name, data)


def send(gateway: Gateway, body: bytes, content_type: str = FORM_TYPE) -> httpx.Response:
    return gateway.client.post("/upload", content=body, headers={"Content-Type": content_type})


def upload(gateway: Gateway, data: bytes, name: str = "a.txt") -> httpx.Response:
    return send(gateway, part(data, f'"{name}"'.encode("utf-8", "surrogateescape")) + END)


class Streamed(io.BytesIO):
    """Cannot be gone back in, so that a ZIP's sizes follow the data, as when Google Docs exports."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise io.UnsupportedOperation

    def seek(self, *_: object) -> int:
        raise io.UnsupportedOperation


def zipped(*names: str, first: str = "", streamed: bool = False) -> bytes:
    """A ZIP archive of `names`, after an entry `mimetype` with the content `first`."""
    file = Streamed() if streamed else io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        if first:
            archive.writestr("mimetype", first, zipfile.ZIP_STORED)
        for name in names:
            archive.writestr(name, b"<xml/>" * 200)
    return file.getvalue()

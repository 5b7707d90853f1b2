"""Uploads as raw bytes, to send what no client library would."""

import httpx

from tests.unit.serving import Gateway

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0" + bytes(50)
FORM_TYPE = "multipart/form-data; boundary=b"
END = b"\r\n--b--\r\n"


def part(data: bytes, name: bytes = b'"a.txt"', field: bytes = b"file") -> bytes:
    """One part of a form; `name` as it appears in the header, quotes included."""
    return b'--b\r\nContent-Disposition: form-data; name="%b"; filename=%b\r\n\r\n%b' % (field, name, data)


def send(gateway: Gateway, body: bytes, content_type: str = FORM_TYPE) -> httpx.Response:
    return gateway.client.post("/upload", content=body, headers={"Content-Type": content_type})


def upload(gateway: Gateway, data: bytes, name: str = "a.txt") -> httpx.Response:
    return send(gateway, part(data, f'"{name}"'.encode("utf-8", "surrogateescape")) + END)

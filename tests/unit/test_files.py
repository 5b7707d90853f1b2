"""POST /upload and GET /files/{filename}: the same bytes come back, and failed uploads leave nothing."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.files.store import UploadStore
from tests.support.fake_ollama import wait_until
from tests.unit.conftest import Serve
from tests.unit.files import END, FORM_TYPE, JPEG, PDF, PNG, part, send, upload, zipped
from tests.unit.serving import Gateway
from tests.unit.stores import ODD_NAMES, STORED, FullStore

MEBIBYTE = 1024 * 1024
ODT = "application/vnd.oasis.opendocument.text"
TEXT = "0123456789 \u20ac\r\n--b-\r\n--c\r\n".encode()


def stored(gateway: Gateway, data: bytes, name: str = "a.txt") -> str:
    response = upload(gateway, data, name)
    assert response.status_code == 200, response.text
    path: str = response.json()["download_path"]
    return path


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("a.txt", TEXT, "text/plain; charset=utf-8"),
        ("a.html", b"<script>alert(1)</script>", "text/plain; charset=utf-8"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "text/plain; charset=utf-8"),
        ("a.png", PNG + bytes(range(256)) * 1_000, "image/png"),
        ("empty.txt", b"", "text/plain; charset=utf-8"),
        ("README", b"hi", "application/octet-stream"),
        ("a.txt", "Gr\u00fc\u00dfe".encode("cp1252") * 1_000, "text/plain; charset=utf-8"),
        ("a.pdf", b"\r\n" + PDF, "application/pdf"),
        ("a.odt", zipped("content.xml", first=ODT), ODT),
    ],
)
def test_gives_back_the_bytes_as_they_were_sent(gateway: Gateway, name: str, data: bytes, media_type: str) -> None:
    """As a download, never rendered, whatever the content."""
    response = gateway.client.get(stored(gateway, data, name))
    assert (response.status_code, response.content) == (200, data)
    assert response.headers["Content-Type"] == media_type
    assert response.headers["Content-Disposition"].startswith("attachment; filename=")
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_says_where_the_upload_is(gateway: Gateway) -> None:
    """`filename` and `download_path`, and nothing about the server's folders."""
    answer = upload(gateway, b"hi", "my report.txt").json()
    assert answer == {"filename": answer["filename"], "download_path": f"/files/{answer['filename']}"}
    assert STORED.fullmatch(answer["filename"])
    assert answer["filename"].endswith("_my_report.txt")


def test_a_picture_is_stored_as_what_it_is(gateway: Gateway) -> None:
    """Phones call a JPEG *.HEIC; a browser would then be told the wrong type."""
    path = stored(gateway, JPEG, "IMG_0001.HEIC")
    assert path.endswith("_IMG_0001.jpg")
    assert gateway.client.get(path).headers["Content-Type"] == "image/jpeg"


def test_a_name_is_read_as_older_libraries_send_it(gateway: Gateway) -> None:
    """`filename*` and nothing else."""
    body = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename*=utf-8''caf%C3%A9.txt\r\n\r\nhi" + END
    assert send(gateway, body).json()["filename"].endswith("_cafe.txt")


@pytest.mark.parametrize(
    ("wanted", "content", "content_range"),
    [
        ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=8-999", b"89", "bytes 8-9/10"),
    ],
)
def test_gives_a_range(gateway: Gateway, wanted: str, content: bytes, content_range: str) -> None:
    """206 with the requested part."""
    response = gateway.client.get(stored(gateway, b"0123456789"), headers={"Range": wanted})
    assert (response.status_code, response.content) == (206, content)
    assert response.headers["Content-Range"] == content_range


def test_a_range_beyond_the_end_is_416(gateway: Gateway) -> None:
    """It reports the file's size."""
    response = gateway.client.get(stored(gateway, b"0123456789"), headers={"Range": "bytes=10-"})
    assert (response.status_code, response.headers["Content-Range"]) == (416, "bytes */10")


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=a-b", "bytes=5-2", "items=1-2"])
def test_a_refused_range_is_json(gateway: Gateway, wanted: str) -> None:
    """Every error has the one format; a malformed range may also be ignored (RFC 9110)."""
    response = gateway.client.get(stored(gateway, b"0123456789"), headers={"Range": wanted})
    assert response.status_code == 200 or response.json()["detail"]


def test_head_tells_the_size(gateway: Gateway) -> None:
    """Without the bytes."""
    response = gateway.client.head(stored(gateway, b"0123456789"))
    assert (response.status_code, response.headers["Content-Length"], response.content) == (200, "10", b"")


@pytest.mark.parametrize("name", ODD_NAMES, ids=lambda name: ascii(name[:20]))
def test_an_odd_name_does_no_harm(gateway: Gateway, name: str) -> None:
    """It is stored under a safe name or refused; nothing is written outside the store."""
    response = upload(gateway, b"hi", name.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape"))
    assert response.status_code in (200, 415, 422)
    if response.status_code == 200:
        assert STORED.fullmatch(response.json()["filename"])
        assert gateway.client.get(response.json()["download_path"]).content == b"hi"
    # What it was called may be in a hidden file beside it.
    assert len([path for path in gateway.uploads() if path.name[0] != "."]) == (response.status_code == 200)
    assert response.status_code == 200 or gateway.uploads() == []
    assert {path.name for path in gateway.settings.upload_dir.parent.iterdir()} == {"uploads", "state"}


@pytest.mark.parametrize("with_length", [True, False])
@pytest.mark.parametrize(("surplus", "status"), [(-1, 200), (0, 200), (1, 413)])
def test_takes_files_up_to_the_limit(gateway: Gateway, surplus: int, status: int, *, with_length: bool) -> None:
    """MAX_UPLOAD_MB is the file's size, not the body's, announced or not."""
    body = part(b"x" * (MEBIBYTE + surplus)) + END
    pieces: Iterator[bytes] = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    content = body if with_length else pieces
    response = gateway.client.post("/upload", content=content, headers={"Content-Type": FORM_TYPE})
    assert response.status_code == status
    assert [path.stat().st_size for path in gateway.uploads()] == ([MEBIBYTE + surplus] if status == 200 else [])


def test_an_announced_size_is_refused_at_once(gateway: Gateway) -> None:
    """Without waiting for the file."""
    head = (
        f"POST /upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gateway.token}\r\nContent-Length: 99999999\r\n\r\n"
    )
    assert gateway.send(head.encode()).startswith(b"HTTP/1.1 413 ")
    assert gateway.uploads() == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.exe", b"MZ\x90\0" + bytes(60)),
        ("a.zip", b"PK\3\4" + bytes(60)),
        ("a.txt", b"\x7fELF\2\1\1" + bytes(60)),
        ("a.docx", zipped("a.txt")),
        ("a.png", b"just text"),
        ("a.png ", b"just text"),
        ("a.pdf\u200b", b"just text"),
        ("a.txt", b"x" * 300_000 + b"\0"),
        ("a.mp4", b"\0\0\0\x18ftypmp42"),
    ],
    ids=lambda value: repr(value[:12]),
)
def test_another_type_is_415_and_leaves_nothing(gateway: Gateway, name: str, data: bytes) -> None:
    """By name and content, to the end of the file; the detail says which types are accepted."""
    response = upload(gateway, data, name)
    assert response.status_code == 415
    assert "Accepted are" in response.json()["detail"]
    assert gateway.uploads() == []


BROKEN = {
    "no file": (b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nhi' + END, FORM_TYPE),
    "another field": (part(b"hi", field=b"other") + END, FORM_TYPE),
    "a value, no file": (b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nhi' + END, FORM_TYPE),
    "two files": (part(b"hi") + b"\r\n" + part(b"ho") + END, FORM_TYPE),
    "no parts": (b"--b--\r\n", FORM_TYPE),
    "empty": (b"", FORM_TYPE),
    "no multipart": (b"hi", "text/plain"),
    "no content type": (part(b"hi") + END, ""),
    "JSON": (b'{"file":"hi"}', "application/json"),
    "no boundary": (part(b"hi") + END, "multipart/form-data"),
    "another boundary": (part(b"hi") + END, "multipart/form-data; boundary=c"),
    "a boundary too long": (part(b"hi") + END, f"multipart/form-data; boundary={'c' * 300}"),
    "no end": (part(b"hi"), FORM_TYPE),
    "half an end": (part(b"hi") + b"\r\n--b", FORM_TYPE),
    "a broken name": (part(b"hi").replace(b'filename="a.txt"', b"filename*=UTF-8''%") + END, FORM_TYPE),
    "broken headers": (b"--b\r\nContent Disposition\r\n\r\nhi" + END, FORM_TYPE),
    "headers too large": (part(b"hi", b'"%b"' % (b"x" * 100_000)) + END, FORM_TYPE),
    "too many headers": (b"--b\r\n" + b"X: y\r\n" * 1_000 + b"\r\nhi" + END, FORM_TYPE),
}


@pytest.mark.parametrize(("body", "content_type"), BROKEN.values(), ids=BROKEN)
def test_a_broken_form_is_422_and_leaves_nothing(gateway: Gateway, body: bytes, content_type: str) -> None:
    """The detail shows a correct request."""
    response = send(gateway, body, content_type)
    assert response.status_code == 422
    assert "curl -F file=@" in response.json()["detail"]
    assert gateway.uploads() == []


def start_upload(gateway: Gateway) -> bytes:
    head = f"POST /upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gateway.token}\r\nContent-Type: {FORM_TYPE}\r\n"
    return head.encode() + b"Content-Length: 900000\r\n\r\n" + part(b"x" * 100_000)


def partial(gateway: Gateway) -> Path:
    wait_until(gateway.uploads, "an upload is being written")
    (path,) = gateway.uploads()
    return path


def test_an_upload_that_breaks_off_leaves_nothing(gateway: Gateway) -> None:
    """A client that disconnects midway."""
    with gateway.connect() as connection:
        connection.sendall(start_upload(gateway))
        assert partial(gateway).suffix == ".partial"
    wait_until(lambda: not gateway.uploads(), "the half-written file is deleted")


def test_a_half_written_file_cannot_be_read(gateway: Gateway) -> None:
    """Its temporary name is not an upload's name."""
    with gateway.connect() as connection:
        connection.sendall(start_upload(gateway))
        assert gateway.client.get(f"/files/{partial(gateway).name}").status_code == 404
    wait_until(lambda: not gateway.uploads(), "the half-written file is deleted")


def test_a_start_sweeps_what_a_kill_left(serve_with: Serve, tmp_path: Path) -> None:
    """The next process removes the partial file."""
    for folder in ("uploads", "uploads/settings", "uploads/ada"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "0123456789abcdef.partial").touch()
    assert serve_with().uploads() == []


@pytest.mark.parametrize("is_behind_nginx", [False, True])
def test_what_an_earlier_version_stored_is_there(serve_with: Serve, tmp_path: Path, *, is_behind_nginx: bool) -> None:
    """Before this version started and after, since the two overlap in a redeploy."""
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "0123456789ab_old.txt").write_bytes(b"old")
    gateway = serve_with(behind_nginx=is_behind_nginx)
    (tmp_path / "uploads" / "0123456789ab_late.txt").write_bytes(b"late")
    answers = [gateway.client.get(f"/files/0123456789ab_{name}.txt") for name in ("old", "late")]
    assert [answer.status_code for answer in answers] == [200, 200]
    if is_behind_nginx:
        sent = [answer.headers["X-Accel-Redirect"] for answer in answers]
        assert sent == ["/_stored/settings/0123456789ab_old.txt", "/_stored/0123456789ab_late.txt"]
    else:
        assert [answer.content for answer in answers] == [b"old", b"late"]


def test_a_full_disk_is_507_and_leaves_nothing(serve_with: Serve) -> None:
    """The disk fills up in the middle of the file."""
    gateway = serve_with()
    store: UploadStore = FullStore(gateway.settings.upload_dir, 1)
    gateway.app.state.parts.uploads = store
    response = upload(gateway, b"hi")
    assert response.status_code == 507
    assert "full" in response.json()["detail"]
    assert gateway.uploads() == []


@pytest.mark.parametrize(
    "spelling",
    [
        "..%2f{name}",
        "%2e%2e/uploads/{name}",
        "x/../{name}",
        "{name}/",
        "{name}%00",
        "{name}%0a",
        "{name}.partial",
        "./{name}",
        "%2f{name}",
        "{upper}",
        "{name}%20",
        "..%2fstate%2fsecret_key",
        "....//{name}",
        "0{name}",
        "%ff{name}",
        "",
    ],
)
def test_only_the_exact_name_leads_to_a_file(gateway: Gateway, spelling: str) -> None:
    """Anything else is 404 in JSON."""
    name = stored(gateway, b"secret").removeprefix("/files/")
    path = "/files/" + spelling.format(name=name, upper=name.upper())
    raw = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {gateway.token}\r\n\r\n"
    answer = gateway.send(raw.encode())
    assert answer.split(b" ", 2)[1] == b"404"
    assert b'{"detail":' in answer
    assert b"secret" not in answer.partition(b"\r\n\r\n")[2] or b"secret_key" in answer


def test_a_percent_encoded_name_is_the_same_name(gateway: Gateway) -> None:
    """%61 is a, so that URL is exact."""
    path = stored(gateway, b"hi", "a.txt").replace("_a.", "_%61.")
    assert gateway.client.get(httpx.URL(gateway.url, raw_path=path.encode())).content == b"hi"


def test_a_stranger_learns_nothing_of_files(gateway: Gateway) -> None:
    """401 for an existing file and for a missing one."""
    answers = [gateway.stranger.get(path) for path in (stored(gateway, b"hi"), "/files/0123456789ab_a")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].content == answers[1].content


def test_a_strangers_upload_is_not_read(gateway: Gateway) -> None:
    """401 comes before any of it has been sent."""
    assert gateway.send(b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n").startswith(b"HTTP/1.1 401 ")
    assert gateway.uploads() == []


def test_nginx_is_told_to_send_the_file(behind_nginx: Gateway) -> None:
    """The API allows, nginx sends: no bytes, the internal location, the same headers."""
    path = stored(behind_nginx, b"hi", "a.txt")
    response = behind_nginx.client.get(path)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["X-Accel-Redirect"] == path.replace("/files/", "/_stored/settings/")
    assert response.headers["Content-Disposition"] == f'attachment; filename="{os.path.basename(path)}"'  # noqa: PTH119
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"

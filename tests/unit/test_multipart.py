"""Extracting the field `file` from a streamed form."""

import pytest

from api.errors import InvalidBody
from api.files.form import FileFieldParser
from tests.unit.files import END, FORM_TYPE, part

DATA = b"\r\n--\r\n--c\r\n\r\n--b\0--" * 5
OTHER = b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nnot the file\r\n'


def read(body: bytes, piece_bytes: int = 65_536, content_type: str = FORM_TYPE) -> tuple[list[str], bytes]:
    """The names and the data found."""
    names: list[str] = []
    data = bytearray()

    field = FileFieldParser(content_type, names.append, data.extend)
    for start in range(0, len(body), piece_bytes):
        field.feed(body[start : start + piece_bytes])
    field.finish()
    return names, bytes(data)


@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 7, 65_536])
def test_the_data_comes_out_as_it_went_in(piece_bytes: int) -> None:
    """However the body is split, even if the data looks like a boundary."""
    assert read(part(DATA) + END, piece_bytes) == (["a.txt"], DATA)


@pytest.mark.parametrize("piece_bytes", [1, 65_536])
def test_other_fields_are_passed_over(piece_bytes: int) -> None:
    """Before the file and after it."""
    body = OTHER + part(DATA) + b"\r\n" + OTHER.removesuffix(b"\r\n") + END
    assert read(body, piece_bytes) == (["a.txt"], DATA)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"a.txt", "a.txt"),
        (b'""', ""),
        ('"\u65e5\u672c.txt"'.encode(), "\u65e5\u672c.txt"),
        (b'"a\xff.txt"', "a\ufffd.txt"),
        (b'"a;b=c.txt"', "a;b=c.txt"),
    ],
)
def test_reads_the_name_that_clients_send(name: bytes, expected: str) -> None:
    """Quoted or not, UTF-8 or broken."""
    assert read(part(b"hi", name) + END)[0] == [expected]


@pytest.mark.parametrize("content_type", ["Multipart/Form-Data; boundary=b", 'multipart/form-data; boundary="b"'])
def test_reads_the_boundary_that_clients_send(content_type: str) -> None:
    """Quoted or not, with the type in any case."""
    assert read(part(b"hi") + END, content_type=content_type)[1] == b"hi"


def test_header_names_are_read_in_any_case() -> None:
    """Like HTTP's own headers."""
    body = part(b"hi").replace(b"Content-Disposition", b"Content-Type: text/plain\r\ncontent-DISPOSITION")
    assert read(body + END) == (["a.txt"], b"hi")


def test_a_parts_name_is_not_inherited() -> None:
    """A part without a disposition is ignored, even right after the file's part."""
    assert read(part(b"hi") + b"\r\n--b\r\nX: y\r\n\r\nho" + END)[1] == b"hi"


@pytest.mark.parametrize("cut", [1, 4, 8])
def test_a_body_that_ends_early_is_refused(cut: int) -> None:
    """Before the final two dashes of the last boundary."""
    body = part(b"hi") + END.rstrip()
    with pytest.raises(InvalidBody, match="ends before"):
        read(body[:-cut])


def test_two_files_are_refused() -> None:
    """It would be unclear which one was stored."""
    with pytest.raises(InvalidBody, match="two fields"):
        read(part(b"hi") + b"\r\n" + part(b"ho") + END)


@pytest.mark.parametrize(("others", "is_taken"), [(99, True), (100, False)])
def test_a_form_has_at_most_a_hundred_fields(others: int, *, is_taken: bool) -> None:
    """Each costs time, and a body of 100 MB has room for two million."""
    body = OTHER * others + part(DATA) + END
    if is_taken:
        assert read(body) == (["a.txt"], DATA)
    else:
        with pytest.raises(InvalidBody, match="more than 100 fields"):
            read(body)

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
        (b'"say %22hi%22.txt"', 'say "hi".txt'),
        (b'"two%0D%0Alines.txt"', "two\r\nlines.txt"),
        (b'"100%25 %0a.txt"', "100%25 %0a.txt"),
        (b'"a\\"b.txt"', 'a"b.txt'),
    ],
)
def test_reads_the_name_that_clients_send(name: bytes, expected: str) -> None:
    """Quoted or not, UTF-8 or broken; with what browsers and curl escape as it was typed."""
    assert read(part(b"hi", name) + END)[0] == [expected]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (b"filename*=UTF-8''%E6%9D%B1%E4%BA%AC.png", "\u6771\u4eac.png"),
        (b"filename*=utf-8''na%c3%afve.txt", "na\u00efve.txt"),
        (b"filename*=utf-8'en'100%25.txt", "100%.txt"),
        (b"filename*=ISO-8859-1''caf%E9.txt", "caf\u00e9.txt"),
        (b"FileName*=UTF-8''a.txt", "a.txt"),
        (b"filename*=\"utf-8''%C3%A4.txt\"", "\u00e4.txt"),
        (b"filename* = UTF-8''%C3%A4.txt ; x=y", "\u00e4.txt"),
        (b"filename*=UTF-8''it%27s%22.txt", "it's\".txt"),
        (b"filename*=UTF-8''%22.txt; filename=b.txt", '".txt'),
        (b"filename=b.txt; filename*=UTF-8''%C3%A4.txt", "\u00e4.txt"),
        (b"filename*=UTF-8''%C3%A4.txt; filename=\"b.txt\"", "\u00e4.txt"),
        (b"filename=\"b; filename*=UTF-8''c\"", "b; filename*=UTF-8''c"),
        (b"filename*=UTF-8''%; filename=b.txt", "b.txt"),
        (b"filename*=UTF-8''%zz; filename=b.txt", "b.txt"),
        (b"filename*=UTF-8''%FF; filename=b.txt", "b.txt"),
        (b"filename*=GBK''%C4%E3; filename=b.txt", "b.txt"),
        (b"filename*=\xff''a; filename=b.txt", "b.txt"),
        (b"filename*=a.txt; filename=b.txt", "b.txt"),
    ],
)
def test_reads_the_name_in_another_charset(parameters: bytes, expected: str) -> None:
    """`filename*` (RFC 8187) wins, as older libraries mean it; if it is broken, `filename` counts."""
    body = b'--b\r\nContent-Disposition: form-data; name="file"; ' + parameters + b"\r\n\r\nhi" + END
    assert read(body) == ([expected], b"hi")


@pytest.mark.parametrize("value", [b"UTF-8''%", b"UTF-8''%FF", b"GBK''%C4%E3", b"a.txt", b"", b"''"])
def test_a_broken_name_is_refused_in_words(value: bytes) -> None:
    """If there is no other; the message shows how it is written."""
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename*=' + value + b"\r\n\r\nhi" + END
    with pytest.raises(InvalidBody, match=r"filename\*=UTF-8''na%C3%AFve.txt"):
        read(body)


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

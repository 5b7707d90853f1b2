"""The cost of an input grows no faster than its size, wherever a stranger or a caller can send one."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from starlette.responses import MalformedRangeHeader

from api.accounts.identify import password_of
from api.accounts.store import comparable
from api.accounts.tokens import Tokens
from api.errors import ApiError
from api.files.content.validator import ContentValidator
from api.files.disposition import sent_name
from api.files.form import FileFieldParser
from api.files.names import original_name, safe_name
from api.files.text.pages import page_ranges
from api.files.text.tokens import estimated_tokens
from api.http.slashes import meant
from api.ollama.direct import UploadResponse
from api.ollama.model_names import canonical, is_cloud, is_name
from api.ollama.not_found import not_found_response
from api.ollama.requests import ModelRequest, check_chat
from api.ollama.strict_json import parse_json
from api.ollama.structure import MAX_STRUCTURE_BYTES
from api.settings import Settings
from reader.answers import Unreadable, reading_in

DOUBLINGS = 4
# Twice the input takes twice the time; quadratic would be four times. The rest is noise.
MAX_GROWTH = 2.6
RUNS = 5
SMALLEST_BYTES = (MAX_STRUCTURE_BYTES - 4096) // 2**DOUBLINGS
ENOUGH_SECONDS = 0.3

tokens = Tokens(Settings.model_validate({"secret_key": "a signing key of more than 32 bytes"}))


ranges = UploadResponse._parse_range_header  # noqa: SLF001


def upload(body: bytes, boundary: str = "x") -> None:
    """Reads `body` as an upload, in network-sized pieces."""

    field = FileFieldParser(f"multipart/form-data; boundary={boundary}", lambda _: None, lambda _: None)
    for start in range(0, len(body), 65_536):
        field.feed(body[start : start + 65_536])
    field.finish()


def part(headers: bytes, data: bytes = b"") -> bytes:
    return b"--x\r\n" + headers + b"\r\n\r\n" + data


def follow(name: str, content: bytes, piece_bytes: int = 65_536) -> None:
    """Validates `content`, in network-sized pieces."""
    check = ContentValidator(name)
    for start in range(0, len(content), piece_bytes):
        check.feed(content[start : start + piece_bytes])
    check.finish()


def unreadable(answer: bytes) -> None:
    with suppress(Unreadable):
        reading_in(answer)


FILE = b'Content-Disposition: form-data; name="file"; filename="a.txt"'
BODIES: dict[str, Callable[[int], bytes]] = {
    "different keys, the last twice": lambda n: (
        b'{"a":0,' + b"".join(b'"%d":0,' % i for i in range(n // 9)) + b'"z":0,"z":0}'
    ),
    "the same key": lambda n: b"{" + b'"a":0,' * (n // 6) + b'"a":0}',
    "objects with a duplicate": lambda n: b"[" + b'{"a":0,"b":0},' * (n // 14) + b'{"a":0,"a":0}]',
    "numbers": lambda n: b'{"model":"a","messages":[' + b"0," * (n // 2) + b"0]}",
    "messages": lambda n: b'{"model":"a","messages":[' + b'{"role":"user"},' * (n // 16) + b'{"role":"user"}]}',
    "messages, one key in another case": lambda n: (
        b'{"model":"a","messages":[' + b'{"x":0},' * (n // 8) + b'{"Role":0}]}'
    ),
    "tool calls": lambda n: b'{"model":"a","messages":[{"role":"a","tool_calls":[' + b"0," * (n // 2) + b"0]}]}",
    "pictures": lambda n: b'{"model":"a","messages":[{"role":"a","images":[' + b"0," * (n // 2) + b"0]}]}",
    "keys": lambda n: b'{"model":"a",' + b"".join(b'"%d":0,' % i for i in range(n // 9)) + b'"messages":[]}',
    "a long key": lambda n: b'{"' + b"a" * n + b'":0}',
    "a long model": lambda n: b'{"model":"' + b"a" * n + b'","messages":[]}',
    "a model of many parts": lambda n: b'{"model":"' + b"a/" * (n // 2) + b':","messages":[]}',
    "empty strings": lambda n: b'["' + b'","' * (n // 3) + b'"]',
    "short strings": lambda n: b'["' + (b"a" * 190 + b'","') * (n // 193) + b'"]',
    "long strings": lambda n: b'["' + (b"a" * 300 + b'","') * (n // 303) + b'"]',
    "strings of escaped quotes": lambda n: b'["' + (b'\\"' * 300 + b'","') * (n // 603) + b'"]',
    "a string of escapes": lambda n: b'["' + b"\\u00e4" * (n // 6) + b'"]',
    "quotes": lambda n: b'"' * n,
    "a string that does not end": lambda n: b'["' + b'\\"' * (n // 2),
    "backslashes": lambda n: b'"' + b"\\" * n,
    "depth": lambda n: b"[" * n,
    "depth in objects": lambda n: b'{"a":' * (n // 5),
    "a number": lambda n: b"[" + b"9" * n,
    "decimals": lambda n: b"[0." + b"9" * n + b"]",
    "an exponent": lambda n: b"[1e" + b"9" * n + b"]",
    "blanks": lambda n: b"[" + b" " * n + b"]",
}
UPLOADS: dict[str, Callable[[int], bytes]] = {
    "a file": lambda n: part(FILE, b"a" * n) + b"\r\n--x--\r\n",
    "line ends": lambda n: part(FILE, b"\r\n" * (n // 2)) + b"\r\n--x--\r\n",
    "what begins like the boundary": lambda n: part(FILE, b"\r\n--" * (n // 4)) + b"\r\n--x--\r\n",
    "parts": lambda n: (part(b'Content-Disposition: form-data; name="a"') + b"\r\n") * (n // 55) + b"--x--\r\n",
    "headers": lambda n: part(b"A: b\r\n" * (n // 6) + FILE),
    "a long header": lambda n: part(b"A: " + b"b" * n),
    "a long header name": lambda n: part(b"A" * n),
    "parameters": lambda n: part(b"Content-Disposition: form-data" + b"; a=b" * (n // 5)),
    "a long name in percent": lambda n: part(FILE + b"; filename*=UTF-8''" + b"%41" * (n // 3)),
    "a preamble": lambda n: b"\r\n" * (n // 2),
}
OTHERS: dict[str, Callable[[int], object]] = {
    "boundary": lambda n: upload(b"", "x" * n),
    "parameters of a content type": lambda n: upload(b"", "x" + "; a=b" * (n // 5)),
    "file name": lambda n: safe_name("a" * n),
    "file name of dots": lambda n: safe_name("." * n + "/" + "_." * (n // 2)),
    "file name of folders": lambda n: safe_name("a/\\" * (n // 3)),
    "file name that unfolds": lambda n: safe_name("\ufdfa" * n),
    "pages": lambda n: page_ranges("1," * (n // 2)),
    "digits of a page": lambda n: page_ranges("1" * n),
    "estimate of tokens": lambda n: estimated_tokens("a1\u00e4" * (n // 3)),
    "answer of a reading": lambda n: unreadable(b'{"text":"' + b"a" * n),
    "depth of an answer": lambda n: unreadable(b"[" * n),
    "file name of accents": lambda n: safe_name("\u0300\u0316" * (n // 2)),
    "original name": lambda n: original_name("a" * n),
    "original name of accents": lambda n: original_name("\u0300\u0316" * (n // 2)),
    "original name of folders": lambda n: original_name("a/\\" * (n // 3)),
    "original name of blanks": lambda n: original_name(" " * n + "a" + " " * n),
    "sent name in percent": lambda n: sent_name(b"; filename*=UTF-8''" + b"%41" * (n // 3), None),
    "sent name, broken at its end": lambda n: sent_name(b"; filename*=UTF-8''" + b"%41" * (n // 3) + b"%", b"a"),
    "sent name of quotes": lambda n: sent_name(b"; filename*=" + b"'" * n, b"a"),
    "sent name to unescape": lambda n: sent_name(b"", b"%22" * (n // 3)),
    "open quotes": lambda n: sent_name(b';a="\\"' * (n // 6), b"a"),
    "an open quote": lambda n: sent_name(b';a="' + b"\\" * n, b"a"),
    "semicolons": lambda n: sent_name(b";" * n, b"a"),
    "blanks between parameters": lambda n: sent_name(b";" + b" " * n + b"a" + b" " * n, b"a"),
    "a parameter's long name": lambda n: sent_name(b";" + b"a" * n, b"a"),
    "text": lambda n: follow("a.txt", b"a" * n),
    "text in Windows-1252": lambda n: follow("a.txt", b"\xfc" * n),
    "text in many encodings": lambda n: follow("a.txt", b"a\xfc\xc3\xbc" * (n // 4)),
    "text byte by byte": lambda n: follow("a.txt", b"\xfc" * n, 1),
    "text in UTF-16 without its mark": lambda n: follow("a.txt", b"a\0" * (n // 2)),
    "document of many parts": lambda n: follow("a.docx", (b"PK\3\4" + bytes(26)) * (n // 30)),
    "document of large parts": lambda n: follow("a.docx", b"PK\3\4" + b"\xff" * n),
    "document byte by byte": lambda n: follow("a.docx", b"PK\3\4" * (n // 4), 1),
    "PDF behind other bytes": lambda n: follow("a.pdf", b"%PDF" * (n // 4)),
    "table called a workbook": lambda n: follow("a.xls", b" " * n),
    "text in UTF-16": lambda n: follow("a.txt", b"\xff\xfe" + b"a\0" * (n // 2)),
    "picture": lambda n: follow("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * n),
    "head of a text": lambda n: follow("a", b"\n" * n),
    "model name": lambda n: is_name("a" * n + "!"),
    "model name of parts": lambda n: is_name("a/" * (n // 2) + "!"),
    "model name of ports": lambda n: is_name("a:1/" * (n // 4) + "a:1:"),
    "model name of dots": lambda n: is_name("a." * (n // 2) + "/"),
    "spelling of a model": lambda n: canonical("A/" * (n // 2) + ":"),
    "cloud": lambda n: is_cloud(":cloud" * (n // 6) + "/"),
    "token": lambda n: tokens.verify("a" * n),
    "token of parts": lambda n: tokens.verify("a." * (n // 2)),
    "token with a long header": lambda n: tokens.verify("a" * n + ".a.a"),
    "password of a URL": lambda n: password_of("-" * n),
    "email address": lambda n: comparable("\u00df" * n),
    "unknown path": lambda n: not_found_response("GET", "/v1/api" * (n // 7)),
    "path of slashes": lambda n: meant("/" * n + "a" + "//a" * (n // 3) + "/" * n),
    "ranges": lambda n: ranges("bytes=" + "0-0," * (n // 4) + "0-0", 10_000_000),
    "ranges apart": lambda n: ranges("bytes=" + ",".join(f"{i}-{i}" for i in range(0, n // 4, 2)), 10_000_000),
    "digits of a range": lambda n: ranges("bytes=" + "9" * n + "-", 10_000_000),
}


def seconds(work: Callable[[], object]) -> float:
    """The fastest of a few runs, in processor time, because the machine is shared."""
    times: list[float] = []
    while len(times) < RUNS and sum(times) < ENOUGH_SECONDS:
        started = time.process_time()
        with suppress(ApiError, MalformedRangeHeader):
            work()
        times.append(time.process_time() - started)
    return min(times)


def growth(work: Callable[[bytes], object], make: Callable[[int], bytes], smallest_bytes: int) -> float:
    """The average factor by which doubling the size increases the time."""
    smallest, largest = make(smallest_bytes), make(smallest_bytes * 2**DOUBLINGS)
    # Below a millisecond, differences are noise.
    first = max(seconds(lambda: work(smallest)), 0.001)
    return float((seconds(lambda: work(largest)) / first) ** (1 / DOUBLINGS))


@pytest.mark.parametrize("make", BODIES.values(), ids=BODIES)
def test_a_chat_costs_no_more_than_its_size(make: Callable[[int], bytes]) -> None:
    """Up to 1 MB, which are parsed as they are."""
    assert growth(check_chat, make, SMALLEST_BYTES) < MAX_GROWTH


@pytest.mark.parametrize("make", BODIES.values(), ids=BODIES)
def test_a_large_body_costs_no_more_than_its_size(make: Callable[[int], bytes]) -> None:
    """From 1 MB to 16 MB, which are parsed without their long strings."""
    assert growth(parse_json, make, MAX_STRUCTURE_BYTES + 1024) < MAX_GROWTH


@pytest.mark.parametrize("case", ["keys", "a long model", "a model of many parts"])
def test_a_body_of_another_protocol_costs_no_more_than_its_size(case: str) -> None:
    """Model names are searched by key."""
    work = ModelRequest.check
    assert growth(work, BODIES[case], SMALLEST_BYTES) < MAX_GROWTH


@pytest.mark.parametrize("make", UPLOADS.values(), ids=UPLOADS)
def test_an_upload_costs_no_more_than_its_size(make: Callable[[int], bytes]) -> None:
    """Parts and headers are few and short."""
    assert growth(upload, make, 64 * 1024) < MAX_GROWTH


@pytest.mark.parametrize("work", OTHERS.values(), ids=OTHERS)
def test_a_name_or_header_costs_no_more_than_its_size(work: Callable[[int], object]) -> None:
    """Even beyond nginx's limits, because LocalChat also runs without it."""
    assert growth(lambda size: work(len(size)), lambda size: b" " * size, 8 * 1024) < MAX_GROWTH

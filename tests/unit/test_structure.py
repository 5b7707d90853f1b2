"""A large body is parsed without the content of its long strings, with the same meaning."""

import json

import pytest

from api.errors import AmbiguousBody, BodyTooLarge, InvalidBody
from api.ollama.strict_json import parse_json
from api.ollama.structure import LONG_STRING_BYTES, MAX_STRUCTURE_BYTES, WINDOW_BYTES, without_long_strings

FILL = b'{"text":"%b","rest":' % (b"x" * MAX_STRUCTURE_BYTES)
TAILS = [b"x", b'\\"', b"\\\\", b"\\u00e4", "\u00e4".encode(), "\U0001f999".encode(), b"]", b"{", b","]


def shape(value: object) -> object:
    """`value` with None for each long string."""
    if isinstance(value, dict):
        return {key: shape(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [shape(entry) for entry in value]
    return None if isinstance(value, str) and (len(value) > LONG_STRING_BYTES or value[:1] == "\udc00") else value


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize(
    "length", [0, 1, LONG_STRING_BYTES + 1, WINDOW_BYTES - 40, *range(WINDOW_BYTES - 30, WINDOW_BYTES + 5), 200_000]
)
def test_whatever_a_string_holds_and_wherever_it_ends(length: int, tail: bytes) -> None:
    """Also if a window of the scan ends inside it, or inside an escape."""
    rest = [{"a": "", "b": ["c", 1]}, (b"x" * length + tail).decode("unicode_escape" if tail[:1] == b"\\" else "utf-8")]
    rest_as_sent = b'[{"a":"","b":["c",1]},"%b%b"]' % (b"x" * length, tail)
    body = FILL + rest_as_sent + b',"z":"%b"}' % tail
    parsed = parse_json(body)
    assert shape(parsed) == shape(json.loads(body))
    assert shape(json.loads(body)["rest"]) == shape(rest)


def test_a_body_of_a_megabyte_is_left_as_it_is() -> None:
    """Ordinary bodies are not changed."""
    body = b'"%b"' % (b"x" * (MAX_STRUCTURE_BYTES - 2))
    assert without_long_strings(body) is body
    assert len(without_long_strings(body[:-1] + b'x"')) < 20


@pytest.mark.parametrize(
    "rest",
    [
        b'"open}',
        b'"open\\"}',
        b'"open\\',
        b'"' + b"x" * 300,
        b'"' + b"\\" * 70_001,
        b"'a'}",
        b"1}}",
        b'"\xff"}',
        b'"\xed\xa0\x80"}',
    ],
    ids=lambda rest: repr(rest[:10]),
)
def test_what_is_not_json_is_refused(rest: bytes) -> None:
    """Unterminated strings, wrong quotes, not UTF-8."""
    with pytest.raises(InvalidBody):
        parse_json(FILL + rest)


def test_invalid_utf8_in_a_long_string_is_refused() -> None:
    """Although its content is not parsed."""
    with pytest.raises(InvalidBody, match="UTF-8"):
        parse_json(FILL.replace(b"x", b"\xff", 1) + b"1}")


def test_duplicate_keys_are_found_in_a_large_body() -> None:
    """Of keys that Ollama may know; long ones are not compared."""
    with pytest.raises(AmbiguousBody):
        parse_json(FILL + b'{"a":1,"\\u0061":2}}')
    assert parse_json(FILL + b'{"%b":1,"%b":2}}' % (b"k" * 300, b"k" * 300))


@pytest.mark.parametrize("values", [b"0,", b'"",', b"{},", b'{"role":"user"},', b'"' + b"x" * 150 + b'",'])
def test_too_many_values_are_refused(values: bytes) -> None:
    """1 MB of any values; the remedy is a smaller request."""
    with pytest.raises(BodyTooLarge, match="too many values"):
        parse_json(b"[" + values * (MAX_STRUCTURE_BYTES // len(values) + 1) + b'0,"' + b"x" * 2_000_000 + b'"]')


def test_fifty_thousand_long_texts_are_taken() -> None:
    """They count only for what is left without them."""
    assert len(list(parse_json(b'["' + b'","'.join([b"x" * 300] * 50_000) + b'"]'))) == 50_000  # type: ignore[call-overload]

"""A file's name in the Content-Disposition of its part, as browsers, curl and libraries write it."""

import re
from urllib.parse import unquote_to_bytes

# Quantifiers that give nothing back (`*+`): a header of any content costs no more than its size.
PARAMETER = re.compile(rb';\s*+([^=;\s]++)\s*+=\s*+("(?:[^"\\]|\\.)*+"|[^;]*+)', re.DOTALL)
PERCENT_ENCODED = re.compile(rb"(?:[^%]|%[0-9A-Fa-f]{2})*+", re.DOTALL)
CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "iso-8859-1": "iso-8859-1"}
# Browsers escape these three and nothing else, not even `%` (HTML, multipart form data).
ESCAPED_BY_BROWSERS = {"%22": '"', "%0D": "\r", "%0A": "\n"}


class BrokenName(ValueError):
    """`filename*` cannot be read, and there is no `filename`."""


def sent_name(disposition: bytes, plain: bytes | None) -> str | None:
    """What `filename*` says, or `plain`, the value of `filename`; None without a name. Raises BrokenName.

    RFC 7578 has no `filename*` in forms; older libraries send it all the same, some of them nothing else.
    """
    extended = _extended(disposition)
    if extended is None:
        return plain if plain is None else _unescaped(plain.decode("utf-8", "replace"))
    try:
        return _decoded(extended)
    except ValueError as error:
        if plain is None:
            raise BrokenName("filename* must be as in filename*=UTF-8''na%C3%AFve.txt (RFC 8187).") from error
        return _unescaped(plain.decode("utf-8", "replace"))


def _extended(disposition: bytes) -> bytes | None:
    parameters = (match.groups() for match in PARAMETER.finditer(disposition))
    return next((value.strip().strip(b'"') for name, value in parameters if name.lower() == b"filename*"), None)


def _decoded(value: bytes) -> str:
    """RFC 8187, 3.2: `charset'language'percent-encoded`. Raises ValueError."""
    charset, _language, encoded = value.split(b"'", 2)
    encoding = CHARSETS.get(charset.decode("ascii").lower())
    if encoding is None or not PERCENT_ENCODED.fullmatch(encoded):
        raise ValueError(value)
    return unquote_to_bytes(encoded).decode(encoding)


def _unescaped(name: str) -> str:
    for escaped, character in ESCAPED_BY_BROWSERS.items():
        name = name.replace(escaped, character)
    return name

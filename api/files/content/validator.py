"""Checks a file's content as it streams by, and gives the file the name that fits."""

from api.errors import UnsupportedFile
from api.files.content.kinds import KINDS, OFFICE_KINDS, OLD_OFFICE, Kind, name_for, renamed, suffix_of
from api.files.content.refusals import ACCEPTED, refusal_by_content, refusal_by_name
from api.files.content.signatures import HEAD_BYTES, kind_of
from api.files.content.text import NotText, TextFollower

# Web applications export tables and letters as HTML or plain text under these names; Office opens them.
MAY_BE_TEXT = {".doc", ".rtf", ".xls"}
BLANK = b"\xef\xbb\xbf \t\r\n"


class ContentValidator:
    """Feed it a file. Raises UnsupportedFile as soon as it is known that the file is not accepted."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._suffix = suffix_of(name)
        self._head = b""
        self._is_settled = False
        self._text: TextFollower | None = None
        if refusal := refusal_by_name(self._suffix):
            raise UnsupportedFile(refusal)

    def feed(self, data: bytes) -> None:
        if self._is_settled:
            self._follow(data)
            return
        self._head += data
        if len(self._head) >= HEAD_BYTES:
            self._settle()

    def finish(self) -> str:
        """The name with the suffix of what the file is."""
        if not self._is_settled:
            self._settle()
        self._follow(b"", final=True)
        return self._name

    def _settle(self) -> None:
        self._is_settled = True
        head = self._head
        kind = kind_of(head, self._suffix)
        if kind:
            self._check_old_office(kind)
            self._name = name_for(kind, self._name)
            return
        self._text = TextFollower(head)
        self._follow(head)
        self._name = self._name_of_text(head)

    def _follow(self, data: bytes, *, final: bool = False) -> None:
        if self._text is None:
            return
        try:
            self._text.feed(data, final=final)
        except NotText as error:
            raise UnsupportedFile(refusal_by_content(self._head) or self._unknown()) from error

    def _unknown(self) -> str:
        if self._suffix in KINDS:
            return f"The content doesn't match the {self._suffix} extension. {ACCEPTED}"
        return f"This file is neither text nor of another type that is accepted. {ACCEPTED}"

    def _check_old_office(self, kind: Kind) -> None:
        if kind is not OLD_OFFICE or self._suffix in kind.types:
            return
        if KINDS.get(self._suffix) in OFFICE_KINDS:
            raise UnsupportedFile(
                "This document is protected with a password, or in the format of an older Office. "
                f"Save it again without a password, as {self._suffix}."
            )
        suffixes = ", ".join(kind.types)
        raise UnsupportedFile(
            f"This looks like {kind.name}, or like another format of those years. "
            f"If it is one of Office, give it the extension that it needs: {suffixes}. {ACCEPTED}"
        )

    def _name_of_text(self, head: bytes) -> str:
        if self._suffix not in KINDS:
            return self._name
        if self._suffix not in MAY_BE_TEXT:
            what = "it is text" if head else "it is empty"
            raise UnsupportedFile(f"The content doesn't match the {self._suffix} extension: {what}. {ACCEPTED}")
        return renamed(self._name, _suffix_of_text(head))


def _suffix_of_text(head: bytes) -> str:
    start = head.lstrip(BLANK).lower()
    if start.startswith(b"mime-version:"):
        return ".mht"  # a web page with its images, as one text
    if b"<html" in start or b"<table" in start:
        return ".html"
    return ".xml" if start.startswith(b"<?xml") else ".txt"

"""Takes the one field `file` out of a multipart/form-data body as it streams by, holding no more than a chunk of it."""

from collections.abc import Callable

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.errors import InvalidBody
from api.files.disposition import BrokenName, sent_name

FIELD = "file"
# A form has a handful of fields. Each part costs 20 µs: a body of nothing else would take half a minute.
MAX_PARTS = 100
WANTED = f"Send multipart/form-data with one field '{FIELD}', e.g.: curl -F {FIELD}=@photo.png"


class FileFieldParser:
    """Feeds the name, as the client has it, and the data of the field `file` to the two callbacks."""

    def __init__(self, content_type: str, on_name: Callable[[str], None], on_data: Callable[[bytes], None]) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise InvalidBody(f"The body is not multipart/form-data with a boundary. {WANTED}")
        self._on_name = on_name
        self._on_data = on_data
        self._header_name = self._header_value = b""
        self._disposition = b""
        self._parts = 0
        self._seen = self._reading = self._complete = False
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise InvalidBody(f"{error}. {WANTED}") from error

    def feed(self, data: bytes) -> None:
        """Raises InvalidBody, and what the callbacks raise."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise InvalidBody(f"The body is broken: {error}. {WANTED}") from error

    def finish(self) -> None:
        """Raises InvalidBody unless the whole form was fed, with the field."""
        if not self._complete:
            raise InvalidBody(f"The body ends before its last boundary. {WANTED}")
        if not self._seen:
            raise InvalidBody(f"There is no field '{FIELD}' with a file name. {WANTED}")

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise InvalidBody(f"There are more than {MAX_PARTS} fields. {WANTED}")
        self._disposition = b""
        self._reading = False

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header_name = self._header_value = b""

    def _on_headers_finished(self) -> None:
        field, name = self._field_and_name()
        if field != FIELD.encode() or name is None:
            return
        if self._seen:
            raise InvalidBody(f"There are two fields '{FIELD}'. {WANTED}")
        self._seen = self._reading = True
        self._on_name(name)

    def _field_and_name(self) -> tuple[bytes | None, str | None]:
        _, options = parse_options_header(self._disposition)
        try:
            return options.get(b"name"), sent_name(self._disposition, options.get(b"filename"))
        except BrokenName as error:
            raise InvalidBody(f"{error} {WANTED}") from error

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._reading:
            self._on_data(data[start:end])

    def _on_end(self) -> None:
        self._complete = True

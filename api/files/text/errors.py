"""Why there is no text of a file, in words for a person."""

from api.errors import ApiError
from reader.answers import MAX_CHARACTERS, Reason, Unreadable

RETRY_SECONDS = 5


class NoText(ApiError, status=422): ...


class ReadingTooSlow(ApiError, status=504): ...


class ReaderBusy(ApiError, status=503):
    detail = "Other documents are being read at the moment; try again in a few seconds."

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, {"Retry-After": str(RETRY_SECONDS)})


class ReaderUnavailable(ReaderBusy):
    detail = "The service `reader` does not answer; its log says why (docker compose logs reader)."


WORDS = {
    Reason.PICTURE: "{name} is a picture: it has no text to read. A vision model takes it as it is.",
    Reason.SCAN: "{name} is a scan: its pages are pictures, without text. Put it through text recognition first, for "
    "example with ocrmypdf, and upload the result.",
    Reason.EMPTY: "There is no text in {name}.",
    Reason.BINARY: "{name} is neither text nor a document that can be read here. Save it as a PDF, and upload that.",
    Reason.ENCRYPTED: "{name} is protected with a password. Save it without one, and upload that.",
    Reason.BROKEN: "{name} is damaged, or too complex to read. Open it, save it again, and upload that.",
    Reason.TOO_LARGE: "{name} takes more memory to read than a document may. Split it, and upload the parts.",
    Reason.NOT_LINUX: "{name} cannot be read here: outside of Linux, nothing confines the process that reads it. Run "
    "LocalChat with Docker.",
    Reason.NO_PAGES: "{name} has no pages to choose from; only PDFs do. Leave out 'pages'.",
}


def no_text(error: Unreadable, name: str) -> ApiError:
    match error.reason:
        case Reason.BUSY:
            return ReaderBusy()
        case Reason.SLOW:
            return ReadingTooSlow(f"Reading {name} takes too long. {_fewer(name)}")
        case Reason.TOO_LONG:
            return NoText(_too_long(name, error.number))
        case Reason.NO_SUCH_PAGE:
            return NoText(f"{name} has {error.number} pages, from 1 to {error.number}; 'pages' asks for others.")
    return NoText(WORDS[error.reason].format(name=name))


def _too_long(name: str, last_page: int | None) -> str:
    problem = f"The text of {name} is longer than {MAX_CHARACTERS:,} characters"
    if last_page:
        return f"{problem}; these fit up to page {last_page}. Ask for fewer pages, for example ?pages=1-10."
    return f"{problem}. Split it, and upload the parts."


def _fewer(name: str) -> str:
    if name.lower().endswith(".pdf"):
        return "Ask for fewer pages, for example ?pages=1-10."
    return "Split it, and upload the parts."

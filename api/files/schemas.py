"""What clients get about their files."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Self

from pydantic import BaseModel, Field

from api.files.account import NANOSECONDS, StoredFile
from api.files.content.kinds import media_type


def download_path(name: str) -> str:
    return f"/files/{name}"


class Upload(BaseModel):
    filename: str = Field(examples=["3f9a1c07be52_report.pdf"])
    download_path: str = Field(examples=["/files/3f9a1c07be52_report.pdf"])


class File(Upload):
    original_name: str = Field(description="As it was called when it was uploaded.", examples=["report.pdf"])
    size: int = Field(description="In bytes.")
    media_type: str = Field(examples=["application/pdf"])
    uploaded_at: datetime

    @classmethod
    def of(cls, file: StoredFile) -> Self:
        return cls(
            filename=file.name,
            download_path=download_path(file.name),
            original_name=file.original_name,
            size=file.size_bytes,
            media_type=media_type(file.name),
            uploaded_at=datetime.fromtimestamp(file.stored_at_ns // NANOSECONDS, UTC),
        )


class Files(BaseModel):
    files: list[File]
    used_bytes: int
    quota_bytes: int | None = Field(description="null without a limit (UPLOAD_QUOTA_MB=0).")

    @classmethod
    def of(cls, stored: Iterable[StoredFile], quota_bytes: int | None) -> Self:
        newest_first = sorted(stored, key=lambda file: (-file.stored_at_ns, file.name))
        return cls(
            files=[File.of(file) for file in newest_first],
            used_bytes=sum(file.size_bytes for file in newest_first),
            quota_bytes=quota_bytes,
        )

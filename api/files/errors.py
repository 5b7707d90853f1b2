"""Why an account may not store another file."""

from api.errors import ApiError

REMEDY = "Delete some that you no longer need: GET /files lists them, DELETE /files/{filename} deletes one."


class QuotaExceeded(ApiError, status=507):
    def __init__(self, used_mb: float, quota_mb: int) -> None:
        super().__init__(
            f"The file doesn't fit: your files take {used_mb:,.1f} of {quota_mb:,} MB (UPLOAD_QUOTA_MB). {REMEDY}"
        )


class TooManyFiles(ApiError, status=507):
    def __init__(self, max_files: int) -> None:
        super().__init__(f"You have {max_files:,} files or more, and no more are kept. {REMEDY}")

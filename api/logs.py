"""JSON logs, one object a line, the request's id in each."""

import logging
from typing import Any

from api.request_context import request_id


class RequestId(logging.Filter):
    """Adds the id of the request that is being served to each line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": RequestId}},
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": "{asctime}{levelname}{name}{request_id}{message}",
            "style": "{",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        }
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["request_id"]},
    },
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {
        # Each request of the health check, and of the client without nginx, would be a line.
        "httpx": {"level": "WARNING"},
        # Their own handlers print to the same stream, in other formats.
        "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
    },
}

"""Reads the small JSON bodies about people: with or without somebody who has logged in."""

from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel

from api.accounts.origins import is_cross_site
from api.errors import CrossSiteLogin, NotJson
from api.http.bodies import KIBIBYTE, read_body
from api.ollama.strict_json import parse_json, validate
from api.parts import Parts

Body = TypeVar("Body", bound=BaseModel)

# Room for the longest address and password, each character escaped. nginx has the same limit in nginx.conf.
MAX_BODY_BYTES = 16 * KIBIBYTE


async def read_json(request: Request, model: type[Body]) -> Body:
    return validate(parse_json(await read_body(request, MAX_BODY_BYTES)), model)


async def read_strangers_json(request: Request, parts: Parts, model: type[Body]) -> Body:
    """The same, unless another site's web page sends it. What is refused here does not count as a failed login."""
    # A page needs permission (CORS) to send JSON, and none for a form or plain text.
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise NotJson
    if is_cross_site(request.headers, parts.settings.cors_origins):
        raise CrossSiteLogin
    return await read_json(request, model)

"""Reads a JSON body strictly, so that what is checked here is what Ollama reads from the same bytes.

Ollama is written in Go, whose decoder matches keys whatever their case and takes the last of two equal ones.
"""

import json
from collections.abc import Collection
from typing import NoReturn, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from api.errors import AmbiguousBody, BodyTooLarge, InvalidBody
from api.settings import MEBIBYTE

Model = TypeVar("Model", bound=BaseModel)
JsonObject = dict[str, object]


async def read_body(request: Request, limit_mb: int) -> bytes:
    """The body, whole. Raises BodyTooLarge as soon as it is known to be above the limit, in MiB.

    Raises InvalidBody when the client leaves amid it: nobody reads that, but it is no fault of ours for the log.
    """
    too_large = BodyTooLarge(f"The body is larger than {limit_mb} MB.")
    if int(request.headers.get("Content-Length", 0)) > limit_mb * MEBIBYTE:
        raise too_large
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit_mb * MEBIBYTE:
                raise too_large
    except ClientDisconnect as error:
        raise InvalidBody("The client left before its body was complete.") from error
    return bytes(body)


def refuse_body(request: Request) -> None:
    """Raises InvalidBody unless the request has none: nobody would check what Ollama makes of it."""
    if request.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in request.headers:
        raise InvalidBody("This request takes no body.")


def parse_json(body: bytes) -> object:
    """The JSON value in `body`. Raises InvalidBody when it is none, AmbiguousBody for a key that is there twice."""
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidBody(f"The body is not JSON in UTF-8: {error}.") from error


def check(value: object, model: type[Model]) -> Model:
    """`value` as a `model`. Raises InvalidBody with every reason."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        reasons = (
            f"{'.'.join(map(str, item['loc'])) or 'body'}: {item['msg']}" for item in error.errors(include_url=False)
        )
        raise InvalidBody("; ".join(reasons)) from error


def refuse_case_variants(value: object, known: Collection[str]) -> None:
    """Raises AmbiguousBody for a key of the object `value` that is a `known` one but for case, as Go folds case."""
    if not isinstance(value, dict):
        return
    for key in value:
        # casefold also knows the long s and the Kelvin sign, which Go takes for s and k.
        if key not in known and key.casefold() in known:
            raise AmbiguousBody(
                f"The key {key!r} differs from {key.casefold()!r} by case alone; Ollama would take it for that one."
            )


def _unique(pairs: list[tuple[str, object]]) -> JsonObject:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise AmbiguousBody(f"The key {twice!r} is there twice in one object; Ollama would take the last.")
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")

"""Parses JSON strictly, so that what is checked here is what Ollama reads from the same bytes.

Ollama is written in Go, whose decoder matches keys whatever their case and takes the last of two equal ones.
"""

import json
from collections.abc import Collection
from typing import NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from api.errors import AmbiguousBody, InvalidBody
from api.ollama.structure import without_long_strings

Model = TypeVar("Model", bound=BaseModel)
JsonObject = dict[str, object]

MAX_REASONS = 5  # of a refusal; one mistake in a client may be in each of its messages


def parse_json(body: bytes) -> object:
    """The JSON value in `body`, without the content of its long strings where it is large (see structure.py).

    Raises InvalidBody when it isn't JSON, AmbiguousBody for a duplicate key.
    """
    try:
        text = without_long_strings(body).decode("utf-8")
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidBody(f"The body is not JSON in UTF-8: {error}.") from error


def validate(value: object, model: type[Model], *where: str | int) -> Model:
    """`value`, which is at the path `where` in the body, as a `model`. Raises InvalidBody with the first reasons."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        reasons = [
            f"{'.'.join(map(str, (*where, *item['loc']))) or 'body'}: {item['msg']}"
            for item in error.errors(include_url=False, include_input=False)[:MAX_REASONS]
        ]
        raise InvalidBody("; ".join(reasons)) from error


def refuse_case_variants(value: object, known: Collection[str]) -> None:
    """Raises AmbiguousBody for a key of the object `value` that is a `known` one but for case, as Go folds case."""
    if not isinstance(value, dict):
        return
    for key in value:
        # casefold also knows the long s and the Kelvin sign, which Go takes for s and k.
        if key not in known and key.casefold() in known:
            raise AmbiguousBody(
                f"{key!r} differs from {key.casefold()!r} only in case; Ollama would treat it as {key.casefold()!r}."
            )


def _unique(pairs: list[tuple[str, object]]) -> JsonObject:
    result: JsonObject = {}
    for key, value in pairs:
        if key in result:
            raise AmbiguousBody(f"Duplicate key {key!r}; Ollama would use the last one.")
        result[key] = value
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")

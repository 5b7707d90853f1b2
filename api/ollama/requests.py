"""What is checked of each kind of request before Ollama gets it. What is not checked is Ollama's business."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictStr, model_validator
from pydantic_core import PydanticCustomError

from api.ollama.cloud import cloud_tools
from api.ollama.model_names import MAX_NAME_LENGTH, is_name, refuse_cloud_model
from api.ollama.schemas import ChatRequest, Message
from api.ollama.strict_json import parse_json, refuse_case_variants, validate


@dataclass(frozen=True)
class Checked:
    """A request that was found sound: the body for Ollama, and what the rest of the decision needs of it."""

    body: bytes = b""
    models: tuple[str, ...] = ()
    cloud_tools: tuple[str, ...] = ()  # types of tools that Ollama would have run elsewhere

    @property
    def model(self) -> str:
        return self.models[0] if self.models else ""


Check = Callable[[bytes], Checked]


def _is_text(name: str) -> str:
    # JSON can escape half of a surrogate pair, `"\\ud83c"`, which is no character.
    try:
        name.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "Input should be a valid string, without lone surrogates") from None
    return name


Name = Annotated[StrictStr, AfterValidator(_is_text)]


class NamedModels(BaseModel):
    """What is checked of a request in another dialect: the models it names. The rest is passed on as it is."""

    model_config = ConfigDict(extra="allow")

    @classmethod
    def check(cls, body: bytes) -> Checked:
        value = parse_json(body)
        refuse_case_variants(value, cls.model_fields)
        request = validate(value, cls)
        for name in request.names():
            refuse_cloud_model(name)
        return Checked(request.for_ollama(body), tuple(request.names()), request.cloud_tools())

    def names(self) -> list[str]:
        """At least one."""
        fields = (getattr(self, field) for field in type(self).model_fields)
        return [value for value in fields if value and isinstance(value, str)]

    def cloud_tools(self) -> tuple[str, ...]:
        return ()

    def for_ollama(self, body: bytes) -> bytes:
        """What Ollama is sent of the request that came as `body`."""
        return body


class ModelRequest(NamedModels):
    model: Name | None = None
    name: Name | None = None  # what Ollama's older clients call it

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if not self.model and not self.name:
            raise ValueError("'model' is missing: the name of a model")
        return self


class ToolsRequest(ModelRequest):
    tools: Any = None

    def cloud_tools(self) -> tuple[str, ...]:
        return tuple(cloud_tools(self.tools))


class CopyRequest(NamedModels):
    source: Name = Field(min_length=1)
    destination: Name = Field(min_length=1)


class PullRequest(ModelRequest):
    """Open WebUI always sends `insecure: true`, whatever the registry. It is not passed on."""

    stream: StrictBool | None = None

    @model_validator(mode="after")
    def _is_a_plain_name(self) -> Self:
        for name in filter(None, (self.model, self.name)):
            if not is_name(name) or len(name) > MAX_NAME_LENGTH:
                raise ValueError(f"{name!r} is not the name of a model, such as llama3.2 or hf.co/org/model:Q4_K_M")
        return self

    def for_ollama(self, _: bytes) -> bytes:
        stream = {} if self.stream is None else {"stream": self.stream}
        return json.dumps({"model": self.names()[0], **stream}).encode()


def check_chat(body: bytes) -> Checked:
    value = parse_json(body)
    refuse_case_variants(value, ChatRequest.model_fields)
    request = validate(value, ChatRequest)
    for index, message in enumerate(request.messages):
        refuse_case_variants(message, Message.model_fields)
        validate(message, Message, "messages", index)
    refuse_cloud_model(request.model)
    return Checked(body, (request.model,))

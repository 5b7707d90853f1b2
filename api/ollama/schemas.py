"""The public contract of /chat and /models, as types. Names here never change; new ones may be added."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr


class OllamaError(BaseModel):
    """An error as Ollama words it."""

    error: str = Field(examples=["model 'llama9' not found"])


class Message(BaseModel):
    model_config = ConfigDict(extra="allow")

    role: StrictStr = Field(description="`system`, `user`, `assistant`, `tool`, or what else the model knows.")
    content: StrictStr | None = ""
    thinking: StrictStr | None = None
    # fail_fast: a list of two million mistakes is one mistake.
    images: Annotated[list[StrictStr], Field(fail_fast=True)] | None = Field(
        None, description="Base64, without a `data:` prefix."
    )
    tool_calls: Annotated[list[dict[str, Any]], Field(fail_fast=True)] | None = None
    tool_name: StrictStr | None = None
    tool_call_id: StrictStr | None = None


# Described as messages, but checked one by one (requests.py): all at once, they hold the event loop.
UncheckedMessages = Annotated[list[Any], BeforeValidator(lambda value: value, json_schema_input_type=list[Message])]


class ChatRequest(BaseModel):
    """Ollama's chat request. Keys that are not listed are passed on as they are."""

    model_config = ConfigDict(extra="allow")

    model: StrictStr = Field(min_length=1, examples=["smollm2:135m"])
    messages: UncheckedMessages = Field(
        examples=[[{"role": "user", "content": "List the planets of the solar system."}]]
    )
    stream: StrictBool | None = Field(True, description="Newline-delimited chunks as they are made, or one object.")
    format: Any = Field(None, description='`"json"` or a JSON schema that the answer follows.')
    options: dict[str, Any] | None = Field(None, description="`temperature`, `seed`, `num_predict`, `num_ctx` ...")
    tools: list[Any] | None = None
    think: StrictBool | StrictStr | None = None
    keep_alive: Any = Field(None, description="How long the model stays loaded: seconds, or a duration such as `5m`.")
    truncate: StrictBool | None = None
    shift: StrictBool | None = None
    logprobs: StrictBool | None = None
    top_logprobs: StrictInt | None = None


class ChatChunk(BaseModel):
    """One line of an answer; `done: true` and the figures (durations in nanoseconds) are only on the last.

    A stream that ends without `done: true` failed.
    """

    model_config = ConfigDict(extra="allow")

    model: str
    created_at: str
    message: Message
    done: bool
    done_reason: str | None = None
    total_duration: int | None = None
    load_duration: int | None = None
    prompt_eval_count: int | None = None
    prompt_eval_duration: int | None = None
    eval_count: int | None = None
    eval_duration: int | None = None


class ModelDetails(BaseModel):
    parent_model: str
    format: str
    family: str
    families: list[str] | None
    parameter_size: str
    quantization_level: str


class Model(BaseModel):
    name: str
    model: str
    modified_at: str
    size: int = Field(description="Bytes.")
    digest: str
    details: ModelDetails


class Models(BaseModel):
    models: list[Model]

"""The public contract, as types: what clients send and get. Names here never change; new ones may be added."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator

from api.model_names import is_name
from api.settings import MAX_PASSWORD_LENGTH


class Error(BaseModel):
    """Every error. One that comes from Ollama keeps Ollama's own body instead: `{"error": "..."}`."""

    detail: str = Field(examples=["What is wrong, for a person."])


class OllamaError(BaseModel):
    """An error as Ollama words it."""

    error: str = Field(examples=["model 'llama9' not found"])


class LoginRequest(BaseModel):
    email: StrictStr = Field(min_length=1, max_length=320, examples=["admin@local"])
    password: StrictStr = Field(min_length=1, max_length=MAX_PASSWORD_LENGTH, examples=["changeme"])


class Token(BaseModel):
    access_token: str = Field(description="A JSON Web Token.")
    token_type: Literal["bearer"] = "bearer"  # noqa: S105


class Message(BaseModel):
    model_config = ConfigDict(extra="allow")

    role: Literal["system", "user", "assistant", "tool"]
    content: StrictStr | None = ""
    thinking: StrictStr | None = None
    images: list[StrictStr] | None = Field(None, description="Base64, without a `data:` prefix.")
    tool_calls: list[dict[str, Any]] | None = None
    tool_name: StrictStr | None = None
    tool_call_id: StrictStr | None = None


class ChatRequest(BaseModel):
    """Ollama's chat request. Keys that are not listed are passed on as they are."""

    model_config = ConfigDict(extra="allow")

    model: StrictStr = Field(min_length=1, examples=["smollm2:135m"])
    messages: list[Message] = Field(examples=[[{"role": "user", "content": "List the planets of the solar system."}]])
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


class NamedModels(BaseModel):
    """What is checked of a request in another protocol: the models it names. The rest is passed on as it is."""

    model_config = ConfigDict(extra="allow")

    def names(self) -> list[str]:
        """At least one."""
        fields = (getattr(self, field) for field in type(self).model_fields)
        return [value for value in fields if value and isinstance(value, str)]


class ModelRequest(NamedModels):
    model: StrictStr | None = None
    name: StrictStr | None = None  # what Ollama's older clients call it

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if not self.model and not self.name:
            raise ValueError("'model' is missing: the name of a model")
        return self


class CopyRequest(NamedModels):
    source: StrictStr = Field(min_length=1)
    destination: StrictStr = Field(min_length=1)


class PullRequest(ModelRequest):
    insecure: StrictBool | None = None

    @model_validator(mode="after")
    def _is_a_plain_name(self) -> Self:
        if self.insecure:
            raise ValueError("'insecure' is not allowed: models come over TLS alone")
        for name in filter(None, (self.model, self.name)):
            if not is_name(name):
                raise ValueError(f"{name!r} is not the name of a model, such as llama3.2 or hf.co/org/model:Q4_K_M")
        return self


class ChatChunk(BaseModel):
    """One line of an answer; `done: true` and the figures (durations in nanoseconds) are on the last alone.

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


class Upload(BaseModel):
    filename: str = Field(examples=["3f9a1c07be52_report.pdf"])
    download_path: str = Field(examples=["/files/3f9a1c07be52_report.pdf"])


class Healthy(BaseModel):
    status: Literal["ok"] = "ok"
    ollama_url: str


class Unhealthy(BaseModel):
    status: Literal["unavailable"] = "unavailable"
    ollama_url: str
    detail: str

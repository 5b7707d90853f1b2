"""Third-party Python clients, each as its users set it up: only with the address and the token."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import anthropic
import openai
from langchain_ollama import ChatOllama
from llama_index.core.llms import ChatMessage
from llama_index.llms.ollama import Ollama as LlamaIndexOllama

import ollama

QUESTION = "Write a long story about the sea."
MAX_TOKENS = 16


class Client(ABC):
    """What the tests need from a client. `url` is the gateway's; `token` goes where the client expects an API key."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token

    @abstractmethod
    def models(self) -> list[str]:
        """The names of the models."""

    @abstractmethod
    def ask(self, model: str) -> str:
        """An answer of MAX_TOKENS, not streamed."""

    @abstractmethod
    def stream(self, model: str, max_tokens: int = MAX_TOKENS) -> Iterator[str]:
        """The pieces of an answer as they arrive. Closing the iterator ends the request."""

    def stop_amid_a_stream(self, model: str) -> None:
        """Disconnects after the first piece of an answer of ten seconds or more."""
        pieces = self.stream(model, 2000)
        next(pieces)
        pieces.close()  # type: ignore[attr-defined]


class OllamaPython(Client):
    """pip install ollama"""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url, token)
        self._client = ollama.Client(host=url, headers={"Authorization": f"Bearer {token}"})

    def models(self) -> list[str]:
        return [str(model.model) for model in self._client.list().models]

    def ask(self, model: str) -> str:
        options = {"num_predict": MAX_TOKENS}
        return str(self._client.chat(model, [{"role": "user", "content": QUESTION}], options=options).message.content)

    def stream(self, model: str, max_tokens: int = MAX_TOKENS) -> Iterator[str]:
        options = {"num_predict": max_tokens}
        for chunk in self._client.chat(model, [{"role": "user", "content": QUESTION}], options=options, stream=True):
            yield str(chunk.message.content)


class OpenAIPython(Client):
    """pip install openai"""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url, token)
        self._client = openai.OpenAI(base_url=f"{url}/v1", api_key=token, max_retries=0)

    def models(self) -> list[str]:
        return [model.id for model in self._client.models.list()]

    def ask(self, model: str) -> str:
        answer = self._client.chat.completions.create(
            model=model, max_tokens=MAX_TOKENS, messages=[{"role": "user", "content": QUESTION}]
        )
        return str(answer.choices[0].message.content)

    def stream(self, model: str, max_tokens: int = MAX_TOKENS) -> Iterator[str]:
        with self._client.chat.completions.create(
            model=model, max_tokens=max_tokens, messages=[{"role": "user", "content": QUESTION}], stream=True
        ) as chunks:
            for chunk in chunks:
                yield str(chunk.choices[0].delta.content or "")


class AnthropicPython(Client):
    """pip install anthropic"""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url, token)
        self._client = anthropic.Anthropic(base_url=url, api_key=token, max_retries=0)

    def models(self) -> list[str]:
        return [model.id for model in self._client.models.list()]

    def ask(self, model: str) -> str:
        answer = self._client.messages.create(
            model=model, max_tokens=MAX_TOKENS, messages=[{"role": "user", "content": QUESTION}]
        )
        return "".join(block.text for block in answer.content if block.type == "text")

    def stream(self, model: str, max_tokens: int = MAX_TOKENS) -> Iterator[str]:
        with self._client.messages.stream(
            model=model, max_tokens=max_tokens, messages=[{"role": "user", "content": QUESTION}]
        ) as stream:
            yield from stream.text_stream


class LangChainOllama(Client):
    """pip install langchain-ollama"""

    def _chat(self, model: str, max_tokens: int) -> ChatOllama:
        headers = {"headers": {"Authorization": f"Bearer {self.token}"}}
        return ChatOllama(model=model, base_url=self.url, client_kwargs=headers, num_predict=max_tokens)

    def models(self) -> list[str]:
        # LangChain has no call for that; this is the client that it wraps.
        return OllamaPython(self.url, self.token).models()

    def ask(self, model: str) -> str:
        return str(self._chat(model, MAX_TOKENS).invoke(QUESTION).content)

    def stream(self, model: str, max_tokens: int = MAX_TOKENS) -> Iterator[str]:
        for chunk in self._chat(model, max_tokens).stream(QUESTION):
            yield str(chunk.content)


class LlamaIndex(Client):
    """pip install llama-index-llms-ollama"""

    def _chat(self, model: str, max_tokens: int) -> LlamaIndexOllama:
        headers = {"Authorization": f"Bearer {self.token}"}
        return LlamaIndexOllama(
            model=model, base_url=self.url, headers=headers, additional_kwargs={"num_predict": max_tokens}
        )

    def models(self) -> list[str]:
        # As with LangChain.
        return OllamaPython(self.url, self.token).models()

    def ask(self, model: str) -> str:
        return str(self._chat(model, MAX_TOKENS).chat([ChatMessage(content=QUESTION)]).message.content)

    def stream(self, model: str, max_tokens: int = MAX_TOKENS) -> Iterator[str]:
        for chunk in self._chat(model, max_tokens).stream_chat([ChatMessage(content=QUESTION)]):
            yield str(chunk.delta)


# What each raises when the gateway refuses.
ERRORS = (openai.APIStatusError, anthropic.APIStatusError, ollama.ResponseError)


def status_of(error: Exception) -> int:
    """The HTTP status that the client's exception carries."""
    status: int = error.status_code  # type: ignore[attr-defined]
    return status

"""A scripted Ollama for the page: lists models, and answers each chat as the test wrote it."""

import json
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from tests.support.fake_ollama import NDJSON, Answer, Ending, FakeOllama, Gate, Request

# Text of the answer, a pause in seconds, or a gate to wait at.
Piece = str | float | Gate
FIGURES = {
    "done_reason": "stop",
    "total_duration": 2_500_000_000,
    "load_duration": 100_000_000,
    "prompt_eval_count": 7,
    "prompt_eval_duration": 400_000_000,
    "eval_count": 100,
    "eval_duration": 2_000_000_000,
}


def model(name: str, *capabilities: str, size: int = 98_362_728, **details: Any) -> dict[str, Any]:
    """A model as Ollama lists it. It can chat, and do whatever else is named."""
    usual = {"parameter_size": "134.52M", "quantization_level": "Q4_1", "context_length": 8192}
    return {
        "name": name,
        "model": name,
        "modified_at": "2026-11-24T12:00:00Z",
        "size": size,
        "digest": "0" * 64,
        "details": {**usual, **details},
        "capabilities": ["completion", *capabilities],
    }


class ScriptedOllama:
    """Everything that a fake Ollama has to tell the page."""

    def __init__(self, ollama: FakeOllama) -> None:
        self._ollama = ollama
        self._chats: deque[Answer] = deque()
        self.models = [model("scripted:1b")]
        # Listed like the others, but Ollama cannot load them.
        self.broken: set[str] = set()
        ollama.forget()
        self.is_up()

    def gate(self) -> Gate:
        return self._ollama.gate()

    def answers(self, *pieces: Piece, thinking: Iterable[str] = (), ending: Ending = "complete", **last: Any) -> None:
        """Answers the next chat: first the thinking, then the pieces, then a last line with FIGURES and `last`.

        With another `ending` than "complete" there is no last line.
        """
        self._chats.append(Answer(200, NDJSON, self._lines(pieces, thinking, ending, last), ending))

    def refuses(self, status: int, error: str) -> None:
        """Refuses the next chat, with Ollama's error format."""
        self._chats.append(whole({"error": error}, status))

    def ends_early(self, *pieces: Piece, error: str | None = None) -> None:
        """The next answer has no last line, or one with an error, in Ollama's format."""
        failure = [json.dumps({"error": error}).encode() + b"\n"] if error else []
        self._chats.append(Answer(200, NDJSON, [*self._lines(pieces, (), "close", {}), *failure], "complete"))

    def is_down(self) -> None:
        """Closes every connection without an answer, until `is_up`."""
        self._ollama.otherwise = lambda _: Answer(0, None, (), "close")

    def is_up(self) -> None:
        self._ollama.otherwise = self._respond

    @property
    def chats(self) -> list[dict[str, Any]]:
        """The bodies of the chats that reached Ollama."""
        return [json.loads(request.body) for request in self.chat_requests]

    @property
    def chat_requests(self) -> list[Request]:
        return [request for request in self._ollama.requests if request.path == "/api/chat"]

    def _lines(
        self, pieces: Iterable[Piece], thinking: Iterable[str], ending: Ending, last: dict[str, Any]
    ) -> Iterator[bytes | float | Gate]:
        for thought in thinking:
            yield line(message={"role": "assistant", "content": "", "thinking": thought}, done=False)
        for piece in pieces:
            if isinstance(piece, str):
                yield line(message={"role": "assistant", "content": piece}, done=False)
            else:
                yield piece
        if ending == "complete":
            yield line(message={"role": "assistant", "content": ""}, done=True, **{**FIGURES, **last})

    def _respond(self, request: Request) -> Answer:
        if request.path == "/api/chat" and self._chats:
            return self._chats.popleft()
        if request.path == "/api/tags":
            return whole({"models": self.models})
        if request.path == "/api/show":
            return self._show(json.loads(request.body)["model"])
        return whole({"version": "0.34.2"})

    def _show(self, name: str) -> Answer:
        if name in self.broken:
            return whole({"error": "unsupported file type"}, 500)
        (shown,) = [one for one in self.models if one["name"] == name]
        return whole({"capabilities": shown["capabilities"]} if "capabilities" in shown else {})


def line(**fields: Any) -> bytes:
    return json.dumps({"model": "scripted:1b", "created_at": "2026-11-24T12:00:00Z", **fields}).encode() + b"\n"


def whole(content: dict[str, Any], status: int = 200) -> Answer:
    body = json.dumps(content).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return Answer(status, headers, (body,), "complete")

"""Ollama's whole route list, as the pinned version prints it at its start: which are allowed, for whom, and why.

The one place that says so: nginx carries where the API tells it to, and knows no path of Ollama by itself. A test
compares the table with what the running Ollama prints, so that an upgrade that brings a route is noticed.
"""

from dataclasses import dataclass
from enum import Enum

from api.protocols import Protocol, protocol_of


class Who(Enum):
    """Whom a route is for."""

    CALLERS = "everybody with a token"
    ADMINS = "administrators"
    NOBODY = "nobody"


class Body(Enum):
    """What is checked of a request's body."""

    NONE = "there is none"
    MODEL = "an object with the name of a model"
    COPY = "an object with a source and a destination"
    PULL = "an object with the name of a model, and nothing that makes the download insecure"


@dataclass(frozen=True)
class OllamaRoute:
    """A route of Ollama. `path` is as Ollama prints it; `:model` stands for one segment, `*path` for any number."""

    methods: str
    path: str
    who: Who
    body: Body = Body.NONE
    why: str = ""

    @property
    def protocol(self) -> Protocol:
        return protocol_of(self.path)


CALLERS, ADMINS, NOBODY = Who
EVERY_METHOD = "GET HEAD POST PUT PATCH DELETE OPTIONS CONNECT TRACE"

ROUTES = (
    # What Ollama's own clients use.
    OllamaRoute("GET HEAD", "/", CALLERS, why="how Ollama's clients ask whether it runs"),
    OllamaRoute("GET HEAD", "/api/version", CALLERS),
    OllamaRoute("GET HEAD", "/api/tags", CALLERS),
    OllamaRoute("GET HEAD", "/api/ps", CALLERS, why="HEAD too, though Ollama itself answers that with 405"),
    OllamaRoute("POST", "/api/show", CALLERS, Body.MODEL),
    OllamaRoute("POST", "/api/chat", CALLERS, Body.MODEL),
    OllamaRoute("POST", "/api/generate", CALLERS, Body.MODEL),
    OllamaRoute("POST", "/api/embed", CALLERS, Body.MODEL),
    OllamaRoute("POST", "/api/embeddings", CALLERS, Body.MODEL),
    # What changes the models of all callers, or takes up the disk.
    OllamaRoute("POST", "/api/pull", ADMINS, Body.PULL, "names alone: a URL or an insecure registry is refused"),
    OllamaRoute("DELETE", "/api/delete", ADMINS, Body.MODEL),
    OllamaRoute("POST", "/api/copy", ADMINS, Body.COPY),
    # OpenAI's.
    OllamaRoute("POST", "/v1/chat/completions", CALLERS, Body.MODEL),
    OllamaRoute("POST", "/v1/completions", CALLERS, Body.MODEL),
    OllamaRoute("POST", "/v1/embeddings", CALLERS, Body.MODEL),
    OllamaRoute("POST", "/v1/responses", CALLERS, Body.MODEL),
    OllamaRoute("GET", "/v1/models", CALLERS),
    OllamaRoute("GET", "/v1/models/:model", CALLERS, why="names with slashes too, which Ollama has no route for"),
    # Anthropic's.
    OllamaRoute("POST", "/v1/messages", CALLERS, Body.MODEL),
    # Never. Nor /debug/pprof/, which Ollama has and does not print.
    OllamaRoute("POST", "/api/create", NOBODY, why="memory can be read through it (CVE-2026-7482)"),
    OllamaRoute("POST", "/api/push", NOBODY, why="sends models out; carries out what that CVE reads"),
    OllamaRoute("HEAD POST", "/api/blobs/:digest", NOBODY, why="digests have been used as paths"),
    OllamaRoute("POST", "/api/me", NOBODY, why="the machine's account at ollama.com"),
    OllamaRoute("POST", "/api/signout", NOBODY, why="the machine's account at ollama.com"),
    OllamaRoute("DELETE", "/api/user/keys/:encodedKey", NOBODY, why="the machine's account at ollama.com"),
    OllamaRoute("POST", "/api/experimental/web_search", NOBODY, why="leaves the machine"),
    OllamaRoute("POST", "/api/experimental/web_fetch", NOBODY, why="leaves the machine"),
    OllamaRoute("GET", "/api/experimental/model-recommendations", NOBODY, why="leaves the machine"),
    OllamaRoute(EVERY_METHOD, "/api/codex/*path", NOBODY, why="a proxy to whatever a request names"),
    OllamaRoute("GET", "/api/status", NOBODY, why="tells of the machine's cloud settings; no client needs it"),
    OllamaRoute("POST", "/v1/responses/compact", NOBODY, why="may be compressed, so that it cannot be checked"),
    OllamaRoute("POST", "/v1/audio/transcriptions", NOBODY, why="a form, whose model cannot be checked as JSON is"),
)

ALLOWED = tuple(route for route in ROUTES if route.who is not NOBODY)

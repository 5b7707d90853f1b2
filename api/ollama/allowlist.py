"""Ollama's whole route list, as the pinned version prints it at its start: which are allowed, for whom, and why.

This is the only place: nginx sends requests where the API tells it to, and knows no path of Ollama's. A test compares
the table with what the running Ollama prints, so that a new route in an upgrade is noticed.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from api.ollama.answers import Answer, carry, describe_model, look_up, pull
from api.ollama.requests import Check, CopyRequest, ModelRequest, PullRequest, ToolsRequest, check_chat


class Access(Enum):
    CALLERS = "everybody with a token"
    ADMINS = "administrators"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Row:
    """A route. `path` is as Ollama prints it; here `:model` and `*path` stand for any number of segments.

    `check` is what is checked of a body; a route without one has none. `reason` ends the sentence "POST /api/x is not
    offered here: …" where a route is for nobody. `leads_to` is Ollama's path where it has another.
    """

    methods: str
    path: str
    access: Access
    check: Check | None = None
    reason: str = ""
    answer: Answer = carry
    leads_to: str = ""
    # Ollama has no HEAD for it, and is asked with GET instead.
    head_as_get: bool = False
    # Not to delete or to pull: what runs elsewhere may be deleted, and what is not here yet cannot be asked about.
    runs_models: bool = True

    @property
    def upstream(self) -> str:
        return self.leads_to or self.path

    def model_in(self, path: str) -> str | None:
        """The model that a path names, for a route that has one there."""
        match = self.pattern.fullmatch(path)
        return match["model"] if match and "model" in match.groupdict() else None

    @cached_property
    def is_exact(self) -> bool:
        return not re.search("[:*]", self.path)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"[:*](\w+)", r"(?P<\1>.+)", self.path))


CALLERS, ADMINS, NOBODY = Access
EVERY_METHOD = "GET HEAD POST PUT PATCH DELETE OPTIONS CONNECT TRACE"
ACCOUNT = "it is about the machine's account at ollama.com"
LEAVES = "it leaves the machine"

# Ours, which lead to Ollama's.
OURS = (
    Row("POST", "/chat", CALLERS, check_chat, leads_to="/api/chat"),
    Row("GET HEAD", "/models", CALLERS, answer=look_up, leads_to="/api/tags"),
)
OLLAMAS = (
    # What Ollama's own clients use.
    Row("GET HEAD", "/", CALLERS, answer=look_up),  # how they ask whether it runs
    Row("GET HEAD", "/api/version", CALLERS, answer=look_up),
    Row("GET HEAD", "/api/tags", CALLERS, answer=look_up),
    Row("GET HEAD", "/api/ps", CALLERS, answer=look_up, head_as_get=True),
    Row("POST", "/api/show", CALLERS, ModelRequest.check),
    Row("POST", "/api/chat", CALLERS, ModelRequest.check),
    Row("POST", "/api/generate", CALLERS, ModelRequest.check),
    Row("POST", "/api/embed", CALLERS, ModelRequest.check),
    Row("POST", "/api/embeddings", CALLERS, ModelRequest.check),
    # What changes the models of all callers, or takes up the disk. A pull has a name and no URL; it is always over TLS.
    Row("POST", "/api/pull", ADMINS, PullRequest.check, answer=pull, runs_models=False),
    Row("DELETE", "/api/delete", ADMINS, ModelRequest.check, runs_models=False),
    Row("POST", "/api/copy", ADMINS, CopyRequest.check),
    # OpenAI's.
    Row("POST", "/v1/chat/completions", CALLERS, ModelRequest.check),
    Row("POST", "/v1/completions", CALLERS, ModelRequest.check),
    Row("POST", "/v1/embeddings", CALLERS, ModelRequest.check),
    Row("POST", "/v1/responses", CALLERS, ToolsRequest.check),
    Row("GET HEAD", "/v1/models", CALLERS, answer=look_up, head_as_get=True),
    # Names with slashes too, which Ollama has no route for.
    Row("GET HEAD", "/v1/models/:model", CALLERS, answer=describe_model, head_as_get=True),
    # Anthropic's.
    Row("POST", "/v1/messages", CALLERS, ToolsRequest.check),
    # Never. Nor /debug/pprof/, which Ollama has and does not print.
    Row("POST", "/api/create", NOBODY, reason="memory can be read through it (CVE-2026-7482)"),
    Row("POST", "/api/push", NOBODY, reason="it sends models out, and what is read by CVE-2026-7482"),
    Row("HEAD POST", "/api/blobs/:digest", NOBODY, reason="digests have been used as paths"),
    Row("POST", "/api/me", NOBODY, reason=ACCOUNT),
    Row("POST", "/api/signout", NOBODY, reason=ACCOUNT),
    Row("DELETE", "/api/user/keys/:encodedKey", NOBODY, reason=ACCOUNT),
    Row("POST", "/api/experimental/web_search", NOBODY, reason=LEAVES),
    Row("POST", "/api/experimental/web_fetch", NOBODY, reason=LEAVES),
    Row("GET", "/api/experimental/model-recommendations", NOBODY, reason=LEAVES),
    Row(EVERY_METHOD, "/api/codex/*path", NOBODY, reason="it is a proxy to whatever a request names"),
    Row("GET", "/api/status", NOBODY, reason="it tells the machine's cloud settings, which no client needs"),
    Row("POST", "/v1/responses/compact", NOBODY, reason="it may be compressed, so that it cannot be checked"),
    Row("POST", "/v1/audio/transcriptions", NOBODY, reason="it is a form, which cannot be checked as JSON is"),
)

ALLOWED = OURS + tuple(row for row in OLLAMAS if row.access is not NOBODY)
REFUSED = tuple(row for row in OLLAMAS if row.access is NOBODY)

_EXACT = {(method, row.path): row for row in ALLOWED if row.is_exact for method in row.methods.split()}
_PATTERNS = tuple(row for row in ALLOWED if not row.is_exact)


def find(rows: Collection[Row], method: str, path: str) -> Row | None:
    """The one of `rows` that a request is for."""
    return next((row for row in rows if method in row.methods.split() and row.pattern.fullmatch(path)), None)


def find_allowed(method: str, path: str) -> Row | None:
    """The same of ALLOWED, in less than a microsecond for nearly all."""
    return _EXACT.get((method, path)) or find(_PATTERNS, method, path)


def methods_of(path: str) -> list[str]:
    """Those that are allowed for `path`."""
    return [method for row in ALLOWED if row.path == path for method in row.methods.split()]

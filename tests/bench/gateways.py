"""What is measured: each gateway, how it is asked for the same answer, and what it is made of."""

import json
from dataclasses import dataclass
from typing import Any

DIRECT = "direct"
NGINX_ALONE = "nginx alone"
LOCALCHAT = "LocalChat"
NAIVE = "naive"
LITELLM = "LiteLLM"


@dataclass(frozen=True)
class Gateway:
    """Empty where it has no such thing."""

    name: str
    url: str
    containers: dict[str, str]  # what it is, and the container's id
    authorization: str = ""
    chat: str = "/api/chat"
    models: str = "/api/tags"
    login: str = ""
    form_upload: str = ""
    put_upload: str = ""
    files: str = ""
    is_peer: bool = False

    def chat_request(self, chunks: int, interval_ms: float) -> list[str]:
        """Flags of the load generator: a chat whose answer has so many chunks, so far apart."""
        shape = {"chunks": chunks, "interval_ms": interval_ms}
        body: dict[str, Any] = {"model": "bench", "messages": [{"role": "user", "content": "Count."}], "stream": True}
        # LiteLLM speaks OpenAI's protocol, and hands on to Ollama's options what that does not know.
        body |= shape if self.name == LITELLM else {"options": shape}
        return [*self.at(self.chat), f"--body={json.dumps(body)}"]

    def at(self, path: str) -> list[str]:
        return [f"--url={self.url}{path}", f"--authorization={self.authorization}"]

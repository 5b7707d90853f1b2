"""The measured gateways: how each gets the same request, and which containers it consists of."""

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
    """Fields are empty for what a gateway lacks."""

    name: str
    url: str
    containers: dict[str, str]  # role to container id
    authorization: str = ""
    chat: str = "/api/chat"
    models: str = "/api/tags"
    login: str = ""
    form_upload: str = ""
    put_upload: str = ""
    files: str = ""
    is_peer: bool = False

    def chat_request(self, chunks: int, interval_ms: float) -> list[str]:
        """Flags of the load generator: a chat whose answer has this many chunks at this interval."""
        shape = {"chunks": chunks, "interval_ms": interval_ms}
        body: dict[str, Any] = {"model": "bench", "messages": [{"role": "user", "content": "Count."}], "stream": True}
        # LiteLLM uses OpenAI's protocol, and passes unknown fields on as Ollama's options.
        body |= shape if self.name == LITELLM else {"options": shape}
        return [*self.at(self.chat), f"--body={json.dumps(body)}"]

    def at(self, path: str) -> list[str]:
        return [f"--url={self.url}{path}", f"--authorization={self.authorization}"]

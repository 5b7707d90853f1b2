"""Reads `//api/chat`, `/v1//models` and `/api/chat/` as the path that was meant: a client's base URL ends in a slash.

It is answered, not redirected to. Ollama redirects, but httpx, curl and Java's client follow no redirect unless
told to, .NET's drops the token on the way, and a body that is being streamed cannot be sent a second time.
"""

import re

SEVERAL = re.compile("/{2,}")


def meant(path: str) -> str:
    """`path` with repeated slashes merged and without trailing ones."""
    if path.lstrip("/").startswith("files/"):
        # The name of an upload is exact.
        return "/" + path.lstrip("/")
    return SEVERAL.sub("/", path).rstrip("/") or "/"

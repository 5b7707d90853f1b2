"""How OLLAMA_URL names an Ollama: exactly what nginx's entrypoint takes apart."""

import re

# Scheme, name or address (IPv6 in brackets), port.
OLLAMA_URL = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?/?")
MAX_PORT = 65_535


def ollama_url_in(text: str) -> str:
    """Raises ValueError."""
    match = OLLAMA_URL.fullmatch(text)
    if not match or not 0 < int(match["port"] or 80) <= MAX_PORT:
        raise ValueError("must be scheme://host[:port], e.g. http://192.168.1.20:11434")
    return text.rstrip("/")

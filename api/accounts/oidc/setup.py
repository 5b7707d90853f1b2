"""How the settings name a provider, and who may sign in with it."""

import re
from urllib.parse import urlsplit

from api.http.hosts import is_local, name_of

CALLBACK_PATH = "/login/oidc/callback"
DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def refuse_unless_issuer(url: str) -> None:
    """Raises ValueError."""
    if not _is_plain(url):
        raise ValueError("must be the provider's https URL, without a query, e.g. https://auth.example.org")


def refuse_unless_callback(url: str) -> None:
    """Raises ValueError."""
    if not _is_plain(url) or urlsplit(url).path != CALLBACK_PATH:
        raise ValueError(f"must be https://, LocalChat's name and {CALLBACK_PATH}")


def domains_in(text: str) -> tuple[str, ...]:
    """Raises ValueError."""
    domains = tuple(domain.strip().lower() for domain in text.split(",") if domain.strip())
    for domain in domains:
        if not DOMAIN.fullmatch(domain):
            raise ValueError(
                f"lists {domain!r}; each is what stands after the @, e.g. example.org, separated by commas"
            )
    return domains


def is_url(url: object) -> bool:
    """Whether it is one of http or https, without a user or a fragment."""
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or set(url) & set(' #@\\"<>'):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_plain(url: str) -> bool:
    """Without a query; http only to a name of the local network."""
    parts = urlsplit(url) if is_url(url) else None
    return parts is not None and "?" not in url and (parts.scheme == "https" or is_local(name_of(parts.netloc)))

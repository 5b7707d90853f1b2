"""Which host names this server answers to. Any other may be a web page's, pointed at this machine (DNS rebinding).

Such a page has a name that somebody registered, and the browser sends it as `Host`.
"""

import re
from collections.abc import Iterable

from api.errors import UnknownHost

# Nobody can register these. nginx has the same in known-hosts.conf; a test compares the two.
LOCAL_HOSTS = (
    r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+",
    r"\[[0-9a-f:.]+\]",
    r"[a-z0-9_-]{1,63}",
    # RFC 6761, 6762 and 8375, what ICANN reserved (.internal) or will not delegate (.home), and what routers call their
    # networks. Not .box, as in fritz.box: that is a top-level domain with a registry.
    r"([a-z0-9_-]{1,63}\.)+(localhost|local|internal|home\.arpa|home|lan|localdomain)",
)
_LOCAL = re.compile("|".join(f"(?:{pattern})" for pattern in LOCAL_HOSTS))
# A name of ALLOWED_HOSTS or, with `*.` before it, all names under it.
ALLOWED_HOST = re.compile(r"[a-z0-9_-]+|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)+|\[[0-9a-f:.]+\]")
MAX_HOST_LENGTH = 262  # RFC 1035: 255 for a name, and its port.


def name_of(host: str) -> str:
    """A `Host` header's name or address: without port, final dot and capitals."""
    name, _, port = host.rpartition(":")
    if not name or port.strip("0123456789"):
        name = host
    return name.removesuffix(".").lower()


def hosts_in(text: str) -> tuple[str, ...]:
    """Those of ALLOWED_HOSTS. Raises ValueError."""
    hosts = tuple(name_of(host.strip()) for host in text.split(",") if host.strip())
    for host in hosts:
        if not ALLOWED_HOST.fullmatch(host):
            raise ValueError(
                f"lists {host!r}; each is a name such as chat.example.org, or *.example.org for all names in it, "
                "with letters beyond a-z as browsers send them (xn--…), separated by commas"
            )
    return hosts


def is_local(name: str) -> bool:
    """Whether it is an address, or a name that nobody can register."""
    return _LOCAL.fullmatch(name) is not None


class KnownHosts:
    """Those that are always known, and those that ALLOWED_HOSTS lists."""

    def __init__(self, allowed: Iterable[str]) -> None:
        allowed = tuple(allowed)
        self._names = frozenset(allowed)
        self._suffixes = tuple(pattern.removeprefix("*") for pattern in allowed if pattern.startswith("*."))

    def __contains__(self, host: str) -> bool:
        if len(host) > MAX_HOST_LENGTH:
            return False
        name = name_of(host)
        return is_local(name) or name in self._names or name.endswith(self._suffixes)

    def refuse_others(self, host: str) -> None:
        """Raises UnknownHost. A request without a Host, as HTTP/1.0 allows, comes from no browser."""
        if host and host not in self:
            raise UnknownHost(name_of(host[:MAX_HOST_LENGTH]))

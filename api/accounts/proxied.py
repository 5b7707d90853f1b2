"""Whether a request came from beyond this machine although BIND is loopback: through a reverse proxy or a tunnel.

A client cannot take away what a proxy adds; one that adds something of its own only shuts itself out.
"""

import ipaddress

from starlette.datastructures import Headers

from api.http.hosts import is_local, name_of

# What proxies and tunnels add. nginx has the same in proxied.conf, because it replaces some; a test compares the two.
FORWARDING_HEADERS = (
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Real-IP",
    "X-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "CF-Ray",
)


def came_through_a_proxy(headers: Headers, *, behind_nginx: bool) -> bool:
    """By the headers of a proxy other than our own nginx, or by the name that the client used."""
    if is_public(headers.get("Host", "")):
        return True
    names = ("X-LocalChat-Proxied",) if behind_nginx else FORWARDING_HEADERS
    return any(headers.get(name) for name in names)


def is_public(host: str) -> bool:
    """Whether it is a name that only ALLOWED_HOSTS makes known, or an address of the internet."""
    name = name_of(host)
    return bool(name) and (not is_local(name) or _is_public_address(name))


def _is_public_address(name: str) -> bool:
    try:
        return ipaddress.ip_address(name.strip("[]")).is_global
    except ValueError:
        return False

"""Whether another site's web page made a request. CORS keeps such a page from reading the answer, not from asking.

The rules are those of Go's http.CrossOriginProtection: a program sends neither header, and no page can choose them.
"""

import re
from collections.abc import Collection

from starlette.datastructures import Headers

# The page is LocalChat's own; the person typed the address.
OWN_SITES = ("same-origin", "none")

# An origin as browsers send it, of any scheme. nginx/cors-origins.sh reads the same; a test compares the two.
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([A-Za-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?")
MAX_ORIGIN_LENGTH = 300
DEV_ORIGINS = tuple(f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in (3000, 4200, 5173, 8080))


def origins_in(text: str) -> tuple[str, ...]:
    """Those of CORS_ORIGINS. Raises ValueError."""
    origins = tuple(origin.rstrip("/") for origin in re.split(r"[, \t\n]+", text) if origin)
    for origin in origins:
        refuse_unless_origin(origin)
    return origins


def refuse_unless_origin(origin: str) -> None:
    """Raises ValueError, with what is wrong with an entry of CORS_ORIGINS."""
    if origin == "null":
        raise ValueError(
            "lists 'null', which is the origin of any sandboxed page and of any file: each could call the API"
        )
    if origin != "*" and (len(origin) > MAX_ORIGIN_LENGTH or not ORIGIN.fullmatch(origin)):
        raise ValueError(
            f"lists {origin!r}; each must be scheme://host[:port], e.g. https://chat.example.org or app://obsidian.md"
        )


def is_cross_site(headers: Headers, listed_origins: Collection[str]) -> bool:
    """Whether it comes from a page whose origin is neither our own nor in CORS_ORIGINS."""
    origin = headers.get("Origin")
    if "*" in listed_origins or origin in listed_origins:
        return False
    # Browsers send it over https and to localhost. It is right behind a proxy that changes Host, too.
    if "Sec-Fetch-Site" in headers:
        return headers["Sec-Fetch-Site"] not in OWN_SITES
    return bool(origin) and not _is_own(str(origin), headers.get("Host", ""))


def _is_own(origin: str, host: str) -> bool:
    """By name and port. The scheme is the proxy's where one ends TLS: https for the browser, http for us."""
    _, _, authority = origin.partition("://")
    return authority != "" and _without_default_port(authority) == _without_default_port(host)


def _without_default_port(authority: str) -> str:
    return authority.lower().replace(".:", ":").removesuffix(":80").removesuffix(":443").removesuffix(".")

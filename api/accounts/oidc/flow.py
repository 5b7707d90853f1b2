"""One sign-in of one browser, kept in a cookie of that browser: any worker can finish it, and none remembers it."""

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass

from fastapi import Response

LIFETIME_SECONDS = 600
COOKIE = "localchat_sign_in"
COOKIE_PATH = "/login/oidc"
# No other site under the same domain can set one with this prefix, and so plant its own sign-in. It needs https.
HOST_PREFIX = "__Host-"
PARTS = 3


@dataclass(frozen=True)
class Flow:
    """What goes through the browser is made of `id` and the server's key, so that the cookie does not reveal it."""

    id: str
    ends_at: int
    key: str

    @classmethod
    def begin(cls, key: str) -> "Flow":
        return cls(secrets.token_urlsafe(32), int(time.time()) + LIFETIME_SECONDS, key)

    @classmethod
    def read(cls, cookie: str, key: str) -> "Flow | None":
        """That of a cookie; None for one that was not made here, or is too old."""
        parts = cookie.split(".")
        if len(parts) != PARTS or not parts[1].isascii() or not parts[1].isdigit() or len(cookie) > len(parts[0]) + 99:
            return None
        flow = cls(parts[0], int(parts[1]), key)
        is_ours = hmac.compare_digest(flow.cookie.encode(), cookie.encode("utf-8", "surrogatepass"))
        return flow if is_ours and time.time() < flow.ends_at else None

    @property
    def cookie(self) -> str:
        return f"{self.id}.{self.ends_at}.{self._derived(f'cookie {self.ends_at}')}"

    @property
    def state(self) -> str:
        return self._derived("state")

    @property
    def nonce(self) -> str:
        return self._derived("nonce")

    @property
    def code_verifier(self) -> str:
        """Of PKCE (RFC 7636)."""
        return self._derived("code_verifier")

    def has_state(self, state: str) -> bool:
        return hmac.compare_digest(self.state.encode(), state.encode("utf-8", "surrogatepass"))

    def _derived(self, purpose: str) -> str:
        text = f"oidc {purpose} {self.id}".encode("utf-8", "surrogatepass")
        digest = hmac.new(self.key.encode(), text, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def cookie_name(*, secure: bool) -> str:
    return f"{HOST_PREFIX}{COOKIE}" if secure else COOKIE


def set_cookie(response: Response, flow: Flow | None, *, secure: bool) -> None:
    """None takes it away. Lax, because the browser comes back from another site."""
    response.set_cookie(
        cookie_name(secure=secure),
        flow.cookie if flow else "",
        max_age=LIFETIME_SECONDS if flow else 0,
        path="/" if secure else COOKIE_PATH,
        secure=secure,
        httponly=True,
        samesite="lax",
    )

"""JSON Web Tokens (RFC 7519), signed with HS256 and nothing else."""

import base64
import re
import secrets
import time
from dataclasses import dataclass

from jose import JWTError, jwk, jwt

from api.accounts.store import Account, comparable
from api.errors import NotAuthenticated
from api.settings import Settings

ALGORITHM = "HS256"
HEADER = {"alg": ALGORITHM, "typ": "JWT"}
NAME = "localchat"  # issuer and audience: this gateway issues tokens only for itself
# header.claims.signature in base64url (RFC 7515, 7.1). python-jose ignores characters that are not base64url.
COMPACT_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
CACHED_SECONDS = 30
MAX_CACHED = 10_000  # some 10 MB, should anybody log in that often
REQUIRED_CLAIMS = ("exp", "iat", "sub", "jti", "iss", "aud")


@dataclass(frozen=True)
class Claims:
    """What a good token says. Times are in seconds since 1970; tokens of version 0.2 have no epoch."""

    comparable: str
    epoch: str | None
    session: str
    issued_at: int
    ends_at: int


@dataclass(frozen=True)
class CachedToken:
    """A token that was good. `until` is in seconds since 1970."""

    claims: Claims
    until: float


def new_epoch() -> str:
    """A name for an account's sessions from now on."""
    return secrets.token_hex(8)


class Tokens:
    """Issues and verifies them. Whether a session still counts is not theirs to say: see sessions.py."""

    def __init__(self, settings: Settings) -> None:
        # As a JSON Web Key, because python-jose takes some strings for more than a secret: JSON, PEM.
        secret = base64.urlsafe_b64encode(settings.signing_key.encode()).decode()
        self._key = jwk.construct({"kty": "oct", "k": secret}, ALGORITHM)
        self._lifetime_seconds = settings.access_token_expire_minutes * 60
        self._cache: dict[str, CachedToken] = {}

    def issue(self, account: Account) -> str:
        now = int(time.time())
        claims = {
            "sub": account.email,
            "epoch": account.session_epoch,
            "iat": now,
            "exp": now + self._lifetime_seconds,
            "jti": secrets.token_hex(16),
            "iss": NAME,
            "aud": NAME,
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers=HEADER)

    def verify(self, token: str) -> Claims:
        """What `token` says. Raises NotAuthenticated.

        A good token is cached for CACHED_SECONDS, but not beyond its own end: checking a signature is a third of a
        decision's time.
        """
        now = time.time()
        cached = self._cache.get(token)
        if cached is not None and now < cached.until:
            return cached.claims
        claims = self._check(token)
        # python-jose counts in whole seconds, and takes the last one for valid; RFC 7519 does not.
        if now >= claims.ends_at:
            raise NotAuthenticated
        if len(self._cache) >= MAX_CACHED:
            self._cache.clear()
        self._cache[token] = CachedToken(claims, min(now + CACHED_SECONDS, claims.ends_at))
        return claims

    def _check(self, token: str) -> Claims:
        claims = self._claims(token)
        epoch, issued_at, ends_at = claims.get("epoch"), claims["iat"], claims["exp"]
        if not (epoch is None or isinstance(epoch, str)) or type(claims.get("nbf", 0)) is not int:
            raise NotAuthenticated
        if type(issued_at) is not int or type(ends_at) is not int:
            raise NotAuthenticated
        return Claims(comparable(str(claims["sub"])), epoch, str(claims["jti"]), issued_at, ends_at)

    def _claims(self, token: str) -> dict[str, object]:
        try:
            # The exact header we issue: no `none`, no other algorithm, no `crit`, no embedded key.
            if not COMPACT_FORM.fullmatch(token) or jwt.get_unverified_header(token) != HEADER:
                raise NotAuthenticated
            return jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=NAME,
                issuer=NAME,
                options={f"require_{claim}": True for claim in REQUIRED_CLAIMS},
            )
        # python-jose makes numbers of claims as they are: infinity, null, JSON that is too deep.
        except (JWTError, ArithmeticError, TypeError, ValueError, RecursionError) as error:
            raise NotAuthenticated from error

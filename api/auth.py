"""Who is calling: login, tokens, and the Caller that a route may ask for."""

import base64
import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from jose import JWTError, jwk, jwt
from starlette.datastructures import Headers

from api.errors import NotAuthenticated
from api.settings import Settings

ALGORITHM = "HS256"
HEADER = {"alg": ALGORITHM, "typ": "JWT"}
NAME = "localchat"  # issuer and audience: this gateway issues tokens for itself alone
# header.claims.signature in base64url (RFC 7515, 7.1). python-jose's decoder skips what is none.
COMPACT_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
REMEMBERED_SECONDS = 30
MAX_REMEMBERED = 10_000  # some 10 MB, should anybody log in that often
REQUIRED_CLAIMS = ("exp", "iat", "sub", "jti", "iss", "aud")


@dataclass(frozen=True)
class Caller:
    """An authenticated account."""

    email: str
    is_admin: bool


class Accounts:
    """The one account, set by ADMIN_EMAIL and ADMIN_PASSWORD."""

    def __init__(self, settings: Settings) -> None:
        self._email = settings.admin_email
        self._digest = _digest(settings.admin_email, settings.admin_password.get_secret_value())

    def are_credentials(self, email: str, password: str) -> bool:
        """Whether they are an account's. One comparison of digests: its time tells not what is wrong."""
        return hmac.compare_digest(self._digest, _digest(email, password))

    def has(self, email: str) -> bool:
        return email == self._email

    def is_admin(self, email: str) -> bool:
        return email == self._email


def _digest(email: str, password: str) -> bytes:
    # Each part is hashed first, so that no pair of parts can be shifted into another.
    parts = (hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest() for part in (email, password))
    return hashlib.sha256(b"".join(parts)).digest()


@dataclass(frozen=True)
class Verified:
    """What is remembered of a token that was good, until a time in seconds since 1970."""

    caller: Caller
    until: float


class Tokens:
    """JSON Web Tokens (RFC 7519), signed with HS256 and nothing else."""

    def __init__(self, settings: Settings, accounts: Accounts) -> None:
        # As a JSON Web Key, because python-jose takes some strings for more than a secret: JSON, PEM.
        secret = base64.urlsafe_b64encode(settings.signing_key.encode()).decode()
        self._key = jwk.construct({"kty": "oct", "k": secret}, ALGORITHM)
        self._lifetime_seconds = settings.access_token_expire_minutes * 60
        self._accounts = accounts
        self._verified: dict[str, Verified] = {}

    def issue(self, email: str) -> str:
        now = int(time.time())
        expires = now + self._lifetime_seconds
        claims = {"sub": email, "iat": now, "exp": expires, "jti": secrets.token_hex(16), "iss": NAME, "aud": NAME}
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers=HEADER)

    def verify(self, token: str) -> Caller:
        """The caller that `token` was issued to. Raises NotAuthenticated.

        A token that was good is remembered for REMEMBERED_SECONDS, but not beyond its own end: checking a signature is
        a third of a decision's time.
        """
        now = time.time()
        known = self._verified.get(token)
        if known is not None and now < known.until:
            return known.caller
        caller, expires = self._check(token)
        # python-jose counts in whole seconds, and takes the last one for valid; RFC 7519 does not.
        if now >= expires:
            raise NotAuthenticated
        if len(self._verified) >= MAX_REMEMBERED:
            self._verified.clear()
        self._verified[token] = Verified(caller, min(now + REMEMBERED_SECONDS, expires))
        return caller

    def _check(self, token: str) -> tuple[Caller, float]:
        try:
            # The exact header we issue: no `none`, no other algorithm, no `crit`, no embedded key.
            if not COMPACT_FORM.fullmatch(token) or jwt.get_unverified_header(token) != HEADER:
                raise NotAuthenticated
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=NAME,
                issuer=NAME,
                options={f"require_{claim}": True for claim in REQUIRED_CLAIMS},
            )
        except JWTError as error:
            raise NotAuthenticated from error
        if not self._accounts.has(claims["sub"]):
            raise NotAuthenticated
        return Caller(claims["sub"], self._accounts.is_admin(claims["sub"])), claims["exp"]


# auto_error=False: the refusal is ours, in the one error shape; this only tells /docs about the scheme.
bearer = HTTPBearer(bearerFormat="JWT", auto_error=False, description="The access_token of POST /login.")


def authenticate(request: Request) -> Caller:
    """Who is calling. Raises NotAuthenticated."""
    tokens: Tokens = request.app.state.tokens
    caller = tokens.verify(_token(request.headers))
    request.state.caller = caller
    return caller


async def _caller(request: Request, _: Annotated[object, Depends(bearer)]) -> Caller:
    return authenticate(request)


def _token(headers: Headers) -> str:
    """The token, from the first header that is there. Raises NotAuthenticated.

    `Authorization: Bearer …`, as nearly all clients send it; `X-Api-Key`, as Anthropic's do; the password in
    `Proxy-Authorization: Basic …`, for the `ollama` command, which can name a proxy's credentials and no others.
    """
    if "Authorization" in headers:
        return _credentials(headers["Authorization"], "bearer")
    if "X-Api-Key" in headers:
        return headers["X-Api-Key"].strip()
    if "Proxy-Authorization" in headers:
        return _password(_credentials(headers["Proxy-Authorization"], "basic"))
    raise NotAuthenticated


def _password(user_and_password: str) -> str:
    try:
        return base64.b64decode(user_and_password, validate=True).decode().partition(":")[2]
    except ValueError as error:
        raise NotAuthenticated from error


def _credentials(header: str, wanted_scheme: str) -> str:
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != wanted_scheme:
        raise NotAuthenticated
    return credentials.strip()


CallerDep = Annotated[Caller, Depends(_caller)]

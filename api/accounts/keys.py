"""API keys: 256 random bits, of which only a SHA-256 is kept. Nobody guesses one, so nothing slower is needed."""

import hashlib
import hmac
import secrets
import time

from api.accounts.picture import Picture
from api.accounts.store import Caller
from api.errors import NotAuthenticated

PREFIX = "sk-localchat-"
HINT_LENGTH = 4


def new_key() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def caller_of_key(secret: str, picture: Picture) -> Caller:
    """Raises NotAuthenticated and DatabaseUnavailable."""
    digest = digest_of(secret)
    key = picture.keys.get(digest)
    if key is None or not hmac.compare_digest(key.digest, digest):
        # A key that was made since the picture may be good.
        picture.refuse_unless_current()
        raise NotAuthenticated
    owner = picture.owner(key)
    has_expired = key.expires_at is not None and time.time() >= key.expires_at
    if owner is None or owner.disabled or has_expired:
        raise NotAuthenticated
    return Caller(owner.id, owner.email, owner.role, owner.managed_by, key.scopes, key_id=key.id)

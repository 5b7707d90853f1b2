"""Verifies an ID token (OpenID Connect Core, 3.1.3.7): signed by a key of the issuer, for us, for this sign-in, now."""

import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, RSAKey

# Never `none`, and none that would take a public key for a shared secret.
KEY_TYPES = {"RS256": "RSA", "ES256": "EC"}
MIN_RSA_BITS = 2048
MAX_KEYS = 100
LEEWAY_SECONDS = 60
MAX_SUBJECT_LENGTH = 255

Key = RSAKey | ECKey


class InvalidIdToken(Exception):
    """Says why, without the token."""


class UnknownKey(InvalidIdToken):
    """The issuer may have a new one."""


def keys_in(jwks: dict[str, Any]) -> list[Key]:
    """Those that can verify a signature; others are left out."""
    found = jwks.get("keys")
    keys = (_key(data) for data in found[:MAX_KEYS] if isinstance(data, dict)) if isinstance(found, list) else ()
    return [key for key in keys if key is not None]


def _key(data: dict[str, Any]) -> Key | None:
    if data.get("use", "sig") != "sig":
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SecurityWarning)
            if data.get("kty") == "EC":
                return ECKey.import_key(data)
            key = RSAKey.import_key(data) if data.get("kty") == "RSA" else None
    except (JoseError, SecurityWarning, ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        return None
    return key if key and key.raw_value.key_size >= MIN_RSA_BITS else None


@dataclass(frozen=True)
class Expected:
    """What it has to say."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str


def verify(token: str, keys: Iterable[Key], expected: Expected) -> dict[str, Any]:
    """Its claims. Raises InvalidIdToken."""
    try:
        header = jws.extract_compact(token.encode()).headers()
        key = _only(header, keys)
        decoded = jwt.decode(token, key, algorithms=list(KEY_TYPES))
        options = {"iss": _exactly(expected.issuer), "aud": _exactly(expected.client_id)}
        claims = CodeIDToken(decoded.claims, decoded.header, options, vars(expected))
        claims.validate(now=int(time.time()), leeway=LEEWAY_SECONDS)
    # What a signed token says may be of any type.
    except (JoseError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise InvalidIdToken(f"{type(error).__name__}: {error}") from error
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_LENGTH or not subject.isprintable():
        raise InvalidIdToken("its subject is not a name")
    return dict(claims)


def _exactly(value: str) -> dict[str, Any]:
    return {"essential": True, "value": value}


def _only(header: dict[str, Any], keys: Iterable[Key]) -> Key:
    """The one key that it can be signed with."""
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in KEY_TYPES:
        raise InvalidIdToken("it is signed with another algorithm than RS256 or ES256")
    of_type = [key for key in keys if key.key_type == KEY_TYPES[algorithm] and key.get("alg") in (None, algorithm)]
    named = [key for key in of_type if "kid" not in header or key.kid == header["kid"]]
    if len(named) != 1:
        raise UnknownKey(f"{len(named)} of the issuer's keys fit its header")
    return named[0]

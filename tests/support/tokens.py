"""Hand-made tokens, which can be invalid in any way."""

import base64
import hmac
import json
import time

KEY = "a signing key of more than 32 bytes"
HEADER = {"alg": "HS256", "typ": "JWT"}


def claims(**changes: object) -> dict[str, object]:
    """The claims of a valid token, with `changes`; None removes a claim.

    As version 0.2 made them: without an epoch, and before there was a database.
    """
    now = int(time.time())
    good = {
        "sub": "admin@local",
        "iat": now - 3600,
        "exp": now + 60,
        "jti": "1f",
        "iss": "localchat",
        "aud": "localchat",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def sign(header: object, payload: object, key: str = KEY, digest: str = "sha256") -> str:
    return sign_json(json.dumps(header), json.dumps(payload), key, digest)


def sign_json(header: str, payload: str, key: str = KEY, digest: str = "sha256") -> str:
    """Like sign(), for JSON that json.dumps() would not write."""
    unsigned = f"{encode(header.encode())}.{encode(payload.encode())}"
    return f"{unsigned}.{encode(hmac.digest(key.encode(), unsigned.encode(), digest))}"

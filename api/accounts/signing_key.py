"""The key that tokens are signed with: SECRET_KEY or, where that is unset, one made once, the same for every worker."""

import logging
import os
import secrets
from pathlib import Path

from pydantic import SecretStr

EXAMPLE_KEYS = {"your-secret-key-here", "changeme", "secret"}
MIN_KEY_BYTES = 32  # RFC 7518, 3.2: an HS256 key is no shorter than the hash.


log = logging.getLogger(__name__)


class SigningKeyInvalid(Exception):
    """The stored signing key is invalid."""


def key_of(setting: SecretStr | None) -> SecretStr | None:
    """SECRET_KEY, or None where it counts as unset. Raises ValueError."""
    if setting is None:
        return None
    key = setting.get_secret_value()
    if key in EXAMPLE_KEYS:
        log.warning("SECRET_KEY is a well-known example: it counts as unset, and one is made and kept instead")
        return None
    if len(key.encode()) < MIN_KEY_BYTES:
        raise ValueError(
            f"is shorter than {MIN_KEY_BYTES} bytes; make one with 'openssl rand -hex 32', "
            "or leave it empty and one is made and kept"
        )
    return setting


def load_or_create_key(path: Path) -> str:
    """The key in `path` (mode 0600), created if missing. Concurrent callers get the same key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(MIN_KEY_BYTES))
        try:
            # Unlike a rename, a link never replaces a key that another worker has just made.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    key = path.read_bytes().decode("ascii", "ignore").strip()
    if len(key) < MIN_KEY_BYTES:
        raise SigningKeyInvalid(f"{path} holds no key of {MIN_KEY_BYTES} bytes; delete it and a new one is made")
    return key

"""Every setting, typed, bounded and defaulted, read once from the environment; what is unsafe is refused."""

import ipaddress
import logging
import os
import re
import secrets
import sys
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

log = logging.getLogger(__name__)

DEFAULT_PASSWORD = "changeme"  # noqa: S105  Public: it only logs in while the stack is bound to loopback.
MAX_PASSWORD_LENGTH = 1024
EXAMPLE_KEYS = {"your-secret-key-here", "changeme", "secret"}
MIN_KEY_BYTES = 32  # RFC 7518, 3.2: an HS256 key is no shorter than the hash.
MEBIBYTE = 1024 * 1024

# Exactly what nginx's entrypoint takes apart: scheme, name or address (IPv6 in brackets), port.
OLLAMA_URL = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?/?")
MAX_PORT = 65_535

DEV_ORIGINS = tuple(f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in (3000, 4200, 5173, 8080))


class Settings(BaseSettings):
    """LocalChat's settings. Each is documented in .env.example; the name there is the field's in capitals."""

    # Compose hands on an unset variable as an empty one. Input is hidden because it may be a secret.
    model_config = SettingsConfigDict(env_ignore_empty=True, hide_input_in_errors=True, frozen=True)

    admin_email: str = Field("admin@local", max_length=320)
    admin_password: SecretStr = Field(SecretStr(DEFAULT_PASSWORD), max_length=MAX_PASSWORD_LENGTH)
    secret_key: SecretStr | None = None
    access_token_expire_minutes: int = Field(1440, ge=1, le=525_600)
    login_failures_per_minute: int = Field(10, ge=1)

    ollama_url: str = "http://localhost:11434"
    ollama_timeout_seconds: float = Field(600, gt=0)

    bind: str = "127.0.0.1:8000"
    cors_origins: Annotated[tuple[str, ...], NoDecode] = DEV_ORIGINS
    max_body_mb: int = Field(32, ge=1, le=1024)
    max_upload_mb: int = Field(100, ge=1, le=102_400)

    behind_nginx: bool = False
    upload_dir: Path = Path("data/uploads")
    state_dir: Path = Path("data/state")

    @field_validator("ollama_url")
    @classmethod
    def _is_an_ollama_url(cls, value: str) -> str:
        match = OLLAMA_URL.fullmatch(value)
        if not match or not 0 < int(match["port"] or 80) <= MAX_PORT:
            raise ValueError("is not scheme, host and port alone, such as http://192.168.1.20:11434")
        return value.rstrip("/")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _are_origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        origins = tuple(origin.strip().rstrip("/") for origin in value.split(",") if origin.strip())
        for origin in origins:
            if origin != "*" and not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", origin):
                raise ValueError(f"lists {origin!r}; each is scheme://host[:port], separated by commas")
        return origins

    @field_validator("secret_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and value.get_secret_value() in EXAMPLE_KEYS:
            log.warning("SECRET_KEY is a well-known example: it counts as unset, and one is made and kept instead")
            return None
        if value is None:
            return None
        if len(value.get_secret_value().encode()) < MIN_KEY_BYTES:
            raise ValueError(
                f"is shorter than {MIN_KEY_BYTES} bytes; make one with 'openssl rand -hex 32', "
                "or leave it empty and one is made and kept"
            )
        return value

    @model_validator(mode="after")
    def _default_password_stays_at_home(self) -> Self:
        if self.admin_password.get_secret_value() == DEFAULT_PASSWORD and not is_loopback(self.bind):
            raise ValueError(
                f"ADMIN_PASSWORD is still the public default while BIND={self.bind} is open to the network; "
                "set ADMIN_PASSWORD, or BIND=127.0.0.1:8000"
            )
        return self

    @cached_property
    def signing_key(self) -> str:
        """SECRET_KEY, or the one made at the first start and kept in the state folder. Raises OSError."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        return kept_key(self.state_dir / "secret_key")


class KeyFileDamaged(Exception):
    """The kept SECRET_KEY is there but is no key."""


def is_loopback(bind: str) -> bool:
    """Whether a Compose `[address:]port` is reachable from this machine only. A bare port is every interface."""
    host = bind.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def kept_key(path: Path) -> str:
    """The key in `path` (mode 0600), made there when there is none; the same for all who ask at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(MIN_KEY_BYTES))
        try:
            # Unlike a rename, a link never replaces a key that another worker made meanwhile.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    key = path.read_bytes().decode("ascii", "ignore").strip()
    if len(key) < MIN_KEY_BYTES:
        raise KeyFileDamaged(f"{path} holds no key of {MIN_KEY_BYTES} bytes; delete it and a new one is made")
    return key


def load_settings() -> Settings:
    """The settings of this process. Ends it with a message that names variable and remedy when one is refused."""
    try:
        settings = Settings()
        settings.signing_key  # noqa: B018  Made or read now, so that a fault shows at the start.
    except OSError as error:
        sys.exit(f"LocalChat does not start: SECRET_KEY is unset and none can be kept in STATE_DIR: {error}")
    except KeyFileDamaged as error:
        sys.exit(f"LocalChat does not start: {error}")
    except ValidationError as error:
        lines = [_complaint(".".join(map(str, item["loc"])), item["msg"]) for item in error.errors()]
        sys.exit("LocalChat does not start with these settings:\n" + "\n".join(lines))
    return settings


def _complaint(field: str, message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"  {field.upper()} {message}" if field else f"  {message}"

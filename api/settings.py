"""Every setting, typed, bounded and defaulted, read once from the environment; what is unsafe is refused."""

import ipaddress
import logging
import re
import sys
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.accounts.oidc.setup import domains_in, refuse_unless_callback, refuse_unless_issuer
from api.accounts.origins import DEV_ORIGINS, refuse_unless_origin
from api.accounts.signing_key import MIN_KEY_BYTES, SigningKeyInvalid, load_or_create_key
from api.database.engine import sqlite_path
from api.http.hosts import ALLOWED_HOST, name_of

log = logging.getLogger(__name__)

DEFAULT_PASSWORD = "changeme"  # noqa: S105  Public: it only logs in while the stack is bound to loopback.
MAX_PASSWORD_LENGTH = 1024
# NIST SP 800-63B asks for 8 beside a second factor, and 15 without; ten guesses a minute are let through here.
MIN_PASSWORD_LENGTH = 10
EXAMPLE_KEYS = {"your-secret-key-here", "changeme", "secret"}
MEBIBYTE = 1024 * 1024

# Exactly what nginx's entrypoint takes apart: scheme, name or address (IPv6 in brackets), port.
OLLAMA_URL = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?/?")
MAX_PORT = 65_535


class Settings(BaseSettings):
    """LocalChat's settings. Each is documented in .env.example; the name there is the field's in capitals."""

    # Compose hands on an unset variable as an empty one. Input is hidden because it may be a secret.
    model_config = SettingsConfigDict(env_ignore_empty=True, hide_input_in_errors=True, frozen=True)

    admin_email: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=320)] = "admin@local"
    admin_password: SecretStr = Field(SecretStr(DEFAULT_PASSWORD), max_length=MAX_PASSWORD_LENGTH)
    secret_key: SecretStr | None = None
    access_token_expire_minutes: int = Field(1440, ge=1, le=525_600)
    login_failures_per_minute: int = Field(10, ge=1)

    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_name: str = Field("", max_length=50)
    oidc_allowed_domains: Annotated[tuple[str, ...], NoDecode] = ()
    oidc_allowed_group: str = ""
    oidc_admin_group: str = ""
    oidc_link_verified_email: bool = False
    oidc_redirect_url: str = ""

    ollama_url: str = "http://localhost:11434"
    ollama_timeout_seconds: float = Field(600, gt=0)

    bind: str = "127.0.0.1:8000"
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    cors_origins: Annotated[tuple[str, ...], NoDecode] = DEV_ORIGINS
    max_body_mb: int = Field(32, ge=1, le=256)  # four of them fit in the memory that nginx has for bodies
    max_upload_mb: int = Field(100, ge=1, le=102_400)

    behind_nginx: bool = False
    upload_dir: Path = Path("data/uploads")
    state_dir: Path = Path("data/state")
    database_url: str = ""

    @field_validator("ollama_url")
    @classmethod
    def _is_an_ollama_url(cls, value: str) -> str:
        match = OLLAMA_URL.fullmatch(value)
        if not match or not 0 < int(match["port"] or 80) <= MAX_PORT:
            raise ValueError("must be scheme://host[:port], e.g. http://192.168.1.20:11434")
        return value.rstrip("/")

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _are_hosts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        hosts = tuple(name_of(host.strip()) for host in value.split(",") if host.strip())
        for host in hosts:
            if not ALLOWED_HOST.fullmatch(host):
                raise ValueError(
                    f"lists {host!r}; each is a name such as chat.example.org, or *.example.org for all names in it, "
                    "with letters beyond a-z as browsers send them (xn--…), separated by commas"
                )
        return hosts

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _are_origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        origins = tuple(origin.rstrip("/") for origin in re.split(r"[, \t\n]+", value) if origin)
        for origin in origins:
            refuse_unless_origin(origin)
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

    @field_validator("oidc_issuer")
    @classmethod
    def _is_an_issuer(cls, value: str) -> str:
        if value:
            refuse_unless_issuer(value)
        return value

    @field_validator("oidc_allowed_domains", mode="before")
    @classmethod
    def _are_domains(cls, value: object) -> object:
        return domains_in(value) if isinstance(value, str) else value

    @field_validator("oidc_redirect_url")
    @classmethod
    def _is_a_callback(cls, value: str) -> str:
        if value:
            refuse_unless_callback(value)
        return value

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, value: str) -> str:
        if value:
            sqlite_path(value)
        return value

    @model_validator(mode="after")
    def _weak_password_stays_at_home(self) -> Self:
        if self.has_weak_password and not is_loopback(self.bind):
            is_default = self.admin_password.get_secret_value() == DEFAULT_PASSWORD
            problem = "still the public default" if is_default else f"shorter than {MIN_PASSWORD_LENGTH} characters"
            raise ValueError(
                f"ADMIN_PASSWORD is {problem} while BIND={self.bind} is open to the network; "
                f"set {'ADMIN_PASSWORD' if is_default else 'a longer one'}, or BIND=127.0.0.1:8000"
            )
        return self

    @model_validator(mode="after")
    def _somebody_can_sign_in(self) -> Self:
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("OIDC_ISSUER is set, but OIDC_CLIENT_ID is not; the provider has it")
        rules = (self.oidc_allowed_domains, self.oidc_allowed_group, self.oidc_admin_group)
        if self.oidc_issuer and not any(rules) and not self.oidc_link_verified_email:
            raise ValueError(
                "OIDC_ISSUER is set, but nobody could sign in; set OIDC_ALLOWED_DOMAINS, OIDC_ALLOWED_GROUP or "
                "OIDC_ADMIN_GROUP, or OIDC_LINK_VERIFIED_EMAIL=true for people who have an account here"
            )
        return self

    @property
    def has_weak_password(self) -> bool:
        """Whether it is good for this machine only. The default is one of the short ones."""
        return len(self.admin_password.get_secret_value()) < MIN_PASSWORD_LENGTH

    @property
    def database_path(self) -> Path:
        return sqlite_path(self.database_url) if self.database_url else self.state_dir / "localchat.sqlite"

    @cached_property
    def signing_key(self) -> str:
        """SECRET_KEY, or the one made at the first start and kept in the state folder. Raises OSError."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        return load_or_create_key(self.state_dir / "secret_key")


def is_loopback(bind: str) -> bool:
    """Whether a Compose `[address:]port` is reachable from this machine only. A bare port is every interface."""
    host = bind.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load_settings() -> Settings:
    """The settings of this process. Ends it with a message that names variable and remedy when one is refused."""
    try:
        settings = Settings()
        settings.signing_key  # noqa: B018  Made or read now, so that a fault shows at the start.
    except OSError as error:
        sys.exit(f"LocalChat does not start: SECRET_KEY is unset and none can be kept in STATE_DIR: {error}")
    except SigningKeyInvalid as error:
        sys.exit(f"LocalChat does not start: {error}")
    except ValidationError as error:
        lines = [_complaint(".".join(map(str, item["loc"])), item["msg"]) for item in error.errors()]
        sys.exit("LocalChat does not start with these settings:\n" + "\n".join(lines))
    return settings


def _complaint(field: str, message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"  {field.upper()} {message}" if field else f"  {message}"

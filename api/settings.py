"""Every setting, typed, bounded and defaulted, read once from the environment; what is unsafe is refused."""

import ipaddress
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.accounts.oidc.setup import domains_in, refuse_unless_callback, refuse_unless_issuer
from api.accounts.origins import DEV_ORIGINS, origins_in
from api.accounts.signing_key import SigningKeyInvalid, key_of, load_or_create_key
from api.database.engine import sqlite_path
from api.http.hosts import hosts_in
from api.ollama.address import ollama_url_in

DEFAULT_PASSWORD = "changeme"  # noqa: S105  Public: it only logs in while the stack is bound to loopback.
MAX_PASSWORD_LENGTH = 1024
# NIST SP 800-63B asks for 8 beside a second factor, and 15 without; ten guesses a minute are let through here.
MIN_PASSWORD_LENGTH = 10
MEBIBYTE = 1024 * 1024


def _checked_by(refuse: Callable[[str], object]) -> AfterValidator:
    """`refuse` raises ValueError. Empty is unset."""

    def check(value: str) -> str:
        if value:
            refuse(value)
        return value

    return AfterValidator(check)


def _listed(parse: Callable[[str], tuple[str, ...]]) -> BeforeValidator:
    """`parse` raises ValueError. A default, or a test's, is a tuple already."""
    return BeforeValidator(lambda value: parse(value) if isinstance(value, str) else value)


class Settings(BaseSettings):
    """LocalChat's settings. Each is documented in .env.example; the name there is the field's in capitals."""

    # Compose hands on an unset variable as an empty one. Input is hidden because it may be a secret.
    model_config = SettingsConfigDict(env_ignore_empty=True, hide_input_in_errors=True, frozen=True)

    admin_email: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=320)] = "admin@local"
    admin_password: SecretStr = Field(SecretStr(DEFAULT_PASSWORD), max_length=MAX_PASSWORD_LENGTH)
    secret_key: Annotated[SecretStr | None, AfterValidator(key_of)] = None
    access_token_expire_minutes: int = Field(1440, ge=1, le=525_600)
    login_failures_per_minute: int = Field(10, ge=1)

    oidc_issuer: Annotated[str, _checked_by(refuse_unless_issuer)] = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_name: str = Field("", max_length=50)
    oidc_allowed_domains: Annotated[tuple[str, ...], NoDecode, _listed(domains_in)] = ()
    oidc_allowed_group: str = ""
    oidc_admin_group: str = ""
    oidc_link_verified_email: bool = False
    oidc_redirect_url: Annotated[str, _checked_by(refuse_unless_callback)] = ""

    ollama_url: Annotated[str, AfterValidator(ollama_url_in)] = "http://localhost:11434"
    ollama_timeout_seconds: float = Field(600, gt=0)

    bind: str = "127.0.0.1:8000"
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, _listed(hosts_in)] = ()
    cors_origins: Annotated[tuple[str, ...], NoDecode, _listed(origins_in)] = DEV_ORIGINS
    max_body_mb: int = Field(32, ge=1, le=256)  # four of them fit in the memory that nginx has for bodies
    max_upload_mb: int = Field(100, ge=1, le=102_400)
    upload_quota_mb: int = Field(2048, ge=0)
    upload_retention_days: int = Field(0, ge=0, le=36_500)

    behind_nginx: bool = False
    upload_dir: Path = Path("data/uploads")
    state_dir: Path = Path("data/state")
    database_url: Annotated[str, _checked_by(sqlite_path)] = ""

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

"""Who may call: accounts and API keys, as they are kept; and a caller, who has shown that they are one."""

import unicodedata
from dataclasses import dataclass
from typing import Literal, get_args

# The account of ADMIN_EMAIL and ADMIN_PASSWORD.
SETTINGS_ID = "settings"
# In place of a kept session: those that version 0.2 opened, whose tokens name no epoch.
SESSIONS_OF_0_2 = "0.2"

Role = Literal["admin", "member"]
Scope = Literal["chat", "models"]
ManagedBy = Literal["settings", "page", "oidc"]
EVERY_SCOPE: frozenset[str] = frozenset(get_args(Scope))


@dataclass(frozen=True)
class Account:
    """A row of the table. Times are in seconds since 1970."""

    id: str
    email: str
    comparable: str | None
    name: str
    role: Role
    password_hash: str | None
    disabled: bool
    created_at: int
    last_seen_at: int | None
    managed_by: ManagedBy
    session_epoch: str
    kept_session: str | None

    @property
    def is_the_settings(self) -> bool:
        return self.id == SETTINGS_ID


@dataclass(frozen=True)
class ApiKey:
    """A row of the table; the key itself is not kept."""

    id: str
    account_id: str
    name: str
    hint: str
    digest: str
    scopes: frozenset[str]
    created_at: int
    expires_at: int | None
    last_used_at: int | None


@dataclass(frozen=True)
class Invitation:
    """A row of the table."""

    account_id: str
    digest: str
    expires_at: int


@dataclass(frozen=True)
class Caller:
    """An authenticated account, and whether by a session or by an API key."""

    account_id: str
    email: str
    role: Role
    managed_by: ManagedBy
    scopes: frozenset[str] = EVERY_SCOPE
    session: str | None = None  # its token's id
    session_ends_at: int | None = None
    key_id: str | None = None

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


def comparable(email: str) -> str:
    """The same for what people take for the same address: case, blanks around it and how an accent is coded.

    Canonical caseless matching (Unicode 3.13, D145).
    """
    folded = unicodedata.normalize("NFD", email.strip()).casefold()
    return unicodedata.normalize("NFC", folded)

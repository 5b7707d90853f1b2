"""What clients send and get about people and keys. Unknown fields are refused: nothing is lost to a typo."""

import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, StringConstraints
from pydantic_core import PydanticCustomError

from api.accounts.store import Account, ApiKey, ManagedBy, Role, Scope
from api.settings import MAX_PASSWORD_LENGTH

# RFC 5321. In bytes, because nginx's log gets it in a header.
MAX_EMAIL_BYTES = 254
TEN_YEARS_IN_DAYS = 3_650
# Control characters, lone surrogates, ends of lines; and what makes text run the other way.
UNREADABLE = {"Cc", "Cs", "Zl", "Zp"}
BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def _is_line(text: str) -> str:
    if any(unicodedata.category(c) in UNREADABLE or unicodedata.bidirectional(c) in BIDI_CONTROLS for c in text):
        raise PydanticCustomError("line", "Input should be one line, without control characters")
    return text


def _is_email(text: str) -> str:
    local, _, domain = text.rpartition("@")
    if not local or not domain or not text.isprintable() or " " in text or len(text.encode()) > MAX_EMAIL_BYTES:
        raise PydanticCustomError("email", "Input should be an email address, such as member@example.org")
    return text


Line = Annotated[StrictStr, StringConstraints(strip_whitespace=True, max_length=100), AfterValidator(_is_line)]
Email = Annotated[StrictStr, StringConstraints(strip_whitespace=True), AfterValidator(_is_email)]
Password = Annotated[StrictStr, Field(max_length=MAX_PASSWORD_LENGTH)]


class Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewPassword(Sent):
    password: Password


class PasswordChange(Sent):
    current: Password
    new: Password


class NewUser(Sent):
    email: Email = Field(examples=["member@example.org"])
    name: Line = ""
    role: Role = "member"
    password: Password | None = Field(None, description="Without one, the answer has an invitation.")


class UserChange(Sent):
    """What is left out stays."""

    name: Line = ""
    role: Role = "member"
    disabled: StrictBool = False
    password: Password = ""


class NewKey(Sent):
    name: Annotated[Line, Field(min_length=1)] = Field(examples=["editor on the laptop"])
    expires_in_days: Annotated[StrictInt, Field(ge=1, le=TEN_YEARS_IN_DAYS)] | None = None
    scopes: list[Scope] = Field(["chat"], min_length=1, max_length=10)


class Me(BaseModel):
    id: str
    email: str
    name: str
    role: Role
    created_at: datetime
    managed_by: ManagedBy

    @classmethod
    def of(cls, account: Account) -> Self:
        return cls.model_validate({**vars(account), **_times(account, "created_at", "last_seen_at")})


class User(Me):
    disabled: bool
    last_seen_at: datetime | None


class Users(BaseModel):
    users: list[User]

    @classmethod
    def of(cls, accounts: Iterable[Account]) -> Self:
        """The oldest account first."""
        by_age = sorted(accounts, key=lambda account: (account.created_at, account.id))
        return cls(users=[User.of(account) for account in by_age])


class Invited(BaseModel):
    invitation: str = Field(
        description="A path of the page, shown this once: good for 7 days and one use.", examples=["/#/invitation/…"]
    )


class MadeUser(User):
    invitation: str | None = Field(None, description=Invited.model_fields["invitation"].description)

    @classmethod
    def with_invitation(cls, account: Account, invitation: str | None) -> Self:
        """The field is unset where there is none."""
        made = User.of(account).model_dump()
        return cls(**made, invitation=invitation) if invitation else cls(**made)


class Key(BaseModel):
    id: str
    name: str
    hint: str = Field(description="Its last four characters.")
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, row: ApiKey, **more: str) -> Self:
        times = _times(row, "created_at", "expires_at", "last_used_at")
        return cls.model_validate({**vars(row), "scopes": sorted(row.scopes), **times, **more})


class MadeKey(Key):
    key: str = Field(description="The key itself, shown this once.", examples=["sk-localchat-…"])


class Keys(BaseModel):
    keys: list[Key]

    @classmethod
    def of(cls, account_id: str, keys: Iterable[ApiKey]) -> Self:
        """Those of an account, the newest first."""
        own = [key for key in keys if key.account_id == account_id]
        return cls(keys=[Key.of(key) for key in sorted(own, key=lambda key: (-key.created_at, key.id))])


def _times(row: object, *names: str) -> dict[str, datetime | None]:
    seconds = {name: getattr(row, name) for name in names}
    return {name: None if at is None else datetime.fromtimestamp(at, UTC) for name, at in seconds.items()}

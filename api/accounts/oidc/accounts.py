"""Whose account it is that somebody signs in to: a function of a transaction, and what the settings allow.

An account is tied to issuer and subject. An email address ties one only where the issuer has verified it and
OIDC_LINK_VERIFIED_EMAIL is set, and never that of the settings.
"""

import time
from dataclasses import dataclass, replace
from typing import Self

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, delete, insert, select

from api.accounts import people
from api.accounts.oidc.errors import AccountDisabled, EmailMissing, EmailOfAnother, NotAllowed, SignInFailed
from api.accounts.oidc.provider import Person
from api.accounts.schemas import Email, Line
from api.accounts.store import Account, Role, comparable
from api.accounts.tokens import new_epoch
from api.database.tables import account, identity, sign_in_code
from api.settings import Settings

CODE_LIFETIME_SECONDS = 60
EMAIL: TypeAdapter[str] = TypeAdapter(Email)
LINE: TypeAdapter[str] = TypeAdapter(Line)


@dataclass(frozen=True)
class Rules:
    """Who may sign in, and as what."""

    domains: frozenset[str]
    group: str
    admin_group: str
    link_verified_email: bool
    settings_address: str  # as comparable() has it

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            frozenset(settings.oidc_allowed_domains),
            settings.oidc_allowed_group,
            settings.oidc_admin_group,
            settings.oidc_link_verified_email,
            comparable(settings.admin_email),
        )

    def allow(self, person: Person) -> bool:
        groups = {group for group in (self.group, self.admin_group) if group}
        domain = person.email.rpartition("@")[2].lower()
        return bool(groups & person.groups) or (person.email_is_verified and domain in self.domains)

    def role(self, person: Person, otherwise: Role) -> Role:
        """`otherwise` where no group makes administrators: then the page does."""
        if not self.admin_group:
            return otherwise
        return "admin" if self.admin_group in person.groups else "member"


@dataclass(frozen=True)
class SignedIn:
    account: Account
    change: str = ""  # for the audit trail


def sign_in(connection: Connection, person: Person, rules: Rules) -> SignedIn | SignInFailed:
    """A refusal is returned, not raised: that somebody is no administrator any more is kept all the same."""
    tied = _tied(connection, person)
    signed_in = SignedIn(tied) if tied else _first(connection, person, rules)
    if isinstance(signed_in, SignInFailed):
        return signed_in
    if signed_in.account.comparable == rules.settings_address or signed_in.account.is_the_settings:
        return EmailOfAnother()
    if signed_in.account.disabled:
        return AccountDisabled()
    if signed_in.account.managed_by != "oidc":
        # An administrator made it, and gave it its role.
        return signed_in
    signed_in = _with_role(connection, signed_in, rules.role(person, signed_in.account.role))
    return signed_in if rules.allow(person) else NotAllowed()


def _tied(connection: Connection, person: Person) -> Account | None:
    rows = (
        select(account).join(identity).where(identity.c.issuer == person.issuer, identity.c.subject == person.subject)
    )
    row = connection.execute(rows).one_or_none()
    return Account(**row._asdict()) if row else None


def _first(connection: Connection, person: Person, rules: Rules) -> SignedIn | SignInFailed:
    try:
        email = EMAIL.validate_python(person.email)
    except ValidationError:
        return EmailMissing()
    row = connection.execute(select(account).where(account.c.comparable == comparable(email))).one_or_none()
    if comparable(email) == rules.settings_address:
        return EmailOfAnother()
    if row:
        found = Account(**row._asdict())
        # One that the provider made is tied to somebody already, who had the address before.
        may_link = rules.link_verified_email and person.email_is_verified and found.managed_by == "page"
        if not may_link or found.disabled:
            return EmailOfAnother()
        _tie(connection, found, person)
        return SignedIn(found, "account linked")
    if not rules.allow(person):
        return NotAllowed()
    made = _new_account(email, person, rules.role(person, "member"))
    people.add_account(connection, made)
    _tie(connection, made, person)
    return SignedIn(made, "account made")


def _new_account(email: str, person: Person, role: Role) -> Account:
    try:
        name = LINE.validate_python(person.name[:100])
    except ValidationError:
        name = ""
    return Account(
        id=people.new_id(),
        email=email,
        comparable=comparable(email),
        name=name,
        role=role,
        password_hash=None,
        disabled=False,
        created_at=int(time.time()),
        last_seen_at=None,
        managed_by="oidc",
        session_epoch=new_epoch(),
        kept_session=None,
    )


def _tie(connection: Connection, to: Account, person: Person) -> None:
    row = {"issuer": person.issuer, "subject": person.subject, "account_id": to.id}
    connection.execute(insert(identity).values(row))


def _with_role(connection: Connection, signed_in: SignedIn, role: Role) -> SignedIn:
    if role == signed_in.account.role:
        return signed_in
    people.change_account(connection, signed_in.account.id, {"role": role})
    return SignedIn(replace(signed_in.account, role=role), "account changed")


def add_code(connection: Connection, account_id: str, digest: str) -> None:
    """With which the page gets the token, once."""
    now = int(time.time())
    connection.execute(delete(sign_in_code).where(sign_in_code.c.expires_at <= now))
    row = {"digest": digest, "account_id": account_id, "expires_at": now + CODE_LIFETIME_SECONDS}
    connection.execute(insert(sign_in_code).values(row))


def redeem_code(connection: Connection, digest: str) -> Account | None:
    """Whose it is, as the account is now; None for one that is used, too old or was never made."""
    good = (sign_in_code.c.digest == digest, sign_in_code.c.expires_at > time.time())
    row = connection.execute(select(account).join(sign_in_code).where(*good)).one_or_none()
    if row is None or connection.execute(delete(sign_in_code).where(*good)).rowcount != 1:
        return None
    return Account(**row._asdict())

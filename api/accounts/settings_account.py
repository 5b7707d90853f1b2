"""The account of ADMIN_EMAIL and ADMIN_PASSWORD: it needs no database to log in, and is an administrator's."""

import hashlib
import hmac
import logging
import time
from contextlib import suppress

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from api.accounts.passwords import is_password, new_hasher
from api.accounts.store import SESSIONS_OF_0_2, SETTINGS_ID, Account, comparable
from api.accounts.tokens import new_epoch
from api.database.tables import account
from api.settings import Settings

log = logging.getLogger(__name__)


class SettingsAccount:
    """Knows its address and password."""

    def __init__(self, settings: Settings) -> None:
        self.email = settings.admin_email
        self._password = settings.admin_password.get_secret_value()
        self._digest = _digest(self.email, self._password)
        self._signing_key = settings.signing_key

    def are_credentials(self, email: str, password: str) -> bool:
        """Constant time: does not reveal which part was wrong."""
        return hmac.compare_digest(self._digest, _digest(email, password))

    def without_database(self) -> Account:
        """The account where the database has never been read: every worker has the same epoch for it."""
        epoch = hmac.new(self._signing_key.encode(), self._digest, "sha256").hexdigest()
        return _row(self.email, None, epoch, None)

    def keep(self, engine: Engine) -> None:
        """Its row follows the settings; a changed password ends its sessions. Nothing is written if nothing changed."""
        with engine.execution_options(read_only=True).begin() as connection:
            row = connection.execute(select(account).where(account.c.id == SETTINGS_ID)).one_or_none()
            self._warn_of_another(connection)
        if row is None:
            self._make(engine)
        elif changes := self._changes(Account(**row._asdict())):
            self._change(engine, changes)

    def _make(self, engine: Engine) -> None:
        new = _row(self.email, new_hasher().hash(self._password), new_epoch(), SESSIONS_OF_0_2)
        # Of processes that start together, the first one's.
        with suppress(IntegrityError), engine.begin() as connection:
            connection.execute(insert(account).values(vars(new)))

    def _change(self, engine: Engine, changes: dict[str, str | None]) -> None:
        try:
            with engine.begin() as connection:
                connection.execute(update(account).where(account.c.id == SETTINGS_ID).values(changes))
        except SQLAlchemyError as error:
            log.warning("what changed in .env could not be noted in the database: %s", error)

    def _changes(self, kept: Account) -> dict[str, str | None]:
        changes: dict[str, str | None] = {} if kept.email == self.email else {"email": self.email}
        if not is_password(new_hasher(), kept.password_hash or "", self._password):
            log.info("ADMIN_PASSWORD was changed: the sessions of %s end", self.email)
            hashed = new_hasher().hash(self._password)
            changes |= {"password_hash": hashed, "session_epoch": new_epoch(), "kept_session": None}
        return changes

    def _warn_of_another(self, connection: Connection) -> None:
        same = select(account.c.id).where(account.c.comparable == comparable(self.email))
        if connection.execute(same).one_or_none():
            log.warning(
                "%s is ADMIN_EMAIL and an account in the database; the second is out of use until one changes",
                self.email,
            )


def _row(email: str, password_hash: str | None, epoch: str, kept_session: str | None) -> Account:
    return Account(
        id=SETTINGS_ID,
        email=email,
        comparable=None,
        name="",
        role="admin",
        password_hash=password_hash,
        disabled=False,
        created_at=int(time.time()),
        last_seen_at=None,
        managed_by="settings",
        session_epoch=epoch,
        kept_session=kept_session,
    )


def _digest(email: str, password: str) -> bytes:
    # Each part is hashed first, so that no pair of parts can be shifted into another.
    texts = (comparable(email), password)
    parts = (hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts)
    return hashlib.sha256(b"".join(parts)).digest()

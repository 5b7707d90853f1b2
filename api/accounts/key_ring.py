"""API keys are made and deleted: the same rules for their owner's request and an operator's command."""

import time

from sqlalchemy.exc import IntegrityError

from api.accounts import audit, people
from api.accounts.audit import Actor
from api.accounts.errors import AccountNotFound
from api.accounts.keys import HINT_LENGTH, digest_of, new_key
from api.accounts.schemas import MadeKey, NewKey
from api.accounts.store import Account, ApiKey
from api.errors import AdminsOnly
from api.parts import Parts

DAY_SECONDS = 24 * 3600


async def make_key(owner: Account, new: NewKey, parts: Parts, actor: Actor) -> MadeKey:
    """Raises AdminsOnly, TooManyKeys and AccountNotFound."""
    if "models" in new.scopes and owner.role != "admin":
        raise AdminsOnly("The scope 'models' is only for the keys of administrators.")
    secret, now = new_key(), int(time.time())
    key = ApiKey(
        id=people.new_id(),
        account_id=owner.id,
        name=new.name,
        hint=secret[-HINT_LENGTH:],
        digest=digest_of(secret),
        scopes=frozenset(new.scopes),
        created_at=now,
        expires_at=None if new.expires_in_days is None else now + new.expires_in_days * DAY_SECONDS,
        last_used_at=None,
    )
    try:
        await parts.database.write(lambda connection: people.add_key(connection, key))
    except IntegrityError as error:  # the account has just been deleted
        raise AccountNotFound from error
    audit.record_by(actor, "key made", account=owner.email, key=key.id, key_name=key.name, scopes=sorted(key.scopes))
    return MadeKey.of(key, key=secret)


async def delete_key(owner: Account, key_id: str, parts: Parts, actor: Actor) -> None:
    """It works no longer from then on. Raises KeyNotFound."""
    await parts.database.write(lambda connection: people.delete_key(connection, owner.id, key_id))
    audit.record_by(actor, "key deleted", account=owner.email, key=key_id)

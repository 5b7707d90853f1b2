"""localchat keys: list, create, delete."""

from argparse import Namespace

from api.accounts import key_ring
from api.accounts.audit import OPERATOR
from api.accounts.errors import KeyNotFound
from api.accounts.schemas import Key, Keys, NewKey
from api.commands.accounts import account_at, usable_account_at
from api.commands.answers import Answer, Refused, minute, table
from api.ollama.strict_json import validate
from api.parts import Parts

TITLES = ("ID", "NAME", "KEY", "SCOPES", "EXPIRES", "LAST USED")


async def list_(arguments: Namespace, parts: Parts) -> Answer:
    account = await account_at(arguments.email, parts)
    keys = Keys.of(account.id, (await parts.directory.now()).keys.values())
    return Answer(keys, table(TITLES, [_row(key) for key in keys.keys]))


def _row(key: Key) -> tuple[str, ...]:
    ends, used = minute(key.expires_at, "never"), minute(key.last_used_at, "never")
    return key.id, key.name, f"…{key.hint}", " ".join(key.scopes), ends, used


async def create(arguments: Namespace, parts: Parts) -> Answer:
    values = {"name": arguments.name, "expires_in_days": arguments.days, "scopes": arguments.scope or ["chat"]}
    owner = await usable_account_at(arguments.email, parts)
    made = await key_ring.make_key(owner, validate(values, NewKey), parts, OPERATOR)
    # Only the key, so that a script can take it as it is.
    return Answer(made, made.key)


async def delete(arguments: Namespace, parts: Parts) -> Answer:
    account = await account_at(arguments.email, parts)
    try:
        await key_ring.delete_key(account, arguments.id, parts, OPERATOR)
    except KeyNotFound as error:
        raise Refused(
            f"{account.email} has no key with the id {arguments.id}. 'localchat keys list {account.email}' lists them."
        ) from error
    return Answer({"id": arguments.id}, f"Deleted the key {arguments.id} of {account.email}.")

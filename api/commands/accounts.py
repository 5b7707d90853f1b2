"""The account that an address means."""

from api.accounts.store import Account, comparable
from api.commands.answers import Refused
from api.parts import Parts


async def account_at(email: str, parts: Parts) -> Account:
    """Raises Refused and DatabaseUnavailable."""
    account = (await parts.directory.now()).account_at(comparable(email))
    if account is None:
        raise Refused(f"There is no account {email}. 'localchat users list' lists them all.")
    return account


async def usable_account_at(email: str, parts: Parts) -> Account:
    """One that a credential is good for. Raises Refused."""
    account = await account_at(email, parts)
    if account.disabled:
        raise Refused(f"{account.email} is disabled. Enable it first: 'localchat users enable {account.email}'.")
    return account

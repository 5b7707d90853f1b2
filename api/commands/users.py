"""localchat users: list, add, disable, enable, delete, reset-password."""

from argparse import Namespace
from collections.abc import Mapping

from api.accounts import administration
from api.accounts.audit import OPERATOR
from api.accounts.elsewhere import refuse_password_kept_elsewhere, refuse_the_settings_account
from api.accounts.schemas import Invited, MadeUser, NewUser, User, UserChange, Users
from api.accounts.store import Account
from api.commands.accounts import account_at
from api.commands.answers import Answer, minute, table
from api.commands.asking import ask_password, confirm
from api.ollama.strict_json import validate
from api.parts import Parts

TITLES = ("EMAIL", "NAME", "ROLE", "STATE", "LAST SEEN")


async def list_(_: Namespace, parts: Parts) -> Answer:
    users = Users.of((await parts.directory.now()).accounts.values())
    return Answer(users, table(TITLES, [_row(user) for user in users.users]))


def _row(user: User) -> tuple[str, ...]:
    state = "disabled" if user.disabled else "enabled"
    return user.email, user.name or "-", user.role, state, minute(user.last_seen_at, "never")


async def add(arguments: Namespace, parts: Parts) -> Answer:
    values = {"email": arguments.email, "name": arguments.name, "role": "admin" if arguments.admin else "member"}
    # Before a password is asked for in vain.
    new = validate(values, NewUser)
    if arguments.password:
        new = validate({**values, "password": ask_password(new.email)}, NewUser)
    account, invitation = await administration.make_account(new, parts, OPERATOR)
    text = f"Created {account.email} as {'an administrator' if account.role == 'admin' else 'a member'}."
    if invitation is None:
        return Answer(User.of(account), text)
    return Answer(MadeUser.with_invitation(account, invitation), f"{text}\n{_link(invitation, parts)}")


async def disable(arguments: Namespace, parts: Parts) -> Answer:
    account = await account_at(arguments.email, parts)
    return await _change(account, {"disabled": True}, parts, "is disabled, and its sessions have ended.")


async def enable(arguments: Namespace, parts: Parts) -> Answer:
    account = await account_at(arguments.email, parts)
    return await _change(account, {"disabled": False}, parts, "is enabled again.")


async def delete(arguments: Namespace, parts: Parts) -> Answer:
    account = await account_at(arguments.email, parts)
    refuse_the_settings_account(account)
    if not arguments.yes:
        confirm(f"Delete {account.email} with its API keys and files?")
    await administration.delete_account(account, parts, OPERATOR)
    return Answer(User.of(account), f"Deleted {account.email} with its API keys and files.")


async def reset_password(arguments: Namespace, parts: Parts) -> Answer:
    account = await account_at(arguments.email, parts)
    refuse_password_kept_elsewhere(account)
    if arguments.password:
        change = {"password": ask_password(account.email)}
        return await _change(account, change, parts, "has a new password, and its sessions have ended.")
    invitation = await administration.invite(account, parts, OPERATOR)
    text = _link(invitation, parts)
    if account.password_hash:
        text += "\nThe old password works until the link is used."
    if account.disabled:
        text += f"\nThe account is disabled; the link works after 'localchat users enable {account.email}'."
    return Answer(Invited(invitation=invitation), text)


async def _change(account: Account, change: Mapping[str, object], parts: Parts, words: str) -> Answer:
    changed = await administration.change_account(account, validate(change, UserChange), parts, OPERATOR)
    return Answer(User.of(changed), f"{changed.email} {words}")


def _link(invitation: str, parts: Parts) -> str:
    """At the address that BIND publishes; other machines may know it by another name."""
    host, _, port = parts.settings.bind.rpartition(":")
    address = f"http://{'localhost' if host in {'', '0.0.0.0', '[::]'} else host}:{port}"  # noqa: S104  Read, not bound.
    return (
        "Send this link for setting the password. It works once, within 7 days. "
        f"Replace {address} if they reach LocalChat at another address.\n{address}{invitation}"
    )

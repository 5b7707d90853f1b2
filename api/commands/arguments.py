"""The commands, their arguments and their help."""

from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Awaitable, Callable
from typing import TypeAlias, get_args

from api.accounts.store import Scope
from api.commands import keys, tokens, users

DESCRIPTION = "Manage people, API keys and tokens from the command line, whether LocalChat is running or not."
EXIT_STATUS = "Exit status: 0 success, 1 refused (standard error says why and what to do), 2 usage error."
ASKED_FOR = "set a password now (prompted for, or read from standard input) instead of creating a link"


class Parser(ArgumentParser):
    """Takes options by their whole name only: a new one never changes what an old script means."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options, allow_abbrev=False)  # type: ignore[arg-type]


# Quoted, because only its type stub is generic.
Groups: TypeAlias = "_SubParsersAction[Parser]"


def new_parser() -> Parser:
    parser = Parser(prog="localchat", description=DESCRIPTION, epilog=EXIT_STATUS)
    groups = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_users(groups)
    _add_keys(groups)
    token = _add(groups, "token", tokens.token, "print a new token, valid for ACCESS_TOKEN_EXPIRE_MINUTES")
    token.add_argument("email", metavar="EMAIL")
    return parser


def _add_users(groups: Groups) -> None:
    commands = _group(groups, "users", "who may use LocalChat")
    _add(commands, "list", users.list_, "list all accounts")
    add = _add(commands, "add", users.add, "create an account, and a link for setting its password")
    add.add_argument("email", metavar="EMAIL")
    add.add_argument("--name", default="", help="the person's name")
    add.add_argument("--admin", action="store_true", help="may also manage people and models")
    add.add_argument("--password", action="store_true", help=ASKED_FOR)
    for name, command, words in (
        ("disable", users.disable, "lock an account: its sessions end, its keys stop working, its files stay"),
        ("enable", users.enable, "unlock a disabled account; its keys work again"),
    ):
        _add(commands, name, command, words).add_argument("email", metavar="EMAIL")
    delete = _add(commands, "delete", users.delete, "delete an account with its keys, sessions and files")
    delete.add_argument("email", metavar="EMAIL")
    delete.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    reset = _add(commands, "reset-password", users.reset_password, "create a link for setting a new password")
    reset.add_argument("email", metavar="EMAIL")
    reset.add_argument("--password", action="store_true", help=ASKED_FOR)


def _add_keys(groups: Groups) -> None:
    commands = _group(groups, "keys", "an account's API keys, for programs")
    _add(commands, "list", keys.list_, "list an account's keys").add_argument("email", metavar="EMAIL")
    create = _add(commands, "create", keys.create, "create a key and print it, this once")
    create.add_argument("email", metavar="EMAIL", help="the account that the key acts for")
    create.add_argument("name", metavar="NAME", help="where it is used, such as 'editor on the laptop'")
    create.add_argument("--days", type=int, metavar="N", help="expires after N days (default: never)")
    create.add_argument(
        "--scope",
        action="append",
        choices=get_args(Scope),
        help="chat (default) or models, which only administrators' keys can have; repeat for both",
    )
    delete = _add(commands, "delete", keys.delete, "delete a key; it stops working at once")
    delete.add_argument("email", metavar="EMAIL")
    delete.add_argument("id", metavar="ID", help="as 'localchat keys list EMAIL' shows it")


def _group(groups: Groups, name: str, words: str) -> Groups:
    parser = groups.add_parser(name, help=words, description=_sentence(words))
    return parser.add_subparsers(title="commands", metavar="COMMAND", required=True)


def _add(groups: Groups, name: str, command: Callable[..., Awaitable[object]], words: str) -> Parser:
    parser = groups.add_parser(name, help=words, description=_sentence(words))
    parser.add_argument("--json", action="store_true", help="print JSON, with the fields of the API's own answer")
    parser.set_defaults(command=command)
    return parser


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."

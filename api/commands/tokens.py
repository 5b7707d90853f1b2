"""localchat token: for programs that ask a command for their credential, such as Claude Code's apiKeyHelper."""

from argparse import Namespace

from api.accounts import audit
from api.accounts.routes import Token
from api.commands.accounts import usable_account_at
from api.commands.answers import Answer
from api.parts import Parts


async def token(arguments: Namespace, parts: Parts) -> Answer:
    account = await usable_account_at(arguments.email, parts)
    made = Token(access_token=parts.tokens.issue(account))
    audit.record_by(audit.OPERATOR, "token made", account=account.email)
    return Answer(made, made.access_token)

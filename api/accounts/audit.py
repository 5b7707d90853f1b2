"""The audit trail: a JSON line in the log for each change to people, keys and models, and who made it. No secrets."""

import logging
from dataclasses import dataclass

from fastapi import Request

# Outside of the limit on similar lines (see logs.py): only callers cause them. A stranger's failed logins are limited.
log = logging.getLogger("localchat.audit")
strangers_log = logging.getLogger("localchat.logins")


@dataclass(frozen=True)
class Actor:
    """Who makes a change: an account's email address, and where they are."""

    email: str
    address: str


# Has no account: whoever can run a command in the API's container may change everything.
OPERATOR = Actor("operator", "command line")


def caller_of(request: Request) -> Actor:
    return Actor(request.state.caller.email, address_of(request))


def record(request: Request, event: str, actor: str = "", **details: object) -> None:
    """`actor` is an email address, the caller's own if it is left out."""
    record_by(Actor(actor, address_of(request)) if actor else caller_of(request), event, **details)


def record_by(actor: Actor, event: str, **details: object) -> None:
    log.info(event, extra={"actor": actor.email, "address": actor.address, **details})


def record_failed_login(request: Request, email: str | None) -> None:
    """`email` is an account's: somebody may have typed their password in the wrong field."""
    address = address_of(request)
    strangers_log.warning("failed login from %s", address, extra={"actor": email, "address": address})


def address_of(request: Request) -> str:
    return request.client.host if request.client else "unknown"

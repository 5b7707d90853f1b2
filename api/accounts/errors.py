"""Refusals that are about people, sessions and keys."""

from api.errors import ApiError, NotFound


class SessionNeeded(ApiError, status=403):
    detail = "An API key cannot manage people, passwords or keys: log in with POST /login, and send that token."


class ScopeMissing(ApiError, status=403):
    def __init__(self, scope: str) -> None:
        super().__init__(f"This API key lacks the scope '{scope}'.")


class WrongPassword(ApiError, status=403):
    detail = "The current password is wrong."


class ManagedElsewhere(ApiError, status=409): ...


class EmailTaken(ApiError, status=409):
    detail = "There is already an account with this email address."


class TooManyKeys(ApiError, status=409): ...


class AccountNotFound(NotFound):
    detail = "There is no such account."


class KeyNotFound(NotFound):
    detail = "There is no such API key of yours."


class InvitationNotFound(NotFound):
    detail = "This invitation was used, replaced or never made, or is older than 7 days. Ask for a new one."


class DatabaseUnavailable(ApiError, status=503):
    detail = (
        "Accounts and keys cannot be read or changed at the moment. The API's log says why (a full, read-only or "
        "damaged volume `state`, as a rule). The account of ADMIN_EMAIL can still log in."
    )


class NothingCompared(ApiError, status=503):
    """Neither right nor wrong: such an attempt does not count as a failed one."""


class TooManyPasswords(NothingCompared):
    detail = "Too many passwords are being checked at the moment; try again in a few seconds."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})

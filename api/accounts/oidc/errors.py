"""Why somebody could not sign in. Browsers get the code, for the page to word; programs get status and detail."""

from typing import Literal

from api.accounts.errors import NothingCompared
from api.errors import ApiError

Code = Literal[
    "denied",
    "disabled",
    "email-missing",
    "email-taken",
    "expired",
    "failed",
    "not-allowed",
    "too-many",
    "unavailable",
]


class SignInFailed(ApiError):
    code: Code = "failed"


class SignInExpired(SignInFailed, status=400):
    """Also what somebody gets who was sent here with another browser's state."""

    code = "expired"
    detail = "This sign-in took too long, was finished before or began in another browser. Start again."


class SignInDenied(SignInFailed, status=403):
    code = "denied"
    detail = "The identity provider did not let you in, or you cancelled."


class NotAllowed(SignInFailed, status=403):
    code = "not-allowed"
    detail = (
        "The identity provider knows you, but you may not use LocalChat: you are neither in a group that may, nor is "
        "your email address verified and of a domain that may (OIDC_ALLOWED_GROUP, OIDC_ALLOWED_DOMAINS)."
    )


class EmailMissing(SignInFailed, status=403):
    code = "email-missing"
    detail = "The identity provider gave no valid email address of yours, which LocalChat needs."


class EmailOfAnother(SignInFailed, status=403):
    code = "email-taken"
    detail = (
        "There is already an account with your email address, which is not tied to this identity. Log in with its "
        "password, or ask an administrator."
    )


class AccountDisabled(SignInFailed, status=403):
    code = "disabled"
    detail = "Your account is disabled."


class TooManySignIns(SignInFailed, status=429):
    code = "too-many"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            f"Too many failed sign-ins from this address; try again in {retry_after_seconds} s.",
            {"Retry-After": str(retry_after_seconds)},
        )


class ProviderUnavailable(SignInFailed, NothingCompared, status=502):
    """Nobody's fault here, and the provider is not asked again for a while anyway."""

    code = "unavailable"
    detail = "The identity provider is unreachable, too slow or busy. Try again in a moment."


class ProviderRefused(SignInFailed, status=502):
    """It answered, but with an error or with something that cannot be trusted."""

    code = "failed"
    detail = "The identity provider's answer could not be used; the API's log says why."

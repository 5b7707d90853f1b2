"""Whether a session still counts: a good token, of an account that may log in, and not ended since."""

from api.accounts.picture import Picture
from api.accounts.store import SESSIONS_OF_0_2, Account, Caller
from api.accounts.tokens import Claims
from api.errors import NotAuthenticated

# scripts/redeploy lets version 0.2 go on for as long, beside the API that makes the settings' account.
REDEPLOY_SECONDS = 600


def caller_of_session(claims: Claims, picture: Picture) -> Caller:
    """Raises NotAuthenticated and DatabaseUnavailable."""
    account = picture.account_at(claims.comparable)
    if account is None or account.disabled or claims.session in picture.ended_sessions or not _goes_on(claims, account):
        raise NotAuthenticated
    return Caller(
        account.id,
        account.email,
        account.role,
        account.managed_by,
        session=claims.session,
        session_ends_at=claims.ends_at,
    )


def _goes_on(claims: Claims, account: Account) -> bool:
    if claims.epoch is None:
        is_old = claims.issued_at <= account.created_at + REDEPLOY_SECONDS
        return account.kept_session == SESSIONS_OF_0_2 and account.is_the_settings and is_old
    return account.session_epoch == claims.epoch or account.kept_session == claims.session

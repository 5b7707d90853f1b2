"""What is not LocalChat's to change: an account that the settings keep, a password that an identity provider keeps."""

from api.accounts.errors import ManagedElsewhere
from api.accounts.store import Account

PLACES = {
    "settings": "in .env: change ADMIN_PASSWORD there, and run 'docker compose up -d'",
    "oidc": "at the identity provider that this account logs in with (OIDC_ISSUER)",
}


def refuse_password_kept_elsewhere(account: Account) -> None:
    """Raises ManagedElsewhere."""
    if account.managed_by in PLACES:
        raise ManagedElsewhere(f"The password of {account.email} is kept {PLACES[account.managed_by]}.")


def refuse_the_settings_account(account: Account) -> None:
    """Raises ManagedElsewhere."""
    if account.is_the_settings:
        raise ManagedElsewhere(
            f"{account.email} is the account of ADMIN_EMAIL, kept in .env: it can be changed only there."
        )

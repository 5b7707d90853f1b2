"""The tables, as the newest migration leaves them. Times are whole seconds since 1970; ids are opaque."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, MetaData, Table, Text

metadata = MetaData()


def _account_id(*, primary_key: bool = False) -> Column[str]:
    return Column(
        "account_id", Text, ForeignKey("account.id", ondelete="CASCADE"), primary_key=primary_key, nullable=False
    )


account = Table(
    "account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False),
    # What no two accounts share. NULL for the settings' account, whose address is not the database's to decide.
    Column("comparable", Text, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),
    Column("disabled", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger),
    Column("managed_by", Text, nullable=False),
    # Sessions of another epoch have ended, except for the one session that changed the password.
    Column("session_epoch", Text, nullable=False),
    Column("kept_session", Text),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True),
    _account_id(),
    Column("name", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),  # separated by spaces, as in OAuth (RFC 6749, 3.3)
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("last_used_at", BigInteger),
)

revoked_session = Table(
    "revoked_session",
    metadata,
    Column("jti", Text, primary_key=True),
    _account_id(),
    Column("expires_at", BigInteger, nullable=False),
)

invitation = Table(
    "invitation",
    metadata,
    # One for an account: a new link replaces the old one.
    _account_id(primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("expires_at", BigInteger, nullable=False),
)

identity = Table(
    "identity",
    metadata,
    # Whom an OpenID Connect provider knows, and whose account it is.
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    _account_id(),
)

sign_in_code = Table(
    "sign_in_code",
    metadata,
    # Between the provider's answer and the page's question for its token.
    Column("digest", Text, primary_key=True),
    _account_id(),
    Column("expires_at", BigInteger, nullable=False),
)

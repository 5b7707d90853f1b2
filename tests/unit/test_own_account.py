"""An account that is deleted while a request of its owner is on its way."""

import asyncio
from pathlib import Path

import pytest

from api.accounts.identify import own_account
from api.accounts.store import Caller
from api.database.migrate import migrate
from api.errors import NotAuthenticated
from api.parts import Parts
from api.settings import Settings


def test_whose_account_was_just_deleted_is_401(tmp_path: Path) -> None:
    """Not a 500: the caller was identified a moment before."""
    settings = Settings(state_dir=tmp_path / "state", upload_dir=tmp_path / "uploads")
    migrate(settings.database_path)
    caller = Caller("0123456789abcdef", "gone@example.org", "member", "page", session="s")

    async def ask() -> None:
        parts = Parts(settings)
        try:
            await own_account(caller, parts)
        finally:
            await parts.close()

    with pytest.raises(NotAuthenticated):
        asyncio.run(ask())

"""The settings of sign-in by OpenID Connect: what is refused at the start, and with which words."""

import pytest
from pydantic import ValidationError

from api.settings import Settings

SOUND = {"oidc_issuer": "https://auth.example.org", "oidc_client_id": "x", "oidc_allowed_domains": "example.org"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"oidc_issuer": "auth.example.org"}, "https URL"),
        ({"oidc_issuer": "http://auth.example.org"}, "https URL"),
        ({"oidc_issuer": "https://user@auth.example.org"}, "https URL"),
        ({"oidc_issuer": "https://auth.example.org/?x=1"}, "https URL"),
        ({"oidc_issuer": "https://auth.example.org:x"}, "https URL"),
        ({"oidc_issuer": "file:///etc/passwd"}, "https URL"),
        ({"oidc_client_id": ""}, "OIDC_CLIENT_ID is not"),
        ({"oidc_allowed_domains": ""}, "nobody could sign in"),
        ({"oidc_allowed_domains": "*.example.org"}, "after the @"),
        ({"oidc_allowed_domains": "@example.org"}, "after the @"),
        ({"oidc_allowed_domains": "org"}, "after the @"),
        ({"oidc_redirect_url": "https://chat.example.org"}, "/login/oidc/callback"),
        ({"oidc_redirect_url": "http://chat.example.org/login/oidc/callback"}, "/login/oidc/callback"),
    ],
    ids=str,
)
def test_what_cannot_work_is_refused_with_a_remedy(changes: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings.model_validate({**SOUND, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"oidc_issuer": "https://auth.example.org/application/o/localchat/"},
        {"oidc_issuer": "http://authelia:9091"},
        {"oidc_issuer": "http://192.168.1.20:8080/realms/home"},
        {"oidc_issuer": ""},
        {"oidc_allowed_domains": "", "oidc_allowed_group": "x"},
        {"oidc_allowed_domains": "", "oidc_admin_group": "x"},
        {"oidc_allowed_domains": "", "oidc_link_verified_email": "true"},
        {"oidc_redirect_url": "https://chat.example.org/login/oidc/callback"},
    ],
    ids=str,
)
def test_what_works_is_taken(changes: dict[str, str]) -> None:
    assert Settings.model_validate({**SOUND, **changes})


def test_domains_are_read_as_they_are_written() -> None:
    assert Settings.model_validate(
        {**SOUND, "oidc_allowed_domains": " Example.ORG,example.net, "}
    ).oidc_allowed_domains == (
        "example.org",
        "example.net",
    )

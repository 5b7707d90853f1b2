"""The OpenID Connect provider: where it is, what its keys are, and who it says that somebody is."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from api.accounts.oidc.errors import SignInDenied
from api.accounts.oidc.fetch import Fetch, JsonObject, refused
from api.accounts.oidc.flow import Flow
from api.accounts.oidc.id_token import Expected, InvalidIdToken, Key, UnknownKey, keys_in, verify
from api.accounts.oidc.setup import is_url
from api.settings import Settings

DISCOVERY_PATH = "/.well-known/openid-configuration"
CACHED_SECONDS = 3600
# A key that is not among those of the last minute does not exist.
KEYS_AFRESH_SECONDS = 60
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
SCOPES = "openid email profile"


@dataclass(frozen=True)
class Person:
    """Somebody whom the provider knows. `issuer` and `subject` name them for good; an address may change hands."""

    issuer: str
    subject: str
    email: str
    email_is_verified: bool
    name: str
    groups: frozenset[str]


@dataclass(frozen=True)
class Answer:
    """What the provider sent the browser back with."""

    code: str
    issuer: str | None
    redirect_uri: str


class Provider:
    """The one of the settings, as one worker knows it."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.oidc_name or urlsplit(settings.oidc_issuer).hostname or ""
        self._issuer = settings.oidc_issuer.rstrip("/")
        self._client_id = settings.oidc_client_id
        self._client_secret = settings.oidc_client_secret.get_secret_value()
        self._needs_groups = bool(settings.oidc_allowed_group or settings.oidc_admin_group)
        self._fetch = Fetch()
        self._turn = asyncio.Lock()
        self._found: JsonObject = {}
        self._found_at = -float("inf")
        self._keys: list[Key] = []
        self._keys_at = -float("inf")

    async def sign_in_url(self, flow: Flow, redirect_uri: str) -> str:
        """Where to send the browser. Raises ProviderUnavailable and ProviderRefused."""
        async with self._fetch.in_time():
            found = await self._discover()
        url: str = prepare_grant_uri(
            found["authorization_endpoint"],
            client_id=self._client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=_scopes(found),
            state=flow.state,
            nonce=flow.nonce,
            code_challenge=create_s256_code_challenge(flow.code_verifier),  # type: ignore[no-untyped-call]
            code_challenge_method="S256",
        )
        return url

    async def person(self, answer: Answer, flow: Flow) -> Person:
        """Who signed in. Raises SignInDenied, ProviderUnavailable and ProviderRefused."""
        async with self._fetch.in_time():
            found = await self._discover()
            _refuse_another_issuer(answer, found)
            tokens = await self._redeem(answer, flow, found)
            claims = await self._claims(tokens, flow, found)
            if self._lacks(claims):
                claims = await self._completed(claims, tokens, found)
        return _person(claims)

    async def close(self) -> None:
        await self._fetch.close()

    async def _discover(self) -> JsonObject:
        async with self._turn:
            if time.monotonic() - self._found_at >= CACHED_SECONDS:
                self._found = self._checked(await self._fetch.get(self._issuer + DISCOVERY_PATH))
                self._found_at = time.monotonic()
            return self._found

    def _checked(self, found: JsonObject) -> JsonObject:
        if str(found.get("issuer")).rstrip("/") != self._issuer:
            raise refused(f"its configuration is that of {str(found.get('issuer'))[:200]!r}; set OIDC_ISSUER to that")
        endpoints = [found.get(name) for name in ENDPOINTS]
        # Not needed by everybody.
        endpoints += [found["userinfo_endpoint"]] if "userinfo_endpoint" in found else []
        is_safe = self._issuer.startswith("http://") or all(str(url).startswith("https://") for url in endpoints)
        if not is_safe or not all(is_url(url) for url in endpoints):
            raise refused("an endpoint in its configuration is missing or is not an https URL")
        return found

    async def _redeem(self, answer: Answer, flow: Flow, found: JsonObject) -> JsonObject:
        form = {
            "grant_type": "authorization_code",
            "code": answer.code,
            "redirect_uri": answer.redirect_uri,
            "code_verifier": flow.code_verifier,
        }
        authentication, url = self._authentication(found), found["token_endpoint"]
        url, headers, body = authentication.prepare("POST", url, {}, urlencode(form))  # type: ignore[no-untyped-call]
        return await self._fetch.post(url, headers, body)

    def _authentication(self, found: JsonObject) -> ClientAuth:
        if not self._client_secret:
            return ClientAuth(self._client_id, "", "none")
        supported = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if (
            not isinstance(supported, list)
            or "client_secret_basic" in supported
            or "client_secret_post" not in supported
        ):
            # RFC 6749, 2.3.1: encoded before they are joined with a colon.
            return ClientAuth(quote_plus(self._client_id), quote_plus(self._client_secret), "client_secret_basic")
        return ClientAuth(self._client_id, self._client_secret, "client_secret_post")

    async def _claims(self, tokens: JsonObject, flow: Flow, found: JsonObject) -> dict[str, Any]:
        token = str(tokens.get("id_token", ""))
        expected = Expected(found["issuer"], self._client_id, flow.nonce, str(tokens.get("access_token", "")))
        try:
            try:
                return verify(token, await self._known_keys(found, CACHED_SECONDS), expected)
            except UnknownKey:
                return verify(token, await self._known_keys(found, KEYS_AFRESH_SECONDS), expected)
        except InvalidIdToken as error:
            raise refused(f"its ID token is not valid: {error}") from error

    async def _known_keys(self, found: JsonObject, not_older_than_seconds: float) -> list[Key]:
        async with self._turn:
            if time.monotonic() - self._keys_at >= not_older_than_seconds:
                self._keys = keys_in(await self._fetch.get(found["jwks_uri"]))
                self._keys_at = time.monotonic()
            return self._keys

    def _lacks(self, claims: dict[str, Any]) -> bool:
        return "email" not in claims or (self._needs_groups and "groups" not in claims)

    async def _completed(self, claims: dict[str, Any], tokens: JsonObject, found: JsonObject) -> dict[str, Any]:
        """With what the provider says only when it is asked, as Authelia does."""
        if "userinfo_endpoint" not in found:
            return claims
        more = await self._fetch.get(found["userinfo_endpoint"], str(tokens.get("access_token", "")))
        if more.get("sub") != claims["sub"]:
            raise refused("its userinfo is about somebody else")
        if "email" in claims:
            # Or it would be said of another address than the one that was verified.
            more.pop("email_verified", None)
        return {**more, **claims}


def _refuse_another_issuer(answer: Answer, found: JsonObject) -> None:
    """RFC 9207. Raises SignInDenied: the answer was made by another provider, for a client of ours there."""
    is_announced = found.get("authorization_response_iss_parameter_supported") is True
    if answer.issuer != found["issuer"] and (is_announced or answer.issuer is not None):
        raise SignInDenied


def _scopes(found: JsonObject) -> str:
    supported = found.get("scopes_supported")
    return f"{SCOPES} groups" if isinstance(supported, list) and "groups" in supported else SCOPES


def _person(claims: dict[str, Any]) -> Person:
    email, name, groups = claims.get("email"), claims.get("name"), claims.get("groups")
    # Some providers send the only group without a list. A name inside a longer text is not a group.
    listed = groups if isinstance(groups, list) else [groups]
    return Person(
        issuer=claims["iss"],
        subject=claims["sub"],
        email=email if isinstance(email, str) else "",
        email_is_verified=claims.get("email_verified") is True,
        name=name if isinstance(name, str) else "",
        groups=frozenset(group for group in listed if isinstance(group, str)),
    )

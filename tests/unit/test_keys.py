"""API keys: made, shown once, accepted wherever a token is, limited to their scopes, ended."""

import asyncio
import base64
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from api.accounts.keys import PREFIX, digest_of
from api.accounts.people import MAX_KEYS
from tests.support.fake_ollama import FakeOllama
from tests.unit.conftest import Serve
from tests.unit.people import add_person, make_key
from tests.unit.serving import Gateway, serve

KEY = re.compile(r"sk-localchat-[A-Za-z0-9_-]{43}")
CHAT = {"model": "m", "messages": []}


@pytest.fixture(scope="module")
def shared(shared_ollama: FakeOllama, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with serve(tmp_path_factory.mktemp("keys"), shared_ollama.url, behind_nginx=True) as gateway:
        yield gateway


@pytest.fixture
def own(serve_with: Serve) -> Gateway:
    return serve_with(behind_nginx=True)


def test_a_key_is_shown_once(own: Gateway) -> None:
    """256 random bits; afterwards there are its name and its last four characters."""
    made = make_key(own.client)
    secret = made.pop("key")
    assert KEY.fullmatch(secret)
    assert made["hint"] == secret[-4:]
    assert (made["name"], made["scopes"], made["expires_at"], made["last_used_at"]) == ("laptop", ["chat"], None, None)
    assert own.client.get("/keys").json() == {"keys": [made]}
    assert secret != make_key(own.client)["key"]


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("Authorization", "Bearer {key}"),
        ("Authorization", "bearer  {key}"),
        ("X-Api-Key", "{key}"),
        ("Authorization", "Basic {basic}"),
        ("Proxy-Authorization", "Basic {basic}"),
    ],
)
def test_a_key_is_accepted_wherever_a_token_is(shared: Gateway, header: str, form: str) -> None:
    """On a row of the allow-list and on a route of FastAPI, and where nginx asks about a large body."""
    key = make_key(shared.client)["key"]
    basic = base64.b64encode(f"localchat:{key}".encode()).decode()
    headers = {header: form.format(key=key, basic=basic)}
    assert shared.stranger.post("/chat", json=CHAT, headers=headers).status_code == 200
    assert shared.stranger.get("/files/none", headers=headers).status_code == 404
    assert shared.stranger.get("/_caller", headers=headers).status_code == 204


def near_misses(key: str) -> list[str]:
    return [
        *(key[:-1], key + "A", key.upper(), key.removeprefix("sk-"), PREFIX, PREFIX + "A" * 43),
        *(key.replace(PREFIX, "sk-localchat_"), digest_of(key), PREFIX + digest_of(key), key + "\u00e9"),
    ]


def test_what_is_nearly_a_key_is_none(shared: Gateway) -> None:
    """Nor is its digest, which is in the database."""
    for near in near_misses(make_key(shared.client)["key"]):
        headers = {b"X-Api-Key": near.encode("latin-1")}
        answer = shared.stranger.post("/chat", json=CHAT, headers=headers)
        assert answer.status_code == 401, near


@pytest.mark.parametrize(
    ("scopes", "chat", "upload", "pull"),
    [(["chat"], 200, 422, 403), (["models"], 403, 403, 422), (["chat", "models"], 200, 422, 422)],
)
def test_a_key_does_what_its_scopes_say(shared: Gateway, scopes: list[str], chat: int, upload: int, pull: int) -> None:
    """403 for the rest; what is allowed goes on to the body, which is empty here."""
    key = shared.client_with(make_key(shared.client, scopes=scopes)["key"])
    assert key.post("/chat", json=CHAT).status_code == chat
    assert key.post("/upload").status_code == upload
    assert key.post("/api/pull").status_code == pull
    if pull == 403:
        assert "scope 'models'" in key.post("/api/pull").json()["error"]


def test_a_member_has_no_key_for_models(own: Gateway) -> None:
    member = add_person(own).session
    assert member.post("/keys", json={"name": "x", "scopes": ["models"]}).status_code == 403
    assert member.get("/keys").json() == {"keys": []}


def test_a_key_has_an_end(own: Gateway) -> None:
    """After it the key is 401; in the list it stays."""
    made = make_key(own.client, expires_in_days=2)
    days = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert 1.9 < days.total_seconds() / 86_400 <= 2
    key = own.client_with(made["key"])
    assert key.post("/chat", json=CHAT).status_code == 200
    execute(own, "UPDATE api_key SET expires_at = strftime('%s') - 1")
    assert key.post("/chat", json=CHAT).status_code == 401
    assert len(own.client.get("/keys").json()["keys"]) == 1


def execute(gateway: Gateway, statement: str) -> None:
    with closing(sqlite3.connect(gateway.settings.database_path)) as db, db:
        db.execute(statement)


def test_a_key_is_its_owners_only(own: Gateway) -> None:
    """An administrator neither sees nor deletes another's; deleting the account does."""
    person = add_person(own)
    made = make_key(person.session)
    assert own.client.get("/keys").json() == {"keys": []}
    assert own.client.delete(f"/keys/{made['id']}").status_code == 404
    assert own.client_with(made["key"]).post("/chat", json=CHAT).status_code == 200


@pytest.mark.parametrize("key_id", ["0", "settings", "%00", "..%2fx", "x" * 3_000])
def test_a_key_that_is_not_there_is_404(shared: Gateway, key_id: str) -> None:
    assert shared.client.delete(f"/keys/{key_id}").status_code == 404


def test_an_account_has_a_bounded_number_of_keys(own: Gateway) -> None:
    """Each is in every worker's memory."""
    statuses = [own.client.post("/keys", json={"name": "x"}).status_code for _ in range(MAX_KEYS + 1)]
    assert statuses == [201] * MAX_KEYS + [409]


HOSTILE = [
    b'{"name": ""}',
    b'{"name": " "}',
    b'{"name": "x", "name": "y"}',
    b'{"name": "x", "expires_at": "2027-01-01"}',
    b'{"name": "x", "expires_in_days": 0}',
    b'{"name": "x", "expires_in_days": -1}',
    b'{"name": "x", "expires_in_days": 1e3}',
    b'{"name": "x", "expires_in_days": true}',
    b'{"name": "x", "expires_in_days": "7"}',
    b'{"name": "x", "expires_in_days": 99999999999999999999}',
    b'{"name": "x", "scopes": []}',
    b'{"name": "x", "scopes": ["admin"]}',
    b'{"name": "x", "scopes": "chat"}',
    b'{"name": "x", "scopes": ["chat", "models", "*"]}',
    b'{"name": "\\u001b[2J"}',
    b'{"name": "\\udc00"}',
    b"null",
]


@pytest.mark.parametrize("body", HOSTILE, ids=ascii)
def test_a_hostile_body_makes_no_key(shared: Gateway, body: bytes) -> None:
    """Above all none without the end that was meant."""
    before = shared.client.get("/keys").json()
    assert shared.client.post("/keys", content=body).status_code in (400, 422)
    assert shared.client.get("/keys").json() == before


def test_use_is_noted_to_the_minute(own: Gateway) -> None:
    """By a task now and then, and not by the request: reading a list does not write."""
    made = make_key(own.client)
    own.client_with(made["key"]).post("/chat", json=CHAT)
    assert last_used(own) is None
    asyncio.run(own.app.state.parts.activity.write())
    used = datetime.fromisoformat(str(last_used(own)))
    assert (used.second, abs((datetime.now(UTC) - used).total_seconds()) < 121) == (0, True)
    (admin,) = own.client.get("/users").json()["users"]
    assert admin["last_seen_at"] == last_used(own)


def last_used(gateway: Gateway) -> object:
    (key,) = gateway.client.get("/keys").json()["keys"]
    return key["last_used_at"]


def test_use_is_noted_when_a_worker_stops(own: Gateway, serve_with: Serve) -> None:
    with serve(own.settings.state_dir.parent, own.settings.ollama_url, behind_nginx=True) as stopped:
        key = stopped.client_with(make_key(own.client)["key"])
        key.post("/chat", json=CHAT)
    assert last_used(serve_with()) is not None

"""The whole life of an account, as an administrator and its owner see it."""

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.fake_ollama import FakeOllama
from tests.unit.conftest import Serve
from tests.unit.people import PASSWORD, add_person, log_in
from tests.unit.serving import Gateway, serve

NEW_PASSWORD = "another horse battery"
MEMBER = {"email": "member@example.org", "name": "Ada", "role": "member"}


@pytest.fixture(scope="module")
def shared(shared_ollama: FakeOllama, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with serve(tmp_path_factory.mktemp("people"), shared_ollama.url, login_failures_per_minute=1_000) as gateway:
        yield gateway


@pytest.fixture
def own(serve_with: Serve) -> Gateway:
    return serve_with(login_failures_per_minute=1_000)


def users(gateway: Gateway) -> dict[str, dict[str, Any]]:
    return {user["email"]: user for user in gateway.client.get("/users").json()["users"]}


def accept(gateway: Gateway, invitation: str, password: str = NEW_PASSWORD) -> httpx.Response:
    token = invitation.removeprefix("/#/invitation/")
    return gateway.stranger.post(f"/invitations/{token}", json={"password": password})


def test_the_account_of_the_settings_is_an_administrator(own: Gateway) -> None:
    """From the first start on, kept where the settings are."""
    me = own.client.get("/me").json()
    assert me.pop("created_at").endswith("Z")
    assert me == {"id": "settings", "email": "admin@local", "name": "", "role": "admin", "managed_by": "settings"}
    assert list(users(own)) == ["admin@local"]


def test_a_person_is_one_form_and_one_link_away(own: Gateway) -> None:
    """Made without a password, invited, logged in, seen; the link works once."""
    made = own.client.post("/users", json=MEMBER)
    assert made.status_code == 201
    invitation = made.json()["invitation"]
    assert invitation.startswith("/#/invitation/")
    assert own.log_in(MEMBER["email"], NEW_PASSWORD).status_code == 401
    assert [accept(own, invitation).status_code for _ in range(2)] == [204, 404]
    member = log_in(own, " Member@Example.ORG", NEW_PASSWORD)
    me = member.get("/me").json()
    assert (me["id"], me["email"], me["name"], me["managed_by"]) == (made.json()["id"], MEMBER["email"], "Ada", "page")
    assert users(own)[MEMBER["email"]]["disabled"] is False


def test_with_a_password_there_is_no_invitation(own: Gateway) -> None:
    made = own.client.post("/users", json={**MEMBER, "password": PASSWORD})
    assert (made.status_code, "invitation" in made.json()) == (201, False)
    assert log_in(own, MEMBER["email"]).get("/me").json()["role"] == "member"


def test_an_address_is_taken_in_any_spelling(own: Gateway) -> None:
    """Those of the settings too, and of two at one moment one."""
    assert own.client.post("/users", json={"email": "ADMIN@local"}).status_code == 409
    with ThreadPoolExecutor(8) as pool:
        spellings = ["J\u00fcrgen@example.org", "ju\u0308rgen@EXAMPLE.org"] * 4
        answers = list(pool.map(lambda email: own.client.post("/users", json={"email": email}), spellings))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


def test_a_new_link_replaces_the_old_one(own: Gateway) -> None:
    """It is for a forgotten password too; the sessions end when it is used."""
    person = add_person(own)
    first, second = (own.client.post(f"/users/{person.id}/invitation").json()["invitation"] for _ in range(2))
    assert accept(own, first).status_code == 404
    assert person.session.get("/me").status_code == 200
    assert accept(own, second).status_code == 204
    assert person.session.get("/me").status_code == 401
    assert own.log_in(person.email, PASSWORD).status_code == 401
    log_in(own, person.email, NEW_PASSWORD)


def test_a_link_that_is_used_twice_at_once_sets_one_password(own: Gateway) -> None:
    """The other one is told that it came too late."""
    invitation = own.client.post("/users", json=MEMBER).json()["invitation"]
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda n: accept(own, invitation, f"{NEW_PASSWORD} {n}").status_code, range(4)))
    assert sorted(statuses) == [204, 404, 404, 404]


def test_an_invitation_is_good_for_seven_days(own: Gateway) -> None:
    invitation = own.client.post("/users", json=MEMBER).json()["invitation"]
    shift(own, "UPDATE invitation SET expires_at = expires_at - 7 * 24 * 3600")
    assert accept(own, invitation).status_code == 404


def test_a_password_that_an_administrator_sets_withdraws_the_link(own: Gateway) -> None:
    made = own.client.post("/users", json=MEMBER).json()
    assert own.client.patch(f"/users/{made['id']}", json={"password": PASSWORD}).status_code == 200
    assert accept(own, made["invitation"]).status_code == 404


def shift(gateway: Gateway, statement: str) -> None:
    with closing(sqlite3.connect(gateway.settings.database_path)) as db, db:
        db.execute(statement)


def test_a_name_and_a_role_change(own: Gateway) -> None:
    """What is left out stays; a new administrator administers, and a former one does not."""
    person = add_person(own)
    changed = own.client.patch(f"/users/{person.id}", json={"name": "New"}).json()
    assert (changed["name"], changed["role"]) == ("New", "member")
    for role, status in (("admin", 200), ("member", 403)):
        assert own.client.patch(f"/users/{person.id}", json={"role": role}).json()["name"] == "New"
        assert person.session.get("/users").status_code == status


def test_two_administrators_who_remove_each_other_leave_one(own: Gateway) -> None:
    """The account of the settings: nobody is ever locked out of the administration."""
    one, other = (add_person(own, f"{name}@example.org", "admin") for name in ("one", "other"))
    with ThreadPoolExecutor(2) as pool:
        pairs = [(one, other), (other, one)]
        statuses = list(pool.map(lambda pair: pair[0].session.delete(f"/users/{pair[1].id}").status_code, pairs))
    assert set(statuses) <= {204, 401}
    assert own.client.get("/users").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/users/settings", {"disabled": True}),
        ("PATCH", "/users/settings", {"password": NEW_PASSWORD}),
        ("DELETE", "/users/settings", None),
        ("POST", "/users/settings/invitation", None),
        ("PUT", "/me/password", {"current": "changeme", "new": NEW_PASSWORD}),
    ],
)
def test_the_account_of_the_settings_is_changed_in_the_settings(
    shared: Gateway, method: str, path: str, body: object
) -> None:
    """409, with where it is kept."""
    answer = shared.client.request(method, path, json=body)
    assert (answer.status_code, ".env" in answer.json()["detail"]) == (409, True)
    assert shared.log_in().status_code == 200


def test_what_is_gone_is_404(own: Gateway) -> None:
    """Each change to an account that was deleted, or never was."""
    person = add_person(own)
    assert own.client.delete(f"/users/{person.id}").status_code == 204
    for name in (person.id, "0", "%00", "x" * 3_000, "..%2fsettings"):
        assert own.client.delete(f"/users/{name}").status_code == 404
        assert own.client.patch(f"/users/{name}", json={"name": "x"}).status_code == 404
        assert own.client.post(f"/users/{name}/invitation").status_code == 404


def test_a_deleted_persons_files_go_too(own: Gateway) -> None:
    """Nobody else could read them, and nobody would delete them."""
    person = add_person(own)
    assert person.session.post("/upload", files={"file": ("a.txt", b"mine")}).status_code == 200
    own.client.delete(f"/users/{person.id}")
    assert not [path for path in own.settings.upload_dir.rglob("*") if path.is_file() and path.stat().st_size]


def test_a_deleted_person_may_come_back_as_another(own: Gateway) -> None:
    """With the same address, and nothing of before: no session, no key."""
    person = add_person(own)
    own.client.delete(f"/users/{person.id}")
    again = add_person(own)
    assert again.id != person.id
    assert person.session.get("/me").status_code == 401
    assert again.session.get("/keys").json() == {"keys": []}


WEAK = ["", "short", "x" * 1_025, "member@example.org", "MEMBER@example.org", "1234567890", "Qwertyuiop", "iloveyou123"]


@pytest.fixture(scope="module")
def invitation(shared: Gateway) -> str:
    link: str = shared.client.post("/users", json=MEMBER).json()["invitation"]
    return link


@pytest.mark.parametrize("password", WEAK, ids=lambda password: password[:20])
def test_a_weak_password_is_refused(shared: Gateway, invitation: str, password: str) -> None:
    """422 with words; the link is still good."""
    answer = accept(shared, invitation, password)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_a_weak_password_makes_nobody(shared: Gateway) -> None:
    """Neither at first nor later."""
    answer = shared.client.post("/users", json={"email": "other@example.org", "password": "1234567890"})
    assert (answer.status_code, "other@example.org" in users(shared)) == (422, False)


def test_one_changes_ones_own_password(own: Gateway) -> None:
    """The session that asks goes on, all others end; the old password is none."""
    person = add_person(own)
    other = log_in(own, person.email)
    change = {"current": PASSWORD, "new": NEW_PASSWORD}
    assert person.session.put("/me/password", json={**change, "current": "wrong horse"}).status_code == 403
    assert person.session.put("/me/password", json={**change, "new": "weak"}).status_code == 422
    assert other.get("/me").status_code == 200
    assert person.session.put("/me/password", json=change).status_code == 204
    assert (person.session.get("/me").status_code, other.get("/me").status_code) == (200, 401)
    assert own.log_in(person.email, PASSWORD).status_code == 401
    assert person.session.post("/logout").status_code == 204
    assert person.session.get("/me").status_code == 401


def test_guessing_the_current_password_is_held_back(serve_with: Serve) -> None:
    """A session that was left open is no way to find the password out."""
    gateway = serve_with(login_failures_per_minute=3)
    person = add_person(gateway)
    guess = {"current": "wrong horse", "new": NEW_PASSWORD}
    statuses = [person.session.put("/me/password", json=guess).status_code for _ in range(4)]
    assert statuses == [403, 403, 403, 429]
    # Nobody else waits for it, at the same address.
    assert gateway.log_in().status_code == 200


HOSTILE = [
    b'{"email": "a@b", "email": "c@d"}',
    b'{"email": "a@b", "Role": "admin"}',
    b'{"email": "a@b", "is_admin": true}',
    b'{"email": "a@b", "role": "owner"}',
    b'{"email": "a@b", "role": ["admin"]}',
    b'{"email": "a@b", "name": null}',
    b'{"email": "a@b", "name": "\\u0000"}',
    b'{"email": "a@b", "name": "\\ud800"}',
    b'{"email": "a@b", "name": "\\u202egnp.exe"}',
    b'{"email": "a@b", "name": "a\\nb"}',
    b'{"email": "a@b", "name": "' + b"x" * 101 + b'"}',
    b'{"email": "ab"}',
    b'{"email": "@b"}',
    b'{"email": "a@"}',
    b'{"email": "a b@c"}',
    b'{"email": "a\\u0000@c"}',
    b'{"email": "a\\u200b@c"}',
    b'{"email": "\\ud800@c"}',
    b'{"email": "' + b"x" * 253 + b'@c"}',
    b'{"email": 1}',
    b"{}",
    b"[]",
    b"[" * 5_000,
    b"",
    b"\xff",
]


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: ascii(body[:50]))
def test_a_hostile_body_makes_nobody(shared: Gateway, body: bytes) -> None:
    """400 or 422 with words."""
    before = users(shared).keys()
    answer = shared.client.post("/users", content=body)
    assert answer.status_code in (400, 422)
    assert answer.json()["detail"]
    assert users(shared).keys() == before


@pytest.mark.parametrize("body", [{"disabled": None}, {"role": None}, {"disabled": 1}, {"email": "x@y"}, {"id": "x"}])
def test_a_hostile_change_changes_nothing(own: Gateway, body: object) -> None:
    person = add_person(own)
    before = users(own)[person.email]
    assert own.client.patch(f"/users/{person.id}", json=body).status_code == 422
    assert users(own)[person.email] == before


@pytest.mark.parametrize("path", ["/login", "/invitations/x", "/users", "/keys"])
def test_a_body_about_people_is_small(shared: Gateway, path: str) -> None:
    """16 kB, as in nginx; of an invitation that does not exist nothing is read."""
    body = json.dumps({"email": "a@b", "password": "x" * 17_000})
    answer = shared.client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == (404 if path.startswith("/invitations") else 413)


def test_how_one_can_log_in_is_public(shared: Gateway) -> None:
    """For the page's login screen."""
    assert shared.stranger.get("/login/methods").json() == {"password": True, "oidc": None}


def test_nothing_of_a_password_or_key_is_in_the_database_in_clear(own: Gateway, tmp_path: Path) -> None:
    """Nor is the link of an invitation."""
    made = own.client.post("/users", json=MEMBER).json()
    key = own.client.post("/keys", json={"name": "x"}).json()["key"]
    person = add_person(own, "second@example.org")
    assert person.id
    stored = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir() if "localchat" in path.name)
    assert b"second@example.org" in stored
    for secret in (PASSWORD, "changeme", key, made["invitation"].rpartition("/")[2]):
        assert secret.encode() not in stored

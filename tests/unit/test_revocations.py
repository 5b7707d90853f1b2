"""What is taken away counts from the next request on: here, and in another worker on the same database."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle, islice

import pytest

from api.accounts.picture import Picture
from api.accounts.store import Caller
from api.accounts.tokens import Claims
from tests.support.tokens import HEADER, claims, sign
from tests.unit.conftest import Serve
from tests.unit.people import PASSWORD, Person, add_person, log_in, make_key
from tests.unit.serving import Gateway

TIMES = 4  # of each kind
ASKS = 200


@dataclass
class Two:
    """Workers that share a database, and a person in it."""

    one: Gateway
    other: Gateway
    person: Person
    credential: str

    def answers(self, asks: int) -> Counter[int]:
        """Statuses of so many requests with the person's credential, at one and the other in turn."""
        headers = {"Authorization": f"Bearer {self.credential}"}
        turns = islice(cycle((self.one, self.other)), asks)
        return Counter(gateway.stranger.get("/files/none", headers=headers).status_code for gateway in turns)

    def statuses(self) -> set[int]:
        """Of one request at each."""
        return set(self.answers(2))


@pytest.fixture
def workers(serve_with: Serve) -> tuple[Gateway, Gateway]:
    return serve_with(), serve_with()


def token_of(person: Person) -> str:
    return person.session.headers["Authorization"].removeprefix("Bearer ")


def log_out(two: Two) -> None:
    assert two.person.session.post("/logout").status_code == 204


def log_out_everywhere(two: Two) -> None:
    elsewhere = log_in(two.other, two.person.email)
    assert elsewhere.post("/logout?everywhere=true").status_code == 204


def change_the_password(two: Two) -> None:
    elsewhere = log_in(two.other, two.person.email)
    change = {"current": PASSWORD, "new": PASSWORD + "!"}
    assert elsewhere.put("/me/password", json=change).status_code == 204


def reset_the_password(two: Two) -> None:
    change = {"password": PASSWORD + "!"}
    assert two.other.client.patch(f"/users/{two.person.id}", json=change).status_code == 200


def disable(two: Two) -> None:
    assert two.other.client.patch(f"/users/{two.person.id}", json={"disabled": True}).status_code == 200


def delete(two: Two) -> None:
    assert two.other.client.delete(f"/users/{two.person.id}").status_code == 204


ENDS_A_SESSION = [log_out, log_out_everywhere, change_the_password, reset_the_password, disable, delete]


@pytest.mark.parametrize("revoke", ENDS_A_SESSION)
def test_a_session_ends_at_once(workers: tuple[Gateway, Gateway], revoke: Callable[[Two], None]) -> None:
    """Though both workers had just verified its token."""
    for number in range(TIMES):
        person = add_person(workers[0], f"{number}@example.org")
        two = Two(*workers, person, token_of(person))
        assert two.statuses() == {404}
        revoke(two)
        assert two.statuses() == {401}


def only_verified(claims: Claims, _: Picture) -> Caller:
    """The caller as commonly decided: the signature is good, and nothing is looked up."""
    return Caller(
        "somebody", claims.comparable, "member", "page", session=claims.session, session_ends_at=claims.ends_at
    )


@pytest.mark.parametrize("revoke", ENDS_A_SESSION)
def test_a_gateway_that_only_verifies_tokens_lets_every_ended_session_in(
    workers: tuple[Gateway, Gateway], revoke: Callable[[Two], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same requests as ours, which refuses all of them."""
    person = add_person(workers[0])
    two = Two(*workers, person, token_of(person))
    revoke(two)
    assert two.answers(ASKS) == {401: ASKS}
    monkeypatch.setattr("api.accounts.identify.caller_of_session", only_verified)
    assert two.answers(ASKS) == {404: ASKS}
    two.credential = sign(HEADER, claims(exp=int(time.time()) - 1))
    assert two.statuses() == {401}


def delete_the_key(two: Two) -> None:
    (key,) = two.person.session.get("/keys").json()["keys"]
    assert two.person.session.delete(f"/keys/{key['id']}").status_code == 204


@pytest.mark.parametrize("revoke", [delete_the_key, disable, delete])
def test_a_key_ends_at_once(workers: tuple[Gateway, Gateway], revoke: Callable[[Two], None]) -> None:
    for number in range(TIMES):
        person = add_person(workers[0], f"{number}@example.org")
        two = Two(*workers, person, make_key(person.session)["key"])
        assert two.statuses() == {404}
        revoke(two)
        assert two.statuses() == {401}


def test_a_key_outlives_sessions_and_passwords(workers: tuple[Gateway, Gateway]) -> None:
    """It is for programs, which nobody logs in again."""
    person = add_person(workers[0])
    two = Two(*workers, person, make_key(person.session)["key"])
    change_the_password(two)
    log_in(two.one, person.email, PASSWORD + "!").post("/logout?everywhere=true")
    assert two.statuses() == {404}


def test_a_lower_role_counts_at_once(workers: tuple[Gateway, Gateway]) -> None:
    """For a session, and for a key that had the scope."""
    one, other = workers
    person = add_person(one, role="admin")
    key = one.client_with(make_key(person.session, scopes=["chat", "models"])["key"])
    copy = {"source": "a", "destination": "b"}
    assert key.post("/api/copy", json=copy).status_code != 403
    other.client.patch(f"/users/{person.id}", json={"role": "member"})
    assert key.post("/api/copy", json=copy).status_code == 403
    assert person.session.get("/users").status_code == 403


def test_one_session_is_not_the_other(workers: tuple[Gateway, Gateway]) -> None:
    """A logout ends the one that asks; and twice is once."""
    one, other = workers
    person = add_person(one)
    second = log_in(other, person.email)
    assert [person.session.post("/logout").status_code for _ in range(2)] == [204, 401]
    assert second.get("/me").status_code == 200


def test_an_account_that_is_enabled_again_has_no_old_sessions(workers: tuple[Gateway, Gateway]) -> None:
    """Whoever had one logs in anew; keys work again."""
    one, other = workers
    person = add_person(one)
    key = one.client_with(make_key(person.session)["key"])
    for disabled in (True, False):
        other.client.patch(f"/users/{person.id}", json={"disabled": disabled})
        assert one.log_in(person.email, PASSWORD).status_code == (401 if disabled else 200)
    assert person.session.get("/me").status_code == 401
    assert key.get("/files/none").status_code == 404


def test_the_settings_account_logs_out_everywhere(workers: tuple[Gateway, Gateway]) -> None:
    """Tokens of version 0.2 end too, which name no epoch."""
    one, other = workers
    old, session = one.client_with(sign(HEADER, claims())), log_in(other, "admin@local", "changeme")
    assert {client.get("/me").status_code for client in (old, session, one.client)} == {200}
    assert session.post("/logout?everywhere=true").status_code == 204
    assert {client.get("/me").status_code for client in (old, session, one.client)} == {401}
    assert log_in(one, "admin@local", "changeme").get("/me").status_code == 200


def test_a_parameter_that_is_not_one_of_ours_is_422(gateway: Gateway) -> None:
    """In words, as every error; the session goes on."""
    response = gateway.client.post("/logout?everywhere=perhaps")
    assert response.status_code == 422
    assert response.json()["detail"].startswith("everywhere: ")
    assert gateway.client.get("/me").status_code == 200


def test_a_token_of_version_0_2_can_be_logged_out(workers: tuple[Gateway, Gateway]) -> None:
    one, other = workers
    tokens = [sign(HEADER, claims(jti=jti)) for jti in ("one", "other")]
    assert one.client_with(tokens[0]).post("/logout").status_code == 204
    assert [other.client_with(token).get("/me").status_code for token in tokens] == [401, 200]


def test_a_token_of_version_0_2_is_older_than_the_database(workers: tuple[Gateway, Gateway]) -> None:
    """Or somebody would go on making them; a redeploy takes ten minutes at most. It is the settings' account's."""
    one, _ = workers
    add_person(one)
    late = sign(HEADER, claims(iat=int(time.time()) + 700, exp=int(time.time()) + 900))
    for token in (late, sign(HEADER, claims(sub="member@example.org"))):
        assert one.client_with(token).get("/me").status_code == 401


def test_another_password_in_the_settings_ends_the_sessions(serve_with: Serve) -> None:
    """At the next start, whatever the token is; without a change they go on."""
    old = sign(HEADER, claims())
    token = serve_with().token
    again = serve_with()
    assert {again.client_with(credential).get("/me").status_code for credential in (token, old)} == {200}
    changed = serve_with(admin_password="a longer password")
    assert {changed.client_with(credential).get("/me").status_code for credential in (token, old)} == {401}
    assert changed.log_in(password="a longer password").status_code == 200
    assert changed.log_in().status_code == 401


def test_the_settings_account_goes_before_another_with_its_address(
    serve_with: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """ADMIN_EMAIL was changed to a member's address: the member's credentials are nobody's; the log says so."""
    before = serve_with()
    person = add_person(before)
    key = make_key(person.session)["key"]
    after = serve_with(admin_email=" Member@example.org")
    assert "Member@example.org is ADMIN_EMAIL" in caplog.text
    assert after.log_in(person.email, PASSWORD).status_code == 401
    for credential in (key, token_of(person), before.token):
        assert after.client_with(credential).get("/files/none").status_code == 401
    admin = log_in(after, "member@example.org", "changeme")
    assert admin.get("/me").json()["id"] == "settings"
    assert admin.delete(f"/users/{person.id}").status_code == 204


def test_logging_out_all_day_fills_nobodys_memory(serve_with: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """After many logouts all sessions of the account end together."""
    monkeypatch.setattr("api.accounts.people.MAX_ENDED_SESSIONS", 3)
    gateway = serve_with()
    person = add_person(gateway)
    for _ in range(3):
        log_in(gateway, person.email).post("/logout")
    assert person.session.get("/me").status_code == 200
    assert log_in(gateway, person.email).post("/logout").status_code == 204
    assert person.session.get("/me").status_code == 401


def test_ended_sessions_are_forgotten_after_their_end(serve_with: Serve) -> None:
    """The table does not grow with the years."""
    gateway = serve_with()
    soon = int(time.time()) + 1
    gateway.client_with(sign(HEADER, claims(exp=soon + 1, jti="soon"))).post("/logout")
    while time.time() < soon + 1:
        time.sleep(0.05)
    gateway.client_with(sign(HEADER, claims(jti="late"))).post("/logout")
    assert ended_sessions(gateway) == {"late"}


def ended_sessions(gateway: Gateway) -> set[str]:
    with closing(sqlite3.connect(gateway.settings.database_path)) as db:
        return {jti for (jti,) in db.execute("SELECT jti FROM revoked_session")}

"""The audit trail: who did what, from where, in which request; and no secret."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.conftest import Serve
from tests.unit.people import PASSWORD, add_person, log_in, make_key

ROOT = Path(__file__).parents[2]
AUDIT = "localchat.audit"


def trail(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Events and actors."""
    lines = [record for record in caplog.records if record.name == AUDIT]
    assert {vars(record)["address"] for record in lines} == {"127.0.0.1"}
    return [(record.message, vars(record)["actor"]) for record in lines]


def test_each_change_is_a_line(serve_with: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """With its actor; the password, the key and the link are in none."""
    caplog.set_level(logging.INFO)
    gateway = serve_with(behind_nginx=True)
    person = add_person(gateway)
    key = make_key(person.session)
    person.session.delete(f"/keys/{key['id']}")
    person.session.put("/me/password", json={"current": PASSWORD, "new": PASSWORD + "!"})
    person.session.post("/logout")
    log_in(gateway, person.email, PASSWORD + "!").post("/logout?everywhere=true")
    gateway.client.patch(f"/users/{person.id}", json={"role": "admin"})
    link = gateway.client.post(f"/users/{person.id}/invitation").json()["invitation"].rpartition("/")[2]
    gateway.stranger.post(f"/invitations/{link}", json={"password": PASSWORD})
    gateway.client.request("DELETE", "/api/delete", json={"model": "m"})
    gateway.client.delete(f"/users/{person.id}")
    admin, member = "admin@local", "member@example.org"
    assert trail(caplog) == [
        ("login", admin),
        ("account made", admin),
        ("login", member),
        ("key made", member),
        ("key deleted", member),
        ("password changed", member),
        ("logout", member),
        ("login", member),
        ("logout everywhere", member),
        ("account changed", admin),
        ("invitation made", admin),
        ("invitation accepted", member),
        ("model delete", admin),
        ("account deleted", admin),
    ]
    everything = repr([vars(record) for record in caplog.records if record.name.startswith("localchat")])
    for secret in (PASSWORD, key["key"], link, gateway.token):
        assert secret not in everything


def test_a_failed_login_names_accounts_only(serve_with: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """What is no account's address may be somebody's password, typed in the wrong field."""
    gateway = serve_with()
    gateway.log_in(password="wrong")
    gateway.log_in("my secret password", "x")
    lines = [record for record in caplog.records if record.name == "localchat.logins"]
    assert [vars(record)["actor"] for record in lines] == ["admin@local", None]
    assert "my secret" not in caplog.text


LOGS_THIRTY_LINES = """
import logging.config
from api.logs import LOGGING
logging.config.dictConfig(LOGGING)
for number in range(30):
    logging.getLogger("localchat.audit").info("key made", extra={"actor": "a", "number": number})
"""


def test_no_line_is_left_out() -> None:
    """The limit on similar lines is for what strangers cause."""
    command = [sys.executable, "-c", LOGS_THIRTY_LINES]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in ran.stderr.splitlines()]
    assert [line["number"] for line in lines] == list(range(30))
    assert {line["logger"] for line in lines} == {AUDIT}

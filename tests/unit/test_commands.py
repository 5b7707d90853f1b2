"""localchat: each command's words, JSON and exit status."""

import json
from pathlib import Path

import pytest

from tests.unit.commands import CommandLine, make_database
from tests.unit.people import PASSWORD

ADA = "ada@example.org"
ABSENT = "nobody@example.org"


@pytest.fixture
def localchat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """On a database as the first start leaves it."""
    make_database(tmp_path)
    return CommandLine.on(tmp_path, monkeypatch, capsys)


def test_a_person_gets_a_link(localchat: CommandLine) -> None:
    """A member; the address of the link is the one that BIND says."""
    result = localchat("users", "add", ADA)
    assert (result.status, result.out.splitlines()[0]) == (0, f"Created {ADA} as a member.")
    assert result.out.splitlines()[-1].startswith("http://127.0.0.1:8000/#/invitation/")


@pytest.mark.parametrize(
    ("bind", "address"),
    [
        ("0.0.0.0:80", "http://localhost:80/#"),
        ("[::]:80", "http://localhost:80/#"),
        ("9000", "http://localhost:9000/#"),
        ("10.0.0.1:80", "http://10.0.0.1:80/#"),
    ],
)
def test_a_link_leads_to_this_machine(
    localchat: CommandLine, monkeypatch: pytest.MonkeyPatch, bind: str, address: str
) -> None:
    """Never to the address that means all of them."""
    monkeypatch.setenv("BIND", bind)
    monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)
    assert localchat("users", "add", ADA).out.splitlines()[-1].startswith(address)


def test_an_administrator_with_a_name_and_a_password(localchat: CommandLine) -> None:
    """As JSON: what POST /users answers, without a link."""
    words = ("users", "add", ADA, "--admin", "--name", "Ada", "--password", "--json")
    result = localchat(*words, stdin=f"{PASSWORD}\n")
    user = json.loads(result.out)
    assert (user["email"], user["role"], user["name"], user["managed_by"]) == (ADA, "admin", "Ada", "page")
    assert (result.status, "invitation" in user) == (0, False)


def test_the_list_has_everybody(localchat: CommandLine) -> None:
    """In words and as GET /users answers."""
    localchat("users", "add", ADA)
    titles, *rows = localchat("users", "list").out.splitlines()
    assert titles.split() == ["EMAIL", "NAME", "ROLE", "STATE", "LAST", "SEEN"]
    assert {row.split()[0] for row in rows} == {"admin@local", ADA}
    users = json.loads(localchat("users", "list", "--json").out)["users"]
    assert {(user["email"], user["disabled"]) for user in users} == {("admin@local", False), (ADA, False)}


def test_disabled_and_enabled(localchat: CommandLine) -> None:
    """In any spelling of the address; nobody gets a credential for the account in between."""
    localchat("users", "add", ADA)
    assert localchat("users", "disable", f" {ADA.upper()}").out == f"{ADA} is disabled, and its sessions have ended.\n"
    assert "disabled" in localchat("users", "list").out
    for words in (("token", ADA), ("keys", "create", ADA, "x")):
        result = localchat(*words)
        assert (result.status, result.out, f"localchat users enable {ADA}" in result.err) == (1, "", True)
    assert f"localchat users enable {ADA}" in localchat("users", "reset-password", ADA).out
    assert json.loads(localchat("users", "enable", ADA, "--json").out)["disabled"] is False


def test_deleted(localchat: CommandLine) -> None:
    """Not without --yes, where there is nobody to ask."""
    localchat("users", "add", ADA)
    result = localchat("users", "delete", ADA)
    assert (result.status, "Confirm with --yes." in result.err) == (1, True)
    assert json.loads(localchat("users", "delete", ADA, "--yes", "--json").out)["email"] == ADA
    assert localchat("users", "delete", ADA, "--yes").status == 1


def test_a_password_is_reset(localchat: CommandLine) -> None:
    """By a link, which leaves the old one good; or by a new one from standard input."""
    localchat("users", "add", ADA, "--password", stdin=PASSWORD)
    assert "The old password works until the link is used." in localchat("users", "reset-password", ADA).out
    assert json.loads(localchat("users", "reset-password", ADA, "--json").out)["invitation"].startswith(
        "/#/invitation/"
    )
    reset = localchat("users", "reset-password", ADA, "--password", stdin=f"{PASSWORD}!\r\n")
    assert (reset.status, reset.out) == (0, f"{ADA} has a new password, and its sessions have ended.\n")


def test_a_key_lives_and_goes(localchat: CommandLine) -> None:
    """Only the key on standard output; later never again."""
    created = localchat("keys", "create", "admin@local", "cron", "--scope", "chat", "--scope", "models")
    assert created.out.startswith("sk-localchat-")
    assert created.out.count("\n") == 1
    (key,) = json.loads(localchat("keys", "list", "admin@local", "--json").out)["keys"]
    assert (key["name"], key["scopes"], key["expires_at"]) == ("cron", ["chat", "models"], None)
    assert created.out[-5:-1] == key["hint"]
    row = localchat("keys", "list", "admin@local").out.splitlines()[1]
    assert row.split() == [key["id"], "cron", f"…{key['hint']}", "chat", "models", "never", "never"]
    assert localchat("keys", "delete", "admin@local", key["id"]).status == 0
    result = localchat("keys", "delete", "admin@local", key["id"])
    assert (result.status, "localchat keys list admin@local" in result.err) == (1, True)


def test_a_key_as_json(localchat: CommandLine) -> None:
    """What POST /keys and DELETE /keys/{id} are about."""
    key = json.loads(localchat("keys", "create", "admin@local", "cron", "--days", "1", "--json").out)
    assert (key["scopes"], key["expires_at"] > key["created_at"]) == (["chat"], True)
    assert key["key"].startswith("sk-localchat-")
    assert json.loads(localchat("keys", "delete", "admin@local", key["id"], "--json").out) == {"id": key["id"]}


def test_a_token(localchat: CommandLine) -> None:
    """One line; as JSON what POST /login answers. A fresh one each time."""
    one, other = (localchat("token", "admin@local").out for _ in range(2))
    assert (one.count("."), one.count("\n"), one != other) == (2, 1, True)
    answer = json.loads(localchat("token", "admin@local", "--json").out)
    assert (answer["token_type"], answer["access_token"].count(".")) == ("bearer", 2)


REFUSED = [
    (("users", "add", "no-address"), "", "email: Input should be an email address"),
    (("users", "add", "Admin@LOCAL"), "", "There is already an account with this email address."),
    (("users", "add", ADA, "--password"), "short", "at least 10 characters"),
    (("users", "add", ADA, "--password"), "", "at least 10 characters"),
    (("users", "add", ADA, "--password"), "1234567890", "most common"),
    (("users", "add", ADA, "--password"), ADA, "must not be the email address"),
    (("users", "add", ADA, "--name", "a\nb"), "", "name: Input should be one line"),
    (("users", "disable", "admin@local"), "", "the account of ADMIN_EMAIL, kept in .env"),
    (("users", "enable", "admin@local"), "", "the account of ADMIN_EMAIL, kept in .env"),
    (("users", "delete", "admin@local", "--yes"), "", "the account of ADMIN_EMAIL, kept in .env"),
    (("users", "reset-password", "admin@local"), "", "change ADMIN_PASSWORD there"),
    (("users", "reset-password", "admin@local", "--password"), PASSWORD, "change ADMIN_PASSWORD there"),
    (("keys", "create", "admin@local", ""), "", "name: "),
    (("keys", "create", "admin@local", "x", "--days", "0"), "", "expires_in_days: "),
    *(
        ((*words[:2], ABSENT, *words[2:]) if len(words) > 1 else (*words, ABSENT), "", f"no account {ABSENT}")
        for words in [
            ("users", "disable"),
            ("users", "enable"),
            ("users", "delete"),
            ("users", "reset-password"),
            ("keys", "list"),
            ("keys", "create", "x"),
            ("keys", "delete", "x"),
            ("token",),
        ]
    ),
]


@pytest.mark.parametrize(("words", "stdin", "reason"), REFUSED, ids=[" ".join(words) for words, _, _ in REFUSED])
def test_what_is_refused(localchat: CommandLine, words: tuple[str, ...], stdin: str, reason: str) -> None:
    """1, with nothing on standard output, and the reason in one line on standard error."""
    result = localchat(*words, stdin=stdin)
    assert (result.status, result.out) == (1, "")
    assert (result.err.startswith("localchat: "), result.err.count("\n")) == (True, 1)
    assert reason in result.err


def test_only_administrators_keys_manage_models(localchat: CommandLine) -> None:
    """As over HTTP."""
    localchat("users", "add", ADA)
    result = localchat("keys", "create", ADA, "x", "--scope", "models")
    assert (result.status, "only for the keys of administrators" in result.err) == (1, True)


def test_the_last_key_that_fits(localchat: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of POST /keys."""
    monkeypatch.setattr("api.accounts.people.MAX_KEYS", 1)
    results = [localchat("keys", "create", "admin@local", "x") for _ in range(2)]
    assert [result.status for result in results] == [0, 1]
    assert "delete one first" in results[1].err


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("users",),
        ("users", "add"),
        ("users", "add", ADA, "--adm"),
        ("users", "add", ADA, "--password", PASSWORD),
        ("keys", "create", ADA),
        ("keys", "create", ADA, "x", "--days", "many"),
        ("keys", "create", ADA, "x", "--scope", "everything"),
        ("token",),
        ("nonsense",),
    ],
)
def test_a_command_that_cannot_be_read(localchat: CommandLine, words: tuple[str, ...]) -> None:
    """2, with the usage: a password is never an argument, and no option has a short name by chance."""
    result = localchat(*words)
    assert (result.status, result.out, result.err.startswith("usage: localchat")) == (2, "", True)


@pytest.mark.parametrize(
    "words", [(), ("users",), ("users", "add"), ("users", "delete"), ("keys",), ("keys", "create"), ("token",)]
)
def test_there_is_help(localchat: CommandLine, words: tuple[str, ...]) -> None:
    """For each group and command."""
    result = localchat(*words, "--help")
    assert (result.status, " ".join(["usage: localchat", *words]) in result.out) == (0, True)


def test_each_change_is_in_the_audit_trail(localchat: CommandLine) -> None:
    """By the operator; without the password, the key, the link and the token."""
    localchat_err = []
    secrets = [PASSWORD]
    for words, stdin in [
        (("users", "add", ADA, "--password"), PASSWORD),
        (("users", "disable", ADA), ""),
        (("users", "enable", ADA), ""),
        (("users", "reset-password", ADA), ""),
        (("keys", "create", ADA, "x"), ""),
        (("token", ADA), ""),
        (("users", "delete", ADA, "--yes"), ""),
    ]:
        result = localchat(*words, stdin=stdin)
        localchat_err.append(json.loads(result.err))
        secrets += [word for word in result.out.split() if len(word) > 40]
    events = ["account made", *["account changed"] * 2, "invitation made", "key made", "token made", "account deleted"]
    assert [line["message"] for line in localchat_err] == events
    assert {(line["actor"], line["address"], line["account"]) for line in localchat_err} == {
        ("operator", "command line", ADA)
    }
    assert len(secrets) == 4
    assert not [secret for secret in secrets if secret.rpartition("/")[2] in repr(localchat_err)]

"""Another account's file is 404, whatever its spelling and whoever the caller."""

import json
import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import pytest

from api.accounts.people import add_account
from api.accounts.store import SETTINGS_ID, Account
from api.accounts.tokens import Claims, Tokens
from api.database.engine import open_engine
from api.errors import NotAuthenticated
from tests.support.fake_ollama import FakeOllama
from tests.unit.files import END, FORM_TYPE, part
from tests.unit.serving import Gateway, serve

SEED = 20_261_125
PAIRS = 2_000
# Possible ids of accounts, and whether they are admins.
MEMBERS = {"settings": True, "k3x9q0anothers1d": False, "ada": False, "bob": True, "files": False, "0": False}


class TokensOfMembers(Tokens):
    """An account's id is its token."""

    def verify(self, token: str) -> Claims:
        if token not in MEMBERS:
            raise NotAuthenticated
        address = "admin@local" if token == SETTINGS_ID else address_of(token)
        return Claims(address, None if token == SETTINGS_ID else "epoch", token, issued_at=0, ends_at=0)


def address_of(member: str) -> str:
    return f"{member}@example.org"


def account(member: str) -> Account:
    return Account(
        id=member,
        email=address_of(member),
        comparable=address_of(member),
        name="",
        role="admin" if MEMBERS[member] else "member",
        password_hash=None,
        disabled=False,
        created_at=0,
        last_seen_at=None,
        managed_by="page",
        session_epoch="epoch",
        kept_session=None,
    )


@dataclass(frozen=True)
class Upload:
    owner: str
    name: str

    @property
    def content(self) -> bytes:
        return f"the secret of {self.owner}".encode()


class RawClient:
    """Sends paths unchanged; httpx would normalise them."""

    def __init__(self, gateway: Gateway) -> None:
        self.connection = HTTPConnection("127.0.0.1", gateway.port, timeout=10)
        self.store = gateway.settings.upload_dir

    def get(self, path: str, token: str, method: str = "GET") -> tuple[int, bytes, str]:
        """Status, body, and the file that nginx would send."""
        self.connection.request(method, path, headers={"Authorization": f"Bearer {token}"})
        answer = self.connection.getresponse()
        return answer.status, answer.read(), answer.headers.get("X-Accel-Redirect", "")

    def upload(self, owner: str) -> Upload:
        body = part(f"the secret of {owner}".encode()) + END
        headers = {"Authorization": f"Bearer {owner}", "Content-Type": FORM_TYPE}
        self.connection.request("POST", "/upload", body, headers)
        answer = self.connection.getresponse()
        return Upload(owner, json.load(answer)["filename"])


@pytest.fixture(scope="module", params=[False, True], ids=["direct", "behind nginx"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawClient]:
    with (
        FakeOllama() as ollama,
        serve(tmp_path_factory.mktemp("owners"), ollama.url, behind_nginx=request.param) as gateway,
    ):
        gateway.app.state.parts.tokens = TokensOfMembers(gateway.settings)
        with open_engine(gateway.settings.database_path).begin() as connection:
            for member in MEMBERS.keys() - {SETTINGS_ID}:
                add_account(connection, account(member))
        client = RawClient(gateway)
        yield client
        client.connection.close()


@pytest.fixture(scope="module")
def uploads(client: RawClient) -> list[Upload]:
    """Two of each account, and one in the root, from an earlier version."""
    (client.store / "0123456789ab_old.txt").write_bytes(b"the secret of settings")
    return [*(client.upload(owner) for owner in [*MEMBERS] * 2), Upload("settings", "0123456789ab_old.txt")]


def full_width(text: str) -> str:
    """Letters that compatibility normalization maps to the same ones."""
    wide = "".join(chr(ord(char) + 0xFEE0) if char.isalnum() or char in "._" else char for char in text)
    assert unicodedata.normalize("NFKC", wide) == text
    return quote(wide)


# Raw paths; words() fills them in.
SPELLINGS = [
    "/files/{name}",
    "/files/{escaped}",
    "/files/{owner}/{name}",
    "/files/{owner}%2f{name}",
    "/files/{owner}%2F{name}",
    "/files/{owner}%252f{name}",
    "/files/{owner}%5c{name}",
    "/files/{owner}\\{name}",
    "/files/{owner}_{name}",
    "/files/{owner}:{name}",
    "/files/../{owner}/{name}",
    "/files/..%2f{owner}%2f{name}",
    "/files/%2e%2e/{owner}/{name}",
    "/files/%2e%2e%2f{owner}%2f{name}",
    "/files/.%2e%2F{owner}%2F{name}",
    "/files/%252e%252e%252f{owner}%252f{name}",
    "/files/..%5c{owner}%5c{name}",
    "/files/..%c0%af{owner}%c0%af{name}",
    "/files/%c0%ae%c0%ae/{owner}/{name}",
    "/files/..%ef%bc%8f{owner}%ef%bc%8f{name}",
    "/files/....//{owner}//{name}",
    "/files/..;/{owner}/{name}",
    "/files/{caller}/../{owner}/{name}",
    "/files/{caller}%2f..%2f{owner}%2f{name}",
    "/files/0123456789ab_x%2f..%2f..%2f{owner}%2f{name}",
    "/files/./{name}",
    "/files/x/../{name}",
    "/files//{name}",
    "/files/%2f{name}",
    "/files/{store}/{owner}/{name}",
    "/files/{quoted_store}%2f{owner}%2f{name}",
    "/files//data/uploads/{owner}/{name}",
    "/files/%2fdata%2fuploads%2f{owner}%2f{name}",
    "/files/file:%2f%2f%2fdata%2fuploads%2f{owner}%2f{name}",
    "/files/{upper}",
    "/files/{title}",
    "/files/{upper_owner}%2f{name}",
    "/FILES/{name}",
    "/files/{wide}",
    "/files/{wide_owner}%2f{name}",
    "/files/{name}e%cc%81",
    "/files/{name}%cc%81",
    "/files/%e2%80%8b{name}",
    "/files/%ef%bb%bf{name}",
    "/files/{name}%e2%80%ae",
    "/files/{name}.",
    "/files/{name}...",
    "/files/{name}%20",
    "/files/{name}%20%20.",
    "/files/%20{name}",
    "/files/{name}+",
    "/files/{name}%09",
    "/files/{name}%0a",
    "/files/{name}%0d%0aX-Accel-Redirect:%20/_stored/{owner}/{name}",
    "/files/{name}%00",
    "/files/{name}%00{caller}",
    "/files/{owner}%00%2f{name}",
    "/files/{name}/",
    "/files/{name}/.",
    "/files/{name}%2f",
    "/files/{name};{owner}",
    "/files/{name}?account_id={owner}",
    "/files/{name}?filename={owner}/{name}",
    "/files/{name}%3faccount_id={owner}",
    "/files/{name}::$DATA",
    "/files/%2a{rest}",
    "/files/{digits}_%2a",
    "/files/~{owner}/{name}",
    "/_stored/{owner}/{name}",
    "/_stored/{name}",
]


def words(file: Upload, caller: str, store: Path) -> dict[str, str]:
    return {
        "caller": caller,
        "owner": file.owner,
        "upper_owner": file.owner.upper(),
        "wide_owner": full_width(file.owner),
        "name": file.name,
        "digits": file.name[:12],
        "rest": file.name[12:],
        "escaped": "".join(f"%{byte:02x}" for byte in file.name.encode()),
        "upper": file.name.upper(),
        "title": file.name.title(),
        "wide": full_width(file.name),
        "store": str(store),
        "quoted_store": quote(str(store), safe=""),
    }


def pairs(uploads: list[Upload]) -> Iterator[tuple[str, Upload, str]]:
    """Each spelling about thirty times, with different callers and files."""
    chance = random.Random(SEED)
    for number in range(PAIRS):
        file = chance.choice(uploads)
        others = [member for member in MEMBERS if member != file.owner]
        yield chance.choice(others), file, SPELLINGS[number % len(SPELLINGS)]


def test_two_thousand_pairs_are_404(client: RawClient, uploads: list[Upload]) -> None:
    """Members and admins, with both kinds of account; nginx gets nothing to send."""
    chance = random.Random(SEED)
    wrong = []
    for caller, file, spelling in pairs(uploads):
        path = spelling.format(**words(file, caller, client.store))
        status, body, sent = client.get(path, caller, chance.choice(["GET", "GET", "HEAD"]))
        if status != 404 or b"secret of" in body or sent:
            wrong.append((caller, file, path, status, sent))
    assert wrong == []


def test_its_owner_gets_each(client: RawClient, uploads: list[Upload]) -> None:
    """The control: the files exist."""
    for file in uploads:
        status, body, sent = client.get(f"/files/{file.name}", file.owner)
        assert status == 200
        assert body == file.content or sent in (f"/_stored/{file.owner}/{file.name}", f"/_stored/{file.name}")


def test_another_accounts_file_is_as_one_that_does_not_exist(client: RawClient, uploads: list[Upload]) -> None:
    """The answer does not reveal that it exists."""
    for caller in MEMBERS:
        others = {client.get(f"/files/{file.name}", caller)[:2] for file in uploads if file.owner != caller}
        assert others == {client.get("/files/ffffffffffff_a.txt", caller)[:2]}


def test_each_accounts_uploads_are_in_its_folder(client: RawClient, uploads: list[Upload]) -> None:
    """And nowhere else."""
    for file in uploads[:-1]:
        assert [path.parent.name for path in client.store.rglob(file.name)] == [file.owner]

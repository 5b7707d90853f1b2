"""Uploads listed and deleted, through nginx."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.stack import Stack

pytestmark = pytest.mark.stack("stack_before_fake_ollama")

ORIGIN = "http://localhost:5173"


@pytest.fixture
def uploaded(client: httpx.Client) -> Iterator[dict[str, str]]:
    answer = client.post("/upload", files={"file": ("Ürlaub 2026.txt", b"sun and sea")})
    assert answer.status_code == 200, answer.text
    yield answer.json()
    client.delete(answer.json()["download_path"])


def test_lists_uploads_under_the_names_they_had(client: httpx.Client, uploaded: dict[str, str]) -> None:
    """For a page of an allowed origin too; nobody keeps the list."""
    answer = client.get("/files", headers={"Origin": ORIGIN})
    newest = answer.json()["files"][0]
    assert newest.items() >= {**uploaded, "original_name": "Ürlaub 2026.txt", "size": 11}.items()
    assert (answer.headers["Cache-Control"], answer.headers["Access-Control-Allow-Origin"]) == ("no-store", ORIGIN)
    assert client.head("/files").status_code == 200


def test_what_is_deleted_is_gone(stack: Stack, client: httpx.Client, uploaded: dict[str, str]) -> None:
    """From the list, and from the volume."""
    path = uploaded["download_path"]
    assert (client.delete(path).status_code, client.delete(path).status_code, client.get(path).status_code) == (
        204,
        404,
        404,
    )
    assert uploaded["filename"] not in [file["filename"] for file in client.get("/files").json()["files"]]
    assert uploaded["filename"] not in stack.python("api", "import os; print(*os.walk('/data/uploads'))")


@pytest.mark.parametrize("spelling", ["//{name}", "{name}/", "%2f{name}", "{name}%00", "x/../../files//{name}"])
def test_another_spelling_deletes_nothing(client: httpx.Client, uploaded: dict[str, str], spelling: str) -> None:
    """404, or nginx's 400 for a path that is not valid."""
    answer = client.delete(f"/files/{spelling.format(name=uploaded['filename'])}")
    assert answer.status_code in (400, 404)
    assert client.get(uploaded["download_path"]).content == b"sun and sea"


def test_a_page_may_delete(stack: Stack) -> None:
    """The preflight says so."""
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "DELETE"}
    answer = httpx.options(f"{stack.url}/files/3f9a1c07be52_a.txt", headers=headers)
    assert answer.status_code == 200
    assert "DELETE" in answer.headers["Access-Control-Allow-Methods"]

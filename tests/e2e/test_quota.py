"""An account's quota under fifty uploads at once, through nginx and all of the API's workers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.fixtures import StackBeforeFake
from tests.support.stack import Stack

pytestmark = pytest.mark.stack("stack_with_a_quota")

MEBIBYTE = 1024 * 1024
AT_ONCE = 50


@pytest.fixture(scope="module")
def stack_with_a_quota(running_before_fake_ollama: StackBeforeFake) -> Iterator[Stack]:
    """1 MB for each account, and four workers."""
    with running_before_fake_ollama(UPLOAD_QUOTA_MB="1", WEB_CONCURRENCY="4") as running:
        yield running


@pytest.fixture(autouse=True)
def _no_files(client: httpx.Client) -> None:
    for file in client.get("/files").json()["files"]:
        assert client.delete(file["download_path"]).status_code == 204


def upload(client: httpx.Client, size_bytes: int) -> httpx.Response:
    return client.post("/upload", files={"file": ("größe.txt", b"a" * size_bytes)})


def test_racing_uploads_fill_it_and_never_exceed_it(stack: Stack, client: httpx.Client) -> None:
    """Each that was refused would not fit now either, although nothing was deleted."""
    sizes = [20_000 + 600 * number for number in range(AT_ONCE)]

    def one(size: int) -> int:
        with stack.client() as own:
            return upload(own, size).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = list(pool.map(one, sizes))
    assert set(statuses) == {200, 507}
    used = sum(size for size, status in zip(sizes, statuses, strict=True) if status == 200)
    listing = client.get("/files").json()
    assert (listing["used_bytes"], listing["quota_bytes"]) == (used, MEBIBYTE)
    assert len(listing["files"]) == statuses.count(200)
    assert used <= MEBIBYTE
    refused = [size for size, status in zip(sizes, statuses, strict=True) if status == 507]
    assert min(refused) > MEBIBYTE - used
    assert ".partial" not in stack.python("api", "import os; print(*os.walk('/data/uploads'))")


def test_a_refusal_says_what_to_do(client: httpx.Client) -> None:
    """What is deleted makes room for the next upload, whichever worker takes it."""
    kept = upload(client, MEBIBYTE).json()
    refused = [upload(client, size) for size in (1, MEBIBYTE, 3 * MEBIBYTE)]
    assert {answer.status_code for answer in refused} == {507}
    assert all("1.0 of 1 MB (UPLOAD_QUOTA_MB)" in answer.json()["detail"] for answer in refused)
    assert client.delete(kept["download_path"]).status_code == 204
    assert upload(client, MEBIBYTE).status_code == 200

"""The text of uploads, through nginx and the reader's container."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.support import documents
from tests.support.stack import Stack, until

FIRST_SECONDS, AGAIN_SECONDS = 1.0, 0.010
IDLE_MEGABYTES = 80


def upload(client: httpx.Client, name: str, content: bytes) -> str:
    answer = client.post("/upload", files={"file": (name, content)})
    assert answer.status_code == 200, answer.text
    filename: str = answer.json()["filename"]
    return filename


def seconds(client: httpx.Client, path: str) -> float:
    started = time.perf_counter()
    assert client.get(path).status_code == 200
    return time.perf_counter() - started


def readings(stack: Stack) -> int:
    """The processes that read in the reader's container."""
    # With NULs, which this program's own command line spells as escapes.
    code = r"""
from pathlib import Path
print(sum(b"-m\0reader.child\0" in path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")))
"""
    return int(stack.python("reader", code))


def test_gives_the_text_of_a_pdf(client: httpx.Client) -> None:
    """Of all its pages, or of some."""
    filename = upload(client, "report.pdf", documents.pdf(pages=3))
    answer = client.get(f"/files/{filename}/text").json()
    assert (answer["filename"], answer["format"], answer["pages"]) == (filename, "plain", 3)
    assert answer["text"].count("zebra") == 3
    assert client.get(f"/files/{filename}/text", params={"pages": "2-3"}).json()["text"].startswith("Page 2")


def test_says_why_there_is_none(client: httpx.Client) -> None:
    """A scan is called one."""
    filename = upload(client, "scan.pdf", documents.scan())
    answer = client.get(f"/files/{filename}/text")
    assert answer.status_code == 422
    assert "scan.pdf is a scan: its pages are pictures" in answer.json()["detail"]


def test_a_hundred_pages_are_read_in_a_second(client: httpx.Client) -> None:
    """And given again in ten milliseconds; each the fastest of a few, because the machine is shared."""
    content = documents.pdf(pages=100, lines=45)
    paths = [f"/files/{upload(client, 'a.pdf', content)}/text" for _ in range(3)]
    first = min(seconds(client, path) for path in paths)
    again = min(seconds(client, paths[0]) for _ in range(20))
    print(f"100 pages: {first:.2f} s, again {again * 1000:.1f} ms")
    assert first <= FIRST_SECONDS
    assert again <= AGAIN_SECONDS


def test_the_reader_is_small_while_it_waits(stack: Stack, client: httpx.Client) -> None:
    """It loads no library; only the processes that read do, and they are gone."""
    client.get(f"/files/{upload(client, 'a.txt', b'hello')}/text")
    until(lambda: readings(stack) == 0, "nothing is read")
    status = stack.run("exec", "--no-TTY", "reader", "cat", "/proc/1/status")
    (kilobytes,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    print(f"idle: {kilobytes / 1000:.0f} MB")
    assert kilobytes < IDLE_MEGABYTES * 1000


def test_a_client_that_leaves_ends_the_reading(stack: Stack, client: httpx.Client) -> None:
    """Through nginx, the API and the socket."""
    filename = upload(client, "a.pdf", documents.pdf_of_a_million_pages())
    with httpx.Client(base_url=stack.url, headers=client.headers, timeout=2) as hasty:
        try:
            hasty.get(f"/files/{filename}/text")
        except httpx.ReadTimeout:
            pass
        else:
            raise AssertionError("it was answered before the client left")
    until(lambda: readings(stack) == 0, "the reading has ended")


def test_hostile_documents_hurt_nobody(stack: Stack, client: httpx.Client) -> None:
    """A dozen at once: each is refused, others are read meanwhile, and the reader is not even restarted."""
    bombs = [upload(client, "bomb.pdf", documents.stream_bomb(200)) for _ in range(12)]
    good = upload(client, "good.pdf", documents.pdf())
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda name: client.get(f"/files/{name}/text"), [*bombs[:6], good, *bombs[6:]]))
    assert [answer.status_code for answer in answers] == [422] * 6 + [200] + [422] * 6
    facts = stack.inspect("reader")
    assert (facts["RestartCount"], facts["State"]["OOMKilled"]) == (0, False)


def test_a_reader_that_is_killed_comes_back(stack: Stack, client: httpx.Client) -> None:
    """Whoever asks in between waits for it."""
    filename = upload(client, "a.pdf", documents.pdf())
    stack.run("kill", "--signal", "KILL", "reader")
    stack.run("up", "--detach", "--no-deps", "--no-build", "reader")
    assert client.get(f"/files/{filename}/text").status_code == 200

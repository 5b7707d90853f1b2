"""Uploads that break off, collide or are killed: whole under a name of ours, or not there at all."""

import hashlib
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

from tests.e2e.stack import Stack, run, until
from tests.fake_ollama import FakeOllama
from tests.faults.door import Door, is_up
from tests.faults.test_kills import kill

SEED = 20_261_124
FILES = 1_000
SIZE = 400_000
FORM = "multipart/form-data; boundary=b"
END = b"\r\n--b--\r\n"
HOSTILE = [
    "../../x.txt",
    "/etc/cron.d/x.txt",
    "..\\..\\x.txt",
    "x\0.txt",
    "x" * 5_000 + ".txt",
    "\u202etxt.x",
    "\u05d0\u05d1.txt",
    "x\r\nX-Injected: 1\r\n.txt",
    'x"; filename="y.txt',
    "CON.txt",
    "nul",
    ".",
    "..",
    "",
    "-rf.txt",
    ".htaccess",
]


def part(data: bytes, name: str = "a.txt") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode("utf-8", "surrogatepass") + data


def stored(stack: Stack) -> dict[str, int]:
    """The names in the store, and their sizes; every file of the volume, hidden ones too."""
    lines = stack.run(
        "exec", "--no-TTY", "api", "find", "/data/uploads", "-type", "f", "-printf", "%P %s\n"
    ).splitlines()
    return {name: int(size) for name, _, size in (line.rpartition(" ") for line in lines)}


def open_files(stack: Stack) -> int:
    """Of the API's processes, in the store."""
    code = """
import os
from pathlib import Path
found = 0
for handle in Path("/proc").glob("[0-9]*/fd/*"):
    try: found += os.readlink(handle).startswith("/data/uploads/")
    except OSError: pass
print(found)
"""
    return int(stack.python("api", code))


def temporary(stack: Stack) -> list[str]:
    return [name for name in stored(stack) if name.endswith(".partial")]


@pytest.fixture
def front(stack: Stack) -> Door:
    return Door(stack.url, stack.email, stack.password)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
@pytest.mark.parametrize("announced", [True, False], ids=["with a length", "chunked"])
def test_an_upload_that_breaks_off_leaves_nothing(stack: Stack, front: Door, share: float, *, announced: bool) -> None:
    """At 1, 50 and 99.9 %, whether its size was told or not."""
    before = stored(stack)
    body = part(b"x" * SIZE) + END
    sent = body[: int(len(body) * share)]
    head = f"POST /upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {front.token}\r\nContent-Type: {FORM}\r\n"
    length = f"Content-Length: {len(body)}\r\n\r\n" if announced else "Transfer-Encoding: chunked\r\n\r\n"
    with front.connect() as connection:
        connection.sendall((head + length).encode())
        connection.sendall(sent if announced else b"%x\r\n%b\r\n" % (len(sent), sent))
        until(lambda: temporary(stack), "it is being written")
    until(lambda: stored(stack) == before, "nothing of it is left")
    until(lambda: open_files(stack) == 0, "no handle is open")


@pytest.mark.parametrize("which", ["one worker", "workers", "master"])
def test_a_kill_amid_an_upload_leaves_nothing(stack: Stack, front: Door, which: str) -> None:
    """The next process sweeps up."""
    before = stored(stack)

    def until_killed() -> Iterator[bytes]:
        yield part(b"x" * SIZE)
        until(lambda: temporary(stack), "it is being written")
        kill(stack, "api", which)
        while True:
            yield b"x" * 65_536
            time.sleep(0.01)

    with front.client() as client:
        try:
            answer = client.post("/upload", content=until_killed(), headers={"Content-Type": FORM})
            assert answer.status_code >= 500 or which == "one worker"
        except httpx.TransportError:
            pass
    until(lambda: is_healthy(stack), "the API is well again")
    until(lambda: stored(stack) == before, "nothing of it is left")


def is_healthy(stack: Stack) -> bool:
    return bool(stack.inspect("api")["State"]["Health"]["Status"] == "healthy")


def test_fifty_at_once_with_one_name_are_fifty_files(stack: Stack, front: Door) -> None:
    """Each comes back as it was."""
    before = stored(stack)
    with front.client() as client, ThreadPoolExecutor(50) as pool:

        def one(number: int) -> bool:
            data = f"{number}\n".encode() * 10_000
            path = client.post("/upload", files={"file": ("same.txt", data)}).json()["download_path"]
            return client.get(path).content == data

        assert all(pool.map(one, range(50)))
    new = stored(stack).keys() - before.keys()
    assert len(new) == 50
    assert {name[12:] for name in new} == {"_same.txt"}


@pytest.mark.parametrize("announced", [True, False], ids=["with a length", "chunked"])
@pytest.mark.parametrize(("surplus", "status"), [(-1, 200), (0, 200), (1, 413)])
def test_the_limit_is_exact(front: Door, surplus: int, status: int, *, announced: bool) -> None:
    """MAX_UPLOAD_MB to the byte: one less, as many, one more."""
    body = part(b"x" * (1024 * 1024 + surplus)) + END
    pieces = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    with front.client() as client:
        answer = client.post("/upload", content=body if announced else pieces, headers={"Content-Type": FORM})
        assert answer.status_code == status
        if status == 200:
            back = client.get(answer.json()["download_path"])
            assert len(back.content) == 1024 * 1024 + surplus


def test_nothing_is_a_file_too(front: Door) -> None:
    """0 bytes go in and come out."""
    with front.client() as client:
        path = client.post("/upload", files={"file": ("empty.txt", b"")}).json()["download_path"]
        back = client.get(path)
    assert (back.status_code, back.content) == (200, b"")


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:16]))
def test_a_hostile_name_stays_in_the_store(stack: Stack, front: Door, name: str) -> None:
    """It is stored under a harmless one, or refused; nothing appears anywhere else."""
    before = stored(stack)
    with front.client() as client:
        answer = client.post("/upload", content=part(b"hi", name) + END, headers={"Content-Type": FORM})
        assert answer.status_code in (200, 415, 422)
        assert "X-Injected" not in answer.headers
        new = stored(stack).keys() - before.keys()
        if answer.status_code == 200:
            assert new == {answer.json()["filename"]}
            assert client.get(answer.json()["download_path"]).content == b"hi"
        else:
            assert new == set()
    assert (
        stack.run("exec", "--no-TTY", "api", "find", "/data", "/tmp", "-newer", "/proc/1/cmdline", "-name", "x*") == ""
    )


@dataclass
class Upload:
    name: str
    sha256: str


def test_a_thousand_files_survive_kills_and_recreates(stack: Stack, front: Door, ollama: FakeOllama) -> None:
    """What was answered with 200 is there, whole; what was not is not there, or is whole."""
    assert ollama.requests == []
    chance = random.Random(SEED)
    before = stored(stack)
    kept: list[Upload] = []
    sizes = [chance.choice([0, 1, 100, 4_096, 65_536, 500_000]) for _ in range(FILES)]
    recreate = ("up", "--detach", "--wait", "--no-deps", "--force-recreate")
    troubles: list[Callable[[], object]] = [
        lambda: kill(stack, "api", "one worker"),
        lambda: kill(stack, "api", "workers"),
        lambda: kill(stack, "api", "master"),
        lambda: stack.run(*recreate, "api"),
        lambda: kill(stack, "api", "workers"),
        lambda: stack.run(*recreate, "api", "nginx"),
    ]
    lock = threading.Lock()

    def one(size: int) -> None:
        data = secrets.token_hex(size // 2).encode()
        with front.client() as client:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                try:
                    answer = client.post("/upload", files={"file": ("f.txt", data)})
                except httpx.TransportError:
                    answer = None
                if answer is not None and answer.status_code == 200:
                    with lock:
                        kept.append(Upload(answer.json()["filename"], hashlib.sha256(data).hexdigest()))
                    return
                time.sleep(0.2)
            raise AssertionError("not uploaded within 30 s")

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(one, size) for size in sizes]
        for number, trouble in enumerate(troubles, start=1):
            wanted = number * FILES // 8
            until(lambda wanted=wanted: len(kept) >= wanted, "uploads go on", seconds=60)  # type: ignore[misc]
            trouble()
        for done in running:
            done.result(120)
    until(lambda: is_healthy(stack), "the API is well again")
    until(lambda: not temporary(stack), "nothing half-written is left")
    after = stored(stack)
    assert len(kept) == FILES
    sums = stack.run("exec", "--no-TTY", "api", "sh", "-c", "cd /data/uploads && sha256sum -- *").splitlines()
    by_name = {name: digest for digest, _, name in (line.partition("  ") for line in sums)}
    wrong = [upload for upload in kept if by_name.get(upload.name) != upload.sha256]
    assert wrong == []
    # Files whose answer the client did not get are whole as well: of one of the sizes.
    assert {size for name, size in after.items() if name not in before} <= {size // 2 * 2 for size in sizes}
    assert open_files(stack) == 0


def test_a_full_disk_is_507_and_leaves_nothing(stack: Stack) -> None:
    """The store on a file system of 2 MB: what does not fit is refused, what fits is kept, and there is room again."""
    image = stack.inspect("api")["Image"]
    tmpfs = "/data/uploads:size=2m,uid=10001,gid=10001,mode=2750"
    secret = secrets.token_hex(32)
    container = run(
        *("docker", "run", "--detach", "--rm", "--publish", "127.0.0.1:0:8000", "--tmpfs", tmpfs),
        *("--env", "BEHIND_NGINX=false", "--env", f"SECRET_KEY={secret}", image),
    ).strip()
    try:
        address = run("docker", "port", container, "8000").split()[0]
        door = Door(f"http://{address}", "admin@local", "changeme")
        until(lambda: is_up(door.url), "the API answers")
        with door.client() as client:
            small = client.post("/upload", files={"file": ("a.txt", b"x" * 1_000_000)})
            large = client.post("/upload", files={"file": ("b.txt", b"x" * 1_500_000)})
            again = client.post("/upload", files={"file": ("c.txt", b"x" * 900_000)})
        assert (small.status_code, large.status_code, again.status_code) == (200, 507, 200)
        assert "full" in large.json()["detail"]
        listed = run("docker", "exec", container, "ls", "-A", "/data/uploads").split()
        assert sorted(listed) == sorted(answer.json()["filename"] for answer in (small, again))
    finally:
        run("docker", "rm", "--force", container)


def test_the_naive_gateway_keeps_what_is_hostile(naive: Door) -> None:
    """The control: it takes any type, and fails on names that it takes as they are."""
    with naive.client() as client:
        assert client.post("/upload", files={"file": ("tool.exe", b"MZ\x90\0")}).status_code == 200
        assert (
            client.post("/upload", content=part(b"hi", "a/b.txt") + END, headers={"Content-Type": FORM}).status_code
            == 500
        )

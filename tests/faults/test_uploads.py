"""Uploads that break off, collide or are killed: stored completely under a safe name, or not at all."""

import hashlib
import random
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

from tests.faults.gateway import Gateway, is_up
from tests.faults.kill import kill
from tests.support.fake_ollama import FakeOllama
from tests.support.runs import new_name
from tests.support.stack import Stack, run, until

SEED = 20_261_124
FILES = 1_000
STORE = "/data/uploads"
FOLDER = f"{STORE}/settings"  # the test account's
SIZE = 400_000
SLOW_SECONDS = 35
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
    """The names in the store with their sizes; every file of the volume, in any folder, hidden ones included."""
    lines = stack.run("exec", "--no-TTY", "api", "find", STORE, "-type", "f", "-printf", "%f %s\n").splitlines()
    return {name: int(size) for name, _, size in (line.rpartition(" ") for line in lines)}


def open_files(stack: Stack) -> int:
    """The number that the API's processes have open in the store."""
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


def checksums(stack: Stack) -> dict[str, str]:
    """The SHA-256 of each file in the store, by name."""
    command = f"find {STORE} -type f -exec sha256sum -- {{}} +"
    lines = stack.run("exec", "--no-TTY", "api", "sh", "-c", command).splitlines()
    return {path.rpartition("/")[2]: digest for digest, _, path in (line.partition("  ") for line in lines)}


def temporary(stack: Stack) -> list[str]:
    return [name for name in stored(stack) if re.fullmatch(r"[0-9a-f]{16}\.partial", name)]


@pytest.fixture
def front(stack: Stack) -> Gateway:
    return Gateway(stack.url, stack.email, stack.password)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
@pytest.mark.parametrize("announced", [True, False], ids=["with a length", "chunked"])
def test_an_upload_that_breaks_off_leaves_nothing(
    stack: Stack, front: Gateway, share: float, *, announced: bool
) -> None:
    """At 1, 50 and 99.9 %, with or without a declared size."""
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
def test_a_kill_during_an_upload_leaves_nothing(stack: Stack, front: Gateway, which: str) -> None:
    """The next process removes the partial file."""
    before = stored(stack)

    def until_killed() -> Iterator[bytes]:
        yield part(b"x" * SIZE)
        until(lambda: temporary(stack), "it is being written")
        kill(stack, "api", which)
        # To its end: nginx keeps reading, so that a client that sends everything gets the response.
        for _ in range(100):
            yield b"x" * 65_536
            time.sleep(0.01)

    with front.client() as client:
        try:
            answer = client.post("/upload", content=until_killed(), headers={"Content-Type": FORM})
            assert answer.status_code >= 500 or which == "one worker"
        except httpx.TransportError:
            pass
    until(lambda: is_healthy(stack), "the API is healthy again")
    until(lambda: stored(stack) == before, "nothing of it is left")


def test_an_upload_called_partial_outlives_a_restart(stack: Stack, front: Gateway) -> None:
    """It is not mistaken for what a killed upload left."""
    with front.client() as client:
        path = client.post("/upload", files={"file": ("report.partial", b"whole")}).json()["download_path"]
        kill(stack, "api", "master")
        until(lambda: is_up(front.url) and client.get(path).status_code < 500, "the API is back")
        assert client.get(path).content == b"whole"


def test_what_an_earlier_version_stored_is_found(stack: Stack, front: Gateway) -> None:
    """It is in the store's root and sent from there; after the next start, from the account's folder."""
    name = f"{secrets.token_hex(6)}_old.txt"
    paths = f"{STORE}/{name} {FOLDER}/{name}"
    stack.run("exec", "--no-TTY", "api", "sh", "-c", f"umask 027 && printf old > {STORE}/{name}")
    with front.client() as client:
        assert client.get(f"/files/{name}").content == b"old"
        kill(stack, "api", "master")
        until(lambda: is_up(front.url) and client.get(f"/files/{name}").status_code < 500, "the API is back")
        assert client.get(f"/files/{name}").content == b"old"
    # Two names of one file: the earlier version may still need the first.
    assert stack.run("exec", "--no-TTY", "api", "sh", "-c", f"stat --format %h {paths}").split() == ["2", "2"]


@pytest.mark.parametrize("folder", [STORE, FOLDER], ids=["as an earlier version's", "as the account's"])
@pytest.mark.parametrize("make", ["ln -s /etc/passwd", "ln -s /data/uploads", "mkfifo", "mkdir"])
def test_anything_but_a_file_is_404(stack: Stack, front: Gateway, make: str, folder: str) -> None:
    """Someone who can write to the volume still cannot get another file sent, or block nginx."""
    name = f"{secrets.token_hex(6)}_x.txt"
    stack.run("exec", "--no-TTY", "api", "sh", "-c", f"{make} {folder}/{name}")
    with front.client() as client:
        assert client.get(f"/files/{name}").status_code == 404
    # Later tests read every file of the store, and a pipe would never end.
    stack.run("exec", "--no-TTY", "api", "rm", "-r", f"{folder}/{name}")


def is_healthy(stack: Stack) -> bool:
    return bool(stack.inspect("api")["State"]["Health"]["Status"] == "healthy")


def test_fifty_at_once_with_one_name_are_fifty_files(stack: Stack, front: Gateway) -> None:
    """Each comes back unchanged."""
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
def test_the_limit_is_exact(front: Gateway, surplus: int, status: int, *, announced: bool) -> None:
    """MAX_UPLOAD_MB to the byte: one less, exactly, one more."""
    body = part(b"x" * (1024 * 1024 + surplus)) + END
    pieces = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    with front.client() as client:
        answer = client.post("/upload", content=body if announced else pieces, headers={"Content-Type": FORM})
        assert answer.status_code == status
        if status == 200:
            back = client.get(answer.json()["download_path"])
            assert len(back.content) == 1024 * 1024 + surplus


def test_nothing_is_a_file_too(front: Gateway) -> None:
    """An upload of 0 bytes is stored and returned."""
    with front.client() as client:
        path = client.post("/upload", files={"file": ("empty.txt", b"")}).json()["download_path"]
        back = client.get(path)
    assert (back.status_code, back.content) == (200, b"")


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:16]))
def test_a_hostile_name_stays_in_the_store(stack: Stack, front: Gateway, name: str) -> None:
    """It is stored under a safe name, or refused; nothing appears anywhere else."""
    before = stored(stack)
    with front.client() as client:
        answer = client.post("/upload", content=part(b"hi", name) + END, headers={"Content-Type": FORM})
        assert answer.status_code in (200, 415, 422)
        assert "X-Injected" not in answer.headers
        new = stored(stack).keys() - before.keys()
        if answer.status_code == 200:
            filename = answer.json()["filename"]
            # Beside it, what it was called.
            assert {filename} <= new <= {filename, f".{filename}"}
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


def test_a_thousand_files_survive_kills_and_recreates(stack: Stack, front: Gateway, ollama: FakeOllama) -> None:
    """Every upload answered with 200 is stored completely; the others completely or not at all."""
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
            until(lambda wanted=wanted: len(kept) >= wanted, "uploads continue", seconds=60)  # type: ignore[misc]
            trouble()
        for done in running:
            done.result(120)
    until(lambda: is_healthy(stack), "the API is healthy again")
    until(lambda: not temporary(stack), "nothing half-written is left")
    after = stored(stack)
    assert len(kept) == FILES
    by_name = checksums(stack)
    wrong = [upload for upload in kept if by_name.get(upload.name) != upload.sha256]
    assert wrong == []
    # Files whose response was lost are complete as well: each has one of the sizes.
    assert {size for name, size in after.items() if name not in before} <= {size // 2 * 2 for size in sizes}
    assert open_files(stack) == 0


def test_a_slow_client_sees_the_refusal(gateway: Gateway) -> None:
    """It sends for longer than nginx's default limit for a refused body (30 s), and only then reads."""
    cases = {
        "a stranger's upload": ("/upload", "", 2_000_000, {401}),
        "a type that is not accepted": ("/upload", gateway.token, 2_000_000, {413, 415}),
        "an upload too large": ("/upload", gateway.token, 300_000_000, {413}),
        "a chat too large": ("/chat", gateway.token, 300_000_000, {413}),
        "a stranger's chat": ("/chat", "", 300_000_000, {401, 413}),
    }

    def refusal(path: str, token: str, size: int) -> int:
        head = f"POST {path} HTTP/1.1\r\nHost: localchat\r\nAuthorization: Bearer {token}\r\nContent-Type: {FORM}\r\n"
        with gateway.connect() as connection:
            connection.sendall(f"{head}Content-Length: {size}\r\n\r\n".encode() + part(b"", "x.exe"))
            deadline = time.monotonic() + SLOW_SECONDS
            while time.monotonic() < deadline:
                connection.sendall(b"x" * 8_192)
                time.sleep(0.2)
            return int(connection.recv(65_536).split()[1])

    with ThreadPoolExecutor(len(cases)) as pool:
        seen = {name: pool.submit(refusal, *case[:3]) for name, case in cases.items()}
        answers = {name: future.result() for name, future in seen.items()}
    assert {name: status for name, status in answers.items() if status not in cases[name][3]} == {}


def test_a_full_disk_is_507_and_leaves_nothing(stack: Stack) -> None:
    """A store on a file system of 2 MB: what does not fit is refused, what fits is stored, and space is freed."""
    image = stack.inspect("api")["Image"]
    tmpfs = f"{STORE}:size=2m,uid=10001,gid=10001,mode=2750"
    secret = secrets.token_hex(32)
    container = run(
        *("docker", "run", "--detach", "--rm", f"--name={new_name('full-disk')}"),
        *("--publish", "127.0.0.1:0:8000", "--tmpfs", tmpfs, "--env", "BEHIND_NGINX=false"),
        # As without nginx: gunicorn would listen only on a socket.
        *("--env", f"SECRET_KEY={secret}", image, "uvicorn", "api.main:app", "--host", "0.0.0.0"),
    ).strip()
    try:
        address = run("docker", "port", container, "8000").split()[0]
        gateway = Gateway(f"http://{address}", "admin@local", "changeme")
        until(lambda: is_up(gateway.url), "the API answers")
        with gateway.client() as client:
            small = client.post("/upload", files={"file": ("a.txt", b"x" * 1_000_000)})
            large = client.post("/upload", files={"file": ("b.txt", b"x" * 1_500_000)})
            again = client.post("/upload", files={"file": ("c.txt", b"x" * 900_000)})
        assert (small.status_code, large.status_code, again.status_code) == (200, 507, 200)
        assert "full" in large.json()["detail"]
        listed = run("docker", "exec", container, "ls", "-A", FOLDER).split()
        assert sorted(listed) == sorted(answer.json()["filename"] for answer in (small, again))
    finally:
        run("docker", "rm", "--force", container)


def test_the_naive_gateway_keeps_what_is_hostile(naive: Gateway) -> None:
    """The control: it accepts any type, and fails on names that it uses unchanged."""
    with naive.client() as client:
        assert client.post("/upload", files={"file": ("tool.exe", b"MZ\x90\0")}).status_code == 200
        assert (
            client.post("/upload", content=part(b"hi", "a/b.txt") + END, headers={"Content-Type": FORM}).status_code
            == 500
        )

"""The service `reader`: its own process, asked over a socket, with the open file handed along."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.files.text import service
from api.files.text.errors import ReaderUnavailable
from api.files.text.service import ReaderService
from reader import __main__ as reader_service
from reader.answers import Question, Reading, Reason, Unreadable, line_with
from reader.apart import Apart
from tests.support import documents
from tests.support.fake_ollama import wait_until
from tests.unit.readings import readings_of

ROOT = Path(__file__).parents[2]


@dataclass
class Running:
    socket: Path
    process: subprocess.Popen[bytes]

    def read(self, path: Path) -> Reading:
        """Raises Unreadable and ReaderUnavailable."""
        return asyncio.run(self.read_now(path))

    async def read_now(self, path: Path) -> Reading:
        with path.open("rb") as file:
            return await ReaderService(self.socket).read(file.fileno(), Question(path.suffix))

    def readings(self) -> list[str]:
        return readings_of(self.process.pid)


def start(path: Path) -> Running:
    before = path.stat().st_ino if path.exists() else None
    process = subprocess.Popen([sys.executable, "-m", "reader", str(path)], cwd=ROOT)
    wait_until(lambda: path.exists() and path.stat().st_ino != before, f"the reader listens on {path}")
    return Running(path, process)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Running]:
    running = start(tmp_path / "reader.sock")
    yield running
    running.process.kill()
    running.process.wait()


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A document that is read for longer than a test runs."""
    path = tmp_path / "slow.pdf"
    path.write_bytes(documents.pdf_of_a_million_pages())
    return path


def test_reads_a_file_that_only_its_asker_can_open(reader: Running, tmp_path: Path) -> None:
    """It gets the open file and no name, so it needs no volume and no right to one."""
    path = tmp_path / "a.pdf"
    path.write_bytes(documents.pdf(pages=2))
    with path.open("rb") as file:
        path.unlink()
        reading = asyncio.run(ReaderService(reader.socket).read(file.fileno(), Question(".pdf", ((2, 2),))))
    assert reading == Reading("Page 2, line 1: a zebra crosses the street at noon.", "plain", 2)


def test_says_why_there_is_no_text(reader: Running, tmp_path: Path) -> None:
    """In the one way; and goes on."""
    path = tmp_path / "a.pdf"
    for _ in range(2):
        path.write_bytes(documents.scan())
        with pytest.raises(Unreadable) as caught:
            reader.read(path)
        assert caught.value.reason is Reason.SCAN


def test_is_small_while_it_waits(reader: Running, tmp_path: Path) -> None:
    """It loads no library; only the processes that read do."""
    path = tmp_path / "a.docx"
    path.write_bytes(documents.word())
    reader.read(path)
    status = Path(f"/proc/{reader.process.pid}/status").read_text()
    (kilobytes,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert kilobytes < 80 * 1024


def test_its_socket_is_for_its_owner_and_group(reader: Running) -> None:
    """The API has the group."""
    assert reader.socket.stat().st_mode & 0o777 == 0o660


def test_whoever_leaves_ends_the_reading(reader: Running, slow: Path) -> None:
    """The connection closes, and the process is gone."""

    async def leave() -> None:
        task = asyncio.create_task(reader.read_now(slow))
        await asyncio.to_thread(wait_until, reader.readings, "it is being read")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())
    wait_until(lambda: not reader.readings(), "the reading has ended")


def test_at_most_two_are_read_at_once(reader: Running, slow: Path) -> None:
    """The third waits until one of them is given up."""

    async def read_three() -> None:
        tasks = [asyncio.create_task(reader.read_now(slow)) for _ in range(3)]
        await asyncio.to_thread(wait_until, lambda: len(reader.readings()) == 2, "two are being read")
        first = set(reader.readings())
        for task in tasks[:2]:
            task.cancel()
        await asyncio.to_thread(wait_until, lambda: set(reader.readings()) - first, "the third is being read")
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(read_three())


def test_finishes_what_it_has_begun(reader: Running, tmp_path: Path) -> None:
    """When Docker stops it, as for a redeploy."""
    path = tmp_path / "a.pdf"
    path.write_bytes(documents.long_pdf(300))

    async def stop_meanwhile() -> Reading:
        task = asyncio.create_task(reader.read_now(path))
        await asyncio.to_thread(wait_until, reader.readings, "it is being read")
        reader.process.send_signal(signal.SIGTERM)
        return await task

    assert len(asyncio.run(stop_meanwhile()).text) > 1_000_000
    assert reader.process.wait(10) == 0


def test_while_it_is_replaced_others_wait(reader: Running, tmp_path: Path) -> None:
    """A few seconds without a reader are no error; neither is one that is killed while it reads."""
    path = tmp_path / "a.pdf"
    path.write_bytes(documents.long_pdf(100))

    async def kill_meanwhile() -> Reading:
        task = asyncio.create_task(reader.read_now(path))
        await asyncio.to_thread(wait_until, reader.readings, "it is being read")
        reader.process.kill()
        reader.process.wait()
        reader.process = (await asyncio.to_thread(start, reader.socket)).process
        return await task

    assert asyncio.run(kill_meanwhile()).pages == 100


def test_a_reader_that_is_killed_while_it_answers_is_asked_again(tmp_path: Path) -> None:
    """Half an answer is none, and says nothing about the document."""
    whole = line_with(Reading("hello", "plain", None))
    answers = [b"", whole[:9], whole[:-1], whole]

    path = tmp_path / "reader.sock"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answers.pop(0))
        writer.close()

    async def ask(file: int) -> Reading:
        async with await asyncio.start_unix_server(answer, path):
            return await ReaderService(path).read(file, Question(".txt"))

    with open(os.devnull, "rb") as file:  # noqa: PTH123
        assert asyncio.run(ask(file.fileno())).text == "hello"
    assert not answers


def test_a_reader_that_stays_away_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "AWAY_SECONDS", 0.1)
    path = tmp_path / "a.txt"
    path.write_bytes(b"hello")
    for away in (tmp_path / "nothing.sock", path):
        with pytest.raises(ReaderUnavailable), path.open("rb") as file:
            asyncio.run(ReaderService(away).read(file.fileno(), Question(".txt")))


def test_goes_on_when_it_could_not_accept_a_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For want of a descriptor, as a rule; here the socket is not one that listens yet."""
    monkeypatch.setattr(reader_service, "AGAIN_SECONDS", 0.01)
    path = tmp_path / "reader.sock"
    accepted = asyncio.Event()

    class Counting(reader_service.Service):
        async def _serve(self, connection: socket.socket) -> None:
            with connection:
                accepted.set()

    async def fail_once() -> None:
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
            listener.bind(str(path))
            listener.setblocking(False)
            accepting = asyncio.create_task(Counting(path, Apart())._accept(listener))  # noqa: SLF001
            await asyncio.sleep(0.02)
            listener.listen()
            client.connect(str(path))
            await asyncio.wait_for(accepted.wait(), 10)
            accepting.cancel()

    asyncio.run(fail_once())


@pytest.mark.parametrize("sent", [b"", b"nonsense\n", b"{}\n", b"[" * 4_000])
def test_nonsense_is_answered_and_forgotten(reader: Running, sent: bytes) -> None:
    """With and without a file; it goes on."""
    for files in ([], [0]):
        with socket.socket(socket.AF_UNIX) as connection, open(os.devnull, "rb") as nothing:  # noqa: PTH123
            connection.settimeout(10)
            connection.connect(str(reader.socket))
            if sent:
                socket.send_fds(connection, [sent], [nothing.fileno() for _ in files])
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1024):
                pass
    assert reader.process.poll() is None


def test_the_health_check_reads_a_text(reader: Running) -> None:
    """As the API asks; it fails without the service."""
    check = [sys.executable, "-m", "reader.health", str(reader.socket)]
    assert subprocess.run(check, cwd=ROOT, check=False).returncode == 0
    reader.process.kill()
    reader.process.wait()
    assert subprocess.run(check, cwd=ROOT, check=False, capture_output=True).returncode == 1

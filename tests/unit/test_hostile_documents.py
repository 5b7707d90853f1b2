"""Documents that are meant to hurt: each costs its own reading, within limits, and nothing else."""

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from reader import apart
from reader.answers import Question, Reason, Unreadable
from reader.apart import Apart, Limits
from tests.support import documents
from tests.support.fake_ollama import wait_until
from tests.unit.readings import SMALL, read, readings_of, reason

TIGHT = Limits(memory_bytes=64 * 1024 * 1024, seconds=2)
HARMLESS_ONCE_READ = {Reason.EMPTY, Reason.BROKEN, Reason.TOO_LARGE}
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a zip bomb": (lambda: documents.zip_bomb(45), ".docx"),
    "a larger one": (lambda: documents.zip_bomb(100), ".docx"),
    "one that lies about its size": (lambda: documents.zip_bomb_that_lies(100), ".docx"),
    "a billion laughs": (documents.entity_bomb, ".docx"),
    "nested XML": (lambda: documents.nested_xml(200_000), ".docx"),
    "nested arrays": (lambda: documents.nested_pdf(200_000), ".pdf"),
    "pages that are their own": (documents.recursive_pdf, ".pdf"),
    "a stream bomb": (lambda: documents.stream_bomb(100), ".pdf"),
}


@pytest.mark.parametrize(("make", "suffix"), HOSTILE.values(), ids=HOSTILE)
def test_what_bloats_or_crashes_is_unreadable(make: Callable[[], bytes], suffix: str) -> None:
    """Refused, or without text; never more memory than the limit, however it is asked for."""
    assert reason(make(), suffix, limits=TIGHT) in HARMLESS_ONCE_READ


def test_a_million_pages_take_too_long() -> None:
    """But the first of them do not."""
    document = documents.pdf_of_a_million_pages()
    assert reason(document, ".pdf", limits=TIGHT) is Reason.SLOW
    assert reason(document, ".pdf", ((1, 10),)) is Reason.EMPTY


@pytest.mark.parametrize(
    ("document", "suffix"), [(documents.pdf(), ".pdf"), (documents.word(), ".docx")], ids=["pdf", "word"]
)
def test_a_truncated_document_is_refused_or_read(document: bytes, suffix: str) -> None:
    """Cut off in ten places."""
    for tenth in range(10):
        reason(document[: len(document) * tenth // 10], suffix)


def run_in_child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str) -> None:
    """Puts `code` in the place of what reads text files, in the child."""
    (tmp_path / "reader").mkdir()
    for path in (apart.ROOT / "reader").glob("*.py"):
        (tmp_path / "reader" / path.name).write_text(path.read_text())
    plain = (
        f"import os, resource, socket, subprocess, time\ndef warm_up(): pass\ndef read_plain(file, pages):\n    {code}"
    )
    (tmp_path / "reader/plain.py").write_text(plain)
    monkeypatch.setattr(apart, "ROOT", tmp_path)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("os.abort()", Reason.BROKEN),
        ("os._exit(0)", Reason.BROKEN),
        ("os.kill(os.getpid(), 11)", Reason.BROKEN),
        ("raise ValueError", Reason.BROKEN),
        ("bytearray(200_000_000)", Reason.TOO_LARGE),
        ("time.sleep(60)", Reason.SLOW),
        ("while True: pass", Reason.SLOW),
        ("os.write(1, b'a' * 9_000_000)", Reason.BROKEN),
        ("os.write(1, b'not an answer'); os._exit(0)", Reason.BROKEN),
        ("os.close(1); time.sleep(60)", Reason.SLOW),
    ],
)
def test_a_process_that_goes_wrong_costs_its_own_reading(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, expected: Reason
) -> None:
    """It is over in time, and nothing of it stays."""
    run_in_child(monkeypatch, tmp_path, code)
    assert reason(b"hello", ".txt", limits=TIGHT) is expected
    assert readings_of(os.getpid()) == []


def test_a_process_that_a_document_took_over_can_open_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No file, folder, socket, pipe or process; and it has none of our environment, which may hold the signing key."""
    monkeypatch.setenv("SECRET_KEY", "a secret")
    code = """
    from reader.answers import Reading
    import ctypes
    libc, PR_GET_DUMPABLE = ctypes.CDLL(None), 3
    done = []
    for attempt in (
        lambda: open("/etc/hostname"), lambda: open("/proc/self/mem"), lambda: os.listdir("/"), lambda: os.dup(0),
        socket.socket, os.pipe, lambda: subprocess.run(["true"]), lambda: os.environ["SECRET_KEY"],
        lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9 if os.getuid() else 0)),
    ):
        try:
            done.append(repr(attempt()))
        except (OSError, KeyError, ValueError):
            pass
    # Root may start processes all the same.
    return Reading(f"{done} {resource.getrlimit(resource.RLIMIT_NPROC)} {libc.prctl(PR_GET_DUMPABLE)}", "plain", None)
"""
    run_in_child(monkeypatch, tmp_path, code)
    assert read(b"hello", ".txt").text == "[] (0, 0) 0"


def test_whoever_stops_waiting_ends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """At once, and its turn is free."""
    run_in_child(monkeypatch, tmp_path, "time.sleep(60)")

    async def leave_twice() -> None:
        reader = Apart(SMALL, at_once=1)
        with tempfile.TemporaryFile() as file:
            for _ in range(2):
                task = asyncio.create_task(reader.read(file.fileno(), Question(".txt")))
                await asyncio.to_thread(wait_until, lambda: readings_of(os.getpid()), "it starts")
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert readings_of(os.getpid()) == []

    asyncio.run(leave_twice())


def test_others_wait_for_their_turn_but_not_for_ever(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """At most two at once; a third is told to come again."""
    run_in_child(monkeypatch, tmp_path, "time.sleep(1); os._exit(3)")

    async def read_three(wait_seconds: float) -> list[Reason]:
        reader = Apart(SMALL, at_once=2, wait_seconds=wait_seconds)
        with tempfile.TemporaryFile() as file:
            reading = [reader.read(file.fileno(), Question(".txt")) for _ in range(3)]
            errors = await asyncio.gather(*reading, return_exceptions=True)
        return [error.reason for error in errors if isinstance(error, Unreadable)]

    assert sorted(asyncio.run(read_three(0.1))) == [Reason.BROKEN, Reason.BROKEN, Reason.BUSY]
    assert asyncio.run(read_three(60)) == [Reason.BROKEN] * 3

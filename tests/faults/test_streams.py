"""Streams when Ollama fails: exact status, type and last bytes, and nothing that looks like a normal end."""

import socket
import struct
import time
from dataclasses import dataclass

import httpx
import pytest

from tests.faults.gateway import CHAT, Gateway, read_until
from tests.support.fake_ollama import Ending, FakeOllama
from tests.support.fixtures import FAKE_TIMEOUT_SECONDS
from tests.support.repetitions import Repetitions

LINE = b'{"model":"m","message":{"role":"assistant","content":"\xf0\x9f\xa6\x99 \xe2\x82\xac"},"done":false}\n'
LAST = b'{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}\n'
NDJSON, JSON = "application/x-ndjson", "application/json"
FREES_OLLAMA_WITHIN_SECONDS = 0.25


@dataclass(frozen=True)
class Outcome:
    """What a client sees of a response. `whole`: it ended as HTTP requires, and was not cut."""

    status: int
    media_type: str
    body: bytes
    whole: bool


def outcome(gateway: Gateway, *, stream: bool = True) -> Outcome:
    body = b""
    with gateway.client() as client, client.stream("POST", "/chat", json={**CHAT, "stream": stream}) as answer:
        media_type = answer.headers.get("Content-Type", "").partition(";")[0]
        try:
            for chunk in answer.iter_raw():
                body += chunk
        except httpx.TransportError:
            return Outcome(answer.status_code, media_type, body, whole=False)
    return Outcome(answer.status_code, media_type, body, whole=True)


def dies_before_the_first_byte(ollama: FakeOllama) -> None:
    ollama.enqueue_no_answer("reset")


def says_404(ollama: FakeOllama) -> None:
    ollama.enqueue(b'{"error":"model \'m\' not found"}', status=404, headers={"Content-Type": JSON})


def writes_lines_of_other_kinds(ollama: FakeOllama) -> None:
    ollama.enqueue(ODD_LINES, LAST)


ODD_LINES = b'{"a":1}\r\nnot json\n\n\xff\xfe{]\n{"a":"\xe2\x80\xa8"}\x0c\x1c\n'


@pytest.mark.parametrize("status", [400, 404, 499, 500, 503])
def test_ollamas_refusals_pass_unchanged(gateway: Gateway, ollama: FakeOllama, status: int) -> None:
    """Status, type and body are Ollama's."""
    error = b'{"error":"server busy, please try again"}'
    ollama.enqueue(error, status=status, headers={"Content-Type": JSON})
    assert outcome(gateway) == Outcome(status, JSON, error, whole=True)


@pytest.mark.parametrize("ending", ["close", "reset"])
def test_an_ollama_that_dies_before_the_first_byte_is_502(gateway: Gateway, ollama: FakeOllama, ending: Ending) -> None:
    """Our own error, in JSON."""
    ollama.enqueue_no_answer(ending)
    seen = outcome(gateway)
    assert (seen.status, seen.media_type, seen.whole) == (502, JSON, True)
    assert b"closed the connection before responding" in seen.body


def test_an_ollama_that_stays_silent_is_504(gateway: Gateway, ollama: FakeOllama) -> None:
    """At the limit, not earlier and not much later; Ollama is released."""
    ollama.enqueue_no_answer("silence")
    started = time.monotonic()
    seen = outcome(gateway)
    assert FAKE_TIMEOUT_SECONDS <= time.monotonic() - started < FAKE_TIMEOUT_SECONDS + 1
    assert (seen.status, seen.media_type, seen.whole) == (504, JSON, True)
    assert b"OLLAMA_TIMEOUT_SECONDS" in seen.body
    ollama.requests[0].connection.wait_until_closed()


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("ending", ["close", "reset"])
def test_an_answer_that_breaks_off_looks_broken(
    gateway: Gateway, ollama: FakeOllama, ending: Ending, *, stream: bool
) -> None:
    """Everything received is passed on, then the connection is cut."""
    headers = {"Content-Type": NDJSON} if stream else {"Content-Type": JSON, "Content-Length": "9999"}
    ollama.enqueue(LINE, 0.05, headers=headers, ending=ending)
    assert outcome(gateway, stream=stream) == Outcome(200, headers["Content-Type"], LINE, whole=False)


def test_a_stream_that_falls_silent_looks_broken(gateway: Gateway, ollama: FakeOllama) -> None:
    """The limit also applies to the silence between two chunks."""
    ollama.enqueue(LINE, ending="silence")
    started = time.monotonic()
    assert outcome(gateway) == Outcome(200, NDJSON, LINE, whole=False)
    assert FAKE_TIMEOUT_SECONDS <= time.monotonic() - started < FAKE_TIMEOUT_SECONDS + 1


def test_a_long_silence_within_the_limit_is_waited_for(gateway: Gateway, ollama: FakeOllama) -> None:
    """Half the limit: five minutes of the default ten. Before the first byte, and after it."""
    silence = FAKE_TIMEOUT_SECONDS / 2
    ollama.enqueue(silence, LINE, silence, LAST)
    assert outcome(gateway) == Outcome(200, NDJSON, LINE + LAST, whole=True)


def test_an_error_line_mid_stream_is_ollamas_own(gateway: Gateway, ollama: FakeOllama) -> None:
    """It is passed on like any other line, and nothing is added after it."""
    error = b'{"error":"llama runner process has terminated"}\n'
    ollama.enqueue(LINE, error)
    assert outcome(gateway) == Outcome(200, NDJSON, LINE + error, whole=True)


def test_lines_of_any_kind_pass_byte_for_byte(gateway: Gateway, ollama: FakeOllama) -> None:
    """Whatever the content: no JSON, no UTF-8, other systems' line ends."""
    writes_lines_of_other_kinds(ollama)
    assert outcome(gateway) == Outcome(200, NDJSON, ODD_LINES + LAST, whole=True)


def test_a_line_of_a_megabyte_passes(gateway: Gateway, ollama: FakeOllama) -> None:
    """Lines have no maximum length."""
    line = b'{"message":{"content":"' + b"x" * 1024 * 1024 + b'"},"done":false}\n'
    ollama.enqueue(line, LAST)
    assert outcome(gateway) == Outcome(200, NDJSON, line + LAST, whole=True)


def test_a_character_split_at_any_byte_passes(gateway: Gateway, ollama: FakeOllama) -> None:
    """Each chunk is passed on as it came, inside a line and inside a character."""
    ollama.enqueue(*(step for byte in LINE for step in (bytes([byte]), 0.001)), LAST)
    assert outcome(gateway) == Outcome(200, NDJSON, LINE + LAST, whole=True)


def test_it_works_again_after_any_of_that(gateway: Gateway, ollama: FakeOllama) -> None:
    """No broken connection is reused for the next request."""
    dies_before_the_first_byte(ollama)
    ollama.enqueue(LINE, ending="reset")
    ollama.enqueue(LINE, LAST)
    assert [outcome(gateway).status for _ in range(2)] == [502, 200]
    assert outcome(gateway) == Outcome(200, NDJSON, LINE + LAST, whole=True)


def test_the_naive_gateway_fails_where_ollama_does(naive: Gateway, ollama: FakeOllama) -> None:
    """The control: 500 for an Ollama that died, 200 for a missing model, changed bytes."""
    dies_before_the_first_byte(ollama)
    assert outcome(naive).status == 500
    says_404(ollama)
    assert outcome(naive).status == 200
    writes_lines_of_other_kinds(ollama)
    assert outcome(naive).body != ODD_LINES + LAST


def leave(connection: socket.socket, *, by_reset: bool) -> float:
    if by_reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return time.monotonic()


def seconds_until_ollama_is_free(gateway: Gateway, ollama: FakeOllama, *, mid_stream: bool, by_reset: bool) -> float:
    ollama.forget()
    if mid_stream:
        ollama.enqueue(LINE, ending="silence")
    else:
        ollama.enqueue_no_answer("silence")
    connection = gateway.start_chat()
    if mid_stream:
        read_until(connection, LINE)
    request = ollama.wait_for_request()
    left_at = leave(connection, by_reset=by_reset)
    return request.connection.wait_until_closed() - left_at


@pytest.mark.parametrize("mid_stream", [False, True], ids=["before the first token", "mid-stream"])
def test_a_client_that_leaves_frees_ollama_every_time(
    gateway: Gateway, ollama: FakeOllama, repetitions: Repetitions, *, mid_stream: bool
) -> None:
    """Within 250 ms, whether it closes or resets the connection."""
    times = repetitions(short=20, long=100)
    freed = [
        seconds_until_ollama_is_free(gateway, ollama, mid_stream=mid_stream, by_reset=number % 2 == 1)
        for number in range(times)
    ]
    print(f"slowest of {times}: {max(freed) * 1000:.0f} ms")
    assert max(freed) <= FREES_OLLAMA_WITHIN_SECONDS


def test_the_naive_gateway_does_not_notice_a_client_that_leaves(naive: Gateway, ollama: FakeOllama) -> None:
    """The control: before the first token it keeps waiting."""
    ollama.enqueue_no_answer("silence")
    connection = naive.start_chat()
    request = ollama.wait_for_request()
    leave(connection, by_reset=False)
    with pytest.raises(AssertionError, match="did not happen"):
        request.connection.wait_until_closed()

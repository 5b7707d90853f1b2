"""What one caller, or a stranger, can do to the others: nothing noticeable."""

import http.client
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import pytest

from tests.faults.bystanders import Bystanders
from tests.faults.gateway import Gateway
from tests.faults.load import Load, paced_stream
from tests.support.fake_ollama import FakeOllama
from tests.support.fixtures import StackBeforeFake
from tests.support.stack import Stack

MEBIBYTE = 1024 * 1024
MAX_BODY = 32 * MEBIBYTE
LOGIN_LIMIT = 16 * 1024
# How much longer others may wait, at p99.
ADDED_SECONDS = 0.1
BASELINE_SECONDS = 3
MEASUREMENTS = 3
# The number of cores: with more, the test would measure how busy its senders keep the machine.
AT_ONCE = 2
PIECE_BYTES = 65_536
TIMES = 16


@pytest.fixture(scope="module")
def default_stack(running_before_fake_ollama: StackBeforeFake) -> Iterator[Stack]:
    """With the default limits, but unlimited login failures, so that every body is read."""
    with running_before_fake_ollama(LOGIN_FAILURES_PER_MINUTE="1000000") as running:
        yield running


@pytest.fixture
def stack(default_stack: Stack) -> Stack:
    return default_stack


@pytest.fixture
def gateway(stack: Stack) -> Gateway:
    return Gateway(stack.url, stack.email, stack.password)


@pytest.fixture(autouse=True)
def _answering(ollama: FakeOllama) -> Iterator[None]:
    ollama.answer_always(lambda: [b'{"model":"m","message":{"role":"assistant","content":"hi"},"done":true}\n'])
    yield
    ollama.forget()


def filled(head: bytes, one: bytes, tail: bytes, size_bytes: int) -> bytes:
    """`head`, as many of `one` as fit, and `tail`."""
    return head + one * ((size_bytes - len(head) - len(tail)) // len(one)) + tail


def different_keys(size_bytes: int) -> bytes:
    """With the last one duplicated: the search for it was quadratic."""
    keys = b"".join(b'"%d":0,' % number for number in range(size_bytes // 11))
    return b'{"a":0,' + keys + b'"z":0,"z":0}'


CHAT = b'{"model":"a","messages":['
# From any caller: a body, and the status.
BODIES: dict[str, tuple[Callable[[], bytes], int]] = {
    "two million messages that are none": (lambda: filled(CHAT, b"0,", b"0]}", 4 * MEBIBYTE), 413),
    "half a million messages that are none": (lambda: filled(CHAT, b"0,", b"0]}", MEBIBYTE), 422),
    "the most messages": (lambda: filled(CHAT, b'{"role":"user"},', b'{"role":"user"}]}', MEBIBYTE), 200),
    "messages up to the limit": (lambda: filled(CHAT, b'{"role":"user"},', b'{"role":"user"}]}', MAX_BODY), 413),
    "the most objects": (lambda: filled(CHAT[:-1] + b'[],"x":[', b'{"a":0},', b"0]}", MEBIBYTE), 200),
    "different keys": (lambda: different_keys(MEBIBYTE), 400),
    "one long text": (lambda: filled(CHAT + b'{"role":"user","content":"', b"x", b'"}]}', MAX_BODY), 200),
    "one long text of emoji": (
        lambda: filled(CHAT + b'{"role":"user","content":"', "\U0001f999".encode(), b'"}]}', MAX_BODY),
        200,
    ),
    "one long text of escapes": (lambda: filled(CHAT + b'{"role":"user","content":"', b"\\n", b'"}]}', MAX_BODY), 200),
    "many texts": (
        lambda: filled(CHAT + b'{"role":"user","images":["', b"x" * 1000 + b'","', b'"]}]}', MAX_BODY),
        200,
    ),
    "a text that does not end": (lambda: filled(CHAT + b'{"role":"', b'\\"', b"", MAX_BODY), 422),
    "quotes": (lambda: b'"' * MAX_BODY, 413),
    "depth": (lambda: b"[" * MEBIBYTE, 422),
}


def all_at_once(work: Callable[[], object], times: int = TIMES) -> Counter[object]:
    """The results of `times` calls of `work`, AT_ONCE at a time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(lambda _: work(), range(times)))


def at_the_speed_of_a_network(body: bytes) -> Iterator[bytes]:
    """60 MB a second: two of these fill a gigabit. On loopback nginx would read a body at once."""
    for start in range(0, len(body), PIECE_BYTES):
        yield body[start : start + PIECE_BYTES]
        time.sleep(PIECE_BYTES / 60_000_000)


def post(gateway: Gateway, path: str, body: bytes, **headers: str) -> int:
    """The status. On a new connection: each request is from another client."""
    connection = http.client.HTTPConnection(urlsplit(gateway.url).netloc, timeout=60)
    with closing(connection):
        headers["Content-Length"] = str(len(body))
        connection.request("POST", path, at_the_speed_of_a_network(body), headers)
        return connection.getresponse().status


def others_during(gateway: Gateway, harm: Callable[[], None], what: str) -> None:
    """Fails if others wait more than ADDED_SECONDS longer during `harm`, or are refused.

    Takes the best of a few measurements, because other programs on this machine cause delays too.
    """
    for _ in range(MEASUREMENTS):
        with Bystanders(gateway) as before:
            time.sleep(BASELINE_SECONDS)
        with Bystanders(gateway) as during:
            harm()
        assert before.failures == during.failures == []
        waits = f"{before.p99_seconds * 1000:.1f} ms, then {during.p99_seconds * 1000:.1f} ms"
        print(f"{what}: others wait {waits} (p99 of {len(during.seconds)})")
        added = during.p99_seconds - before.p99_seconds
        if added <= ADDED_SECONDS:
            return
    assert added <= ADDED_SECONDS


def processes_that_died(stack: Stack) -> list[str]:
    logs = stack.logs("nginx") + stack.logs("api")
    return [line for line in logs.splitlines() if "exited on signal" in line or "SIGKILL" in line or "TIMEOUT" in line]


@pytest.mark.parametrize("case", BODIES)
def test_a_callers_body_delays_nobody(gateway: Gateway, stack: Stack, case: str) -> None:
    """Two at a time, each with a token; no worker dies."""
    make, status = BODIES[case]
    body = make()

    def harm() -> None:
        assert set(all_at_once(lambda: post(gateway, "/chat", body, Authorization=f"Bearer {gateway.token}"))) == {
            status
        }

    others_during(gateway, harm, case)
    assert processes_that_died(stack) == []


@pytest.mark.parametrize(("size_bytes", "status"), [(LOGIN_LIMIT, 400), (MEBIBYTE, 413)])
def test_a_strangers_login_delays_nobody(gateway: Gateway, stack: Stack, size_bytes: int, status: int) -> None:
    """131,056 keys and a duplicate once blocked a worker until gunicorn killed it."""
    body = different_keys(size_bytes - 40)

    def harm() -> None:
        answers = all_at_once(lambda: post(gateway, "/login", body, **{"Content-Type": "application/json"}), TIMES * 10)
        assert set(answers) == {status}

    others_during(gateway, harm, f"login of {size_bytes} bytes")
    assert processes_that_died(stack) == []


def kilobytes_in_tmp(stack: Stack) -> int:
    """The space that bodies take in nginx."""
    return int(stack.run("exec", "--no-TTY", "nginx", "du", "-sk", "/tmp/nginx/body").split()[0])


@pytest.mark.parametrize("length", ["Content-Length: 32000000", "Transfer-Encoding: chunked"])
def test_a_strangers_large_body_is_not_taken(gateway: Gateway, stack: Stack, length: str) -> None:
    """It is refused by its headers; 34 of them would fill nginx's space for bodies."""
    head = f"POST /chat HTTP/1.1\r\nHost: localchat\r\n{length}\r\n\r\n".encode()

    def harm() -> None:
        with ExitStack() as connections:
            for _ in range(100):
                connection = connections.enter_context(gateway.connect())
                connection.sendall(head)
                assert connection.recv(1024).startswith(b"HTTP/1.1 401 ")
            assert kilobytes_in_tmp(stack) < 1024

    others_during(gateway, harm, f"strangers with {length}")


def test_strangers_that_send_small_bodies_slowly_cost_little(gateway: Gateway, stack: Stack) -> None:
    """1,200 that never end: each holds a buffer of 16 kB, and streams continue."""
    head = b"POST /chat HTTP/1.1\r\nHost: localchat\r\nContent-Length: 9999\r\n\r\n" + b"x" * 9_000

    def harm() -> None:
        with ExitStack() as connections:
            for _ in range(1_200):
                connections.enter_context(gateway.connect()).sendall(head)
            time.sleep(BASELINE_SECONDS)
            assert kilobytes_in_tmp(stack) < 1024

    others_during(gateway, harm, "1,200 small bodies that do not end")
    assert processes_that_died(stack) == []


def test_one_address_cannot_take_all_connections(gateway: Gateway) -> None:
    """Of 2,600 simultaneous requests from one address some are refused, with 429 and a message."""
    head = b"POST /v1/messages HTTP/1.1\r\nHost: localchat\r\nContent-Length: 9\r\n\r\n"
    with ExitStack() as connections:
        opened = [connections.enter_context(gateway.connect()) for _ in range(2_600)]
        for connection in opened:
            connection.sendall(head)
        answers = [answer for answer in map(what_has_come, opened) if answer]
    assert 0 < len(answers) <= 150
    assert all(answer.startswith(b"HTTP/1.1 429 ") for answer in answers)
    assert b"Retry-After: 1\r\n" in answers[0]
    assert b'"rate_limit_error"' in answers[0]


def what_has_come(connection: socket.socket) -> bytes:
    connection.settimeout(0.01)
    try:
        return connection.recv(4096)
    except TimeoutError:
        return b""


def test_known_callers_may_fill_the_room_for_bodies_and_no_more(
    gateway: Gateway, stack: Stack, ollama: FakeOllama
) -> None:
    """40 bodies of 31 MB at once: those without room get 503 in the path's dialect, and nobody's stream ends."""
    ollama.answer_always(paced_stream)
    headers = f"Host: x\r\nAuthorization: Bearer {gateway.token}\r\nContent-Length: 32000000\r\n"
    head = f"POST /api/chat HTTP/1.1\r\n{headers}\r\n"
    answers: list[bytes] = []

    def hold(connection: socket.socket) -> None:
        try:
            connection.sendall(head.encode())
            for _ in range(310):
                connection.sendall(b" " * 100_000)
            connection.settimeout(3)
            answers.append(connection.recv(4096))
        except TimeoutError:
            pass
        except OSError:
            answers.append(connection.recv(4096))

    with Load(gateway, streams=20, requests_per_second=10) as load, ExitStack() as connections:
        load.wait_until_it_runs()
        threads = [
            threading.Thread(target=hold, args=(connections.enter_context(gateway.connect()),)) for _ in range(40)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers
        assert all(answer.startswith(b"HTTP/1.1 503 ") and b'{"error":"Too many' in answer for answer in answers), (
            answers[:2]
        )
    assert load.failures == []
    assert processes_that_died(stack) == []

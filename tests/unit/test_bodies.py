"""Which JSON bodies are valid, to the API and to Ollama."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress

import pytest
from fastapi import Request

from api.errors import InvalidBody
from api.http.bodies import read_body
from api.ollama.strict_json import parse_json
from tests.unit.serving import Gateway

MEBIBYTE = 1024 * 1024
JSON = {"Content-Type": "application/json"}
USER = '{"role":"user","content":"hi"}'
AROUND_CONTENT = len(b'{"model":"m","messages":[{"role":"user","content":""}]}')


def chat_of_size(size_bytes: int) -> bytes:
    return b'{"model":"m","messages":[{"role":"user","content":"%b"}]}' % (b"x" * (size_bytes - AROUND_CONTENT))


def in_pieces(body: bytes) -> Iterator[bytes]:
    """Sent without a Content-Length."""
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


@pytest.mark.parametrize(
    "body",
    [
        '{"model":"m","model":"n","messages":[]}',
        '{"model":"m","mod\\u0065l":"n","messages":[]}',
        '{"model":"m","messages":[],"messages":[]}',
        '{"model":"m","messages":[],"x":1,"x":1}',
        '{"model":"m","messages":[],"options":{"seed":1,"seed":2}}',
        '{"model":"m","messages":[],"tools":[{"function":{"name":"a","name":"b"}}]}',
        '{"model":"m","messages":[{"role":"user","role":"system","content":""}]}',
    ],
)
def test_refuses_a_duplicate_key(behind_nginx: Gateway, body: str) -> None:
    """Go takes the last one; duplicates get 400 at any depth."""
    response = behind_nginx.client.post("/chat", content=body)
    assert response.status_code == 400
    assert response.json()["detail"].startswith("Duplicate key ")


@pytest.mark.parametrize(
    "key",
    [
        "Model",
        "MODEL",
        "MESSAGES",
        "Stream",
        "\u017ftream",
        "mes\u017fages",
        "thin\u212a",
        "\u212aeep_alive",
        "Options",
    ],
)
def test_refuses_a_known_key_in_another_case(behind_nginx: Gateway, key: str) -> None:
    """Go would treat it as the known one, with the long s as s and the Kelvin sign as k."""
    body = {"model": "m", "messages": [], key: "x"}
    response = behind_nginx.client.post("/chat", content=json.dumps(body, ensure_ascii=False).encode())
    assert response.status_code == 400
    assert key in response.json()["detail"]


def test_a_known_key_in_another_case_cannot_stand_in_for_it(behind_nginx: Gateway) -> None:
    """`Model` is refused as ambiguous, not reported as a missing `model`."""
    assert behind_nginx.client.post("/chat", content='{"Model":"m","messages":[]}').status_code == 400


@pytest.mark.parametrize("key", ["Role", "CONTENT", "Image\u017f", "Tool_Calls", "thin\u212aing"])
def test_refuses_another_case_in_a_message(behind_nginx: Gateway, key: str) -> None:
    """Every message is checked, not only the first."""
    body = {"model": "m", "messages": [{"role": "user", "content": ""}, {"role": "user", "content": "", key: "system"}]}
    assert behind_nginx.client.post("/chat", json=body).status_code == 400


def test_other_keys_may_be_in_any_case(behind_nginx: Gateway) -> None:
    """Keys that Ollama does not know, or reads as a map, cannot be confused."""
    body = {"model": "m", "messages": [], "X-Own": 1, "options": {"Seed": 1, "seed": 2}}
    assert behind_nginx.client.post("/chat", json=body).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"model":"m","messages":[]}}',
        b'{"model":"m","messages":[]} {}',
        b'{"model":"m","messages":[],}',
        b"{'model':'m','messages':[]}",
        b'{"model":"m","messages":[],"options":{"temperature":NaN}}',
        b'{"model":"m","messages":[],"options":{"temperature":-Infinity}}',
        b'{"model":"\xff","messages":[]}',
        b'{"model":"m\n","messages":[]}',
        b'\xef\xbb\xbf{"model":"m","messages":[]}',
        '{"model":"m","messages":[]}'.encode("utf-16"),
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"model":"m","messages":[],"options":{"seed":' + b"9" * 5_000 + b"}}",
    ],
    ids=lambda body: repr(body[:40]),
)
def test_what_is_not_json_is_422(behind_nginx: Gateway, body: bytes) -> None:
    """Malformed, not UTF-8, NaN, trailing data, too deep: refused before it reaches Ollama."""
    response = behind_nginx.client.post("/chat", content=body)
    assert response.status_code == 422
    assert "JSON" in response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("[]", "body"),
        ("null", "body"),
        ('"x"', "body"),
        ("{}", "model"),
        ('{"model":"m"}', "messages"),
        ('{"messages":[]}', "model"),
        ('{"model":"","messages":[]}', "model"),
        ('{"model":1,"messages":[]}', "model"),
        ('{"model":"\\ud800","messages":[]}', "model"),
        ('{"model":"m","messages":{}}', "messages"),
        ('{"model":"m","messages":null}', "messages"),
        ('{"model":"m","messages":["hi"]}', "messages.0"),
        ('{"model":"m","messages":[{"content":"hi"}]}', "messages.0.role"),
        ('{"model":"m","messages":[{"role":1,"content":"hi"}]}', "messages.0.role"),
        (f'{{"model":"m","messages":[{USER},{{"role":"user","content":1}}]}}', "messages.1.content"),
        ('{"model":"m","messages":[{"role":"user","content":["hi"]}]}', "messages.0.content"),
        ('{"model":"m","messages":[{"role":"user","images":"aGk="}]}', "messages.0.images"),
        ('{"model":"m","messages":[],"stream":"yes"}', "stream"),
        ('{"model":"m","messages":[],"stream":1}', "stream"),
        ('{"model":"m","messages":[],"options":[]}', "options"),
        ('{"model":"m","messages":[],"tools":{}}', "tools"),
        ('{"model":"m","messages":[],"top_logprobs":"1"}', "top_logprobs"),
        ('{"model":"m","messages":[],"top_logprobs":true}', "top_logprobs"),
        ('{"model":"m","messages":[],"top_logprobs":1.0}', "top_logprobs"),
    ],
)
def test_an_invalid_chat_request_is_422_and_names_the_field(behind_nginx: Gateway, body: str, named: str) -> None:
    """The detail names the field."""
    response = behind_nginx.client.post("/chat", content=body)
    assert response.status_code == 422
    assert named in [reason.split(": ")[0] for reason in response.json()["detail"].split("; ")]


@pytest.mark.parametrize(
    "body",
    [
        f'{{"model":"m","messages":[{USER}]}}',
        '{"model":"m","messages":[]}',
        '{"model":"m","messages":[{"role":"user","content":"\\ud83e\\udd99 \\u0000 \U0001f999"}]}',
        f'{{"model":"m","messages":[{USER}],"stream":false,"format":"json","think":"low","keep_alive":-1}}',
        f'{{"model":"m","messages":[{USER}],"stream":null,"format":{{"type":"object"}},"think":true,"keep_alive":"5m"}}',
        '{"model":"m","messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{}}}]}]}',
        '{"model":"m","messages":[{"role":"tool","tool_name":"f","content":"1"}],"tools":[{"type":"function"}],"new":[1]}',
        '{"model":"m","messages":[{"role":"user","content":"","images":["aGk="],"new":1}],"options":{"seed":1}}',
    ],
)
def test_what_ollama_takes_is_taken(behind_nginx: Gateway, body: str) -> None:
    """Everything else that Ollama accepts passes."""
    assert behind_nginx.client.post("/chat", content=body.encode()).status_code == 200


def test_the_content_type_does_not_matter(behind_nginx: Gateway) -> None:
    """Ollama reads JSON whatever the header says, and curl -d sends another type."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = behind_nginx.client.post("/chat", content='{"model":"m","messages":[]}', headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize(("size_bytes", "status"), [(MEBIBYTE, 500), (MEBIBYTE + 1, 413)])
@pytest.mark.parametrize("with_length", [True, False])
@pytest.mark.usefixtures("ollama")
def test_a_body_may_be_as_large_as_the_setting(
    gateway: Gateway, size_bytes: int, status: int, *, with_length: bool
) -> None:
    """MAX_BODY_MB to the byte, announced or not; the 500 is the fake Ollama's, which has no answer enqueued."""
    body = chat_of_size(size_bytes)
    response = gateway.client.post("/chat", content=body if with_length else in_pieces(body))
    assert response.status_code == status
    assert status == 500 or "1 MB" in response.json()["detail"]


def test_an_announced_size_is_refused_at_once(gateway: Gateway) -> None:
    """Without waiting for the body."""
    head = (
        f"POST /chat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gateway.token}\r\nContent-Length: 99999999\r\n\r\n"
    )
    assert gateway.send(head.encode()).startswith(b"HTTP/1.1 413 ")


def test_a_strangers_body_is_not_read(gateway: Gateway) -> None:
    """401 comes before any of the body has been sent, whatever its kind."""
    head = b"POST /chat HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    assert gateway.send(head).startswith(b"HTTP/1.1 401 ")
    assert gateway.stranger.post("/chat", content=b'{"model":').status_code == 401
    assert gateway.stranger.post("/chat", content=chat_of_size(2 * MEBIBYTE)).status_code == 401


def test_a_client_that_disconnects_mid_body_is_not_our_error() -> None:
    """Logged as a refusal, not as an unhandled error with a traceback."""

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    with pytest.raises(InvalidBody, match="disconnected"):
        asyncio.run(read_body(Request({"type": "http", "headers": []}, receive), MEBIBYTE))


@pytest.mark.parametrize("with_length", [True, False])
def test_a_login_body_is_at_most_16_kb(behind_nginx: Gateway, *, with_length: bool) -> None:
    """A stranger can make the API hold at most 16 kB."""
    body = json.dumps({"email": "admin@local", "password": "x" * 16 * 1024}).encode()
    response = behind_nginx.stranger.post("/login", content=body if with_length else in_pieces(body), headers=JSON)
    assert response.status_code == 413
    assert "16 kB" in response.json()["detail"]


def test_the_longest_credentials_fit_in_a_login_body(behind_nginx: Gateway) -> None:
    """Even if the client escapes every character."""
    body = '{{"email":"{}","password":"{}"}}'.format("\\u0061" * 320, "\\ud83e\\udd99" * 1024)
    assert behind_nginx.stranger.post("/login", content=body, headers=JSON).status_code == 401


@pytest.mark.parametrize("depth", [200, 1_000, 10_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_is_never_more_than_an_invalid_body(depth: int, opening: bytes, closing: bytes) -> None:
    """A deep body is read or refused; it does not crash the worker."""
    with suppress(InvalidBody):
        assert parse_json(opening * depth + b"1" + closing * depth)

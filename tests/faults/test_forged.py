"""What a client says of itself, where it comes from and where it shall be taken: nobody believes it."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import StackBeforeFake
from tests.e2e.stack import ROOT, Stack
from tests.fake_ollama import Answer, FakeOllama
from tests.faults.conftest import uvicorn
from tests.faults.door import CHAT, Door
from tests.unit.serving import KEY
from tests.unit.test_auth import HEADER, claims, encode, sign

FAILURES = 3
SETTINGS = {"SECRET_KEY": KEY, "ADMIN_EMAIL": "admin@local", "LOGIN_FAILURES_PER_MINUTE": str(FAILURES)}
# As README starts it. uvicorn's default is to believe X-Forwarded-For of whoever calls from this machine.
ALONE = {**SETTINGS, "UVICORN_PROXY_HEADERS": "false", "MAX_BODY_MB": "1"}
DAY_SECONDS = 86_400
FORGED_ID = "0123456789abcdef" * 2

ADDRESSES = [
    "",
    " ",
    "10.0.0.1",
    "127.0.0.1",
    "10.0.0.1, 127.0.0.1",
    "127.0.0.1:80",
    "2001:db8::1",
    "[::1]:80",
    "unknown",
    "localhost",
    '"10.0.0.1"',
    "10.0.0.1 10.0.0.2",
    '10.0.0.1","caller":"root',
    "10.0.0.1%0d%0aX-A: b",
    "a" * 7_000,
]
FORGED: dict[str, list[str]] = {
    # The first, because the API logs only those failed logins that it does not hold back.
    "X-Request-ID": [FORGED_ID, "", FORGED_ID.upper(), 'a","b":"', "a" * 7_000],
    "X-Forwarded-For": ADDRESSES,
    "X-Real-IP": ADDRESSES,
    "Forwarded": ADDRESSES,
    "x-forwarded-for": ["10.0.0.1"],
    "X_Forwarded_For": ["10.0.0.1"],
    "True-Client-IP": ["10.0.0.1"],
    "X-Client-IP": ["10.0.0.1"],
    "X-Forwarded-Proto": ["", "https", "http", "javascript", "https, http", "a b", '"', "a" * 7_000],
    "X-Forwarded-Host": ["", "evil.example", "evil.example:80", "[::1]", "a b", '"', "a" * 7_000],
    "X-Forwarded-Port": ["443"],
    "X-Forwarded-Prefix": ["/api"],
    "X-Original-URL": ["/health"],
    "X-Rewrite-URL": ["/health"],
    "X-HTTP-Method-Override": ["DELETE"],
    "X-Accel-Redirect": ["", "@ollama", "/_stored/x", "/health", "/etc/passwd", "//evil.example", "a b", "a" * 7_000],
    "X-Accel-Buffering": ["yes"],
    "X-Accel-Expires": ["3600"],
    "X-Accel-Limit-Rate": ["1"],
    "X-Accel-Charset": ["utf-16"],
    "X-Accel-Mapping": ["/=/etc/"],
    "X-Sendfile": ["/etc/passwd"],
    "X-LocalChat-Path": ["", "/api/delete", "/api/pull", "http://evil.example/"],
    "X-LocalChat-Caller": ["", "root@local"],
    "X-LocalChat-Model": ["", "llama9"],
    "Upgrade": ["h2c", "websocket"],
    "Connection": ["X-Forwarded-For, X-Request-ID, Authorization, Host"],
}
HOST = "Host: localchat"
HOSTS = ["x", "x:80", "x:", "[::1]", "[::1]:80", "evil.example", "127.0.0.1:8081", "api:8000", "a'b", "a" * 7_000]
# What is no host, nginx does not ask the API about.
NO_HOSTS = [
    "",
    ":80",
    "x:99999",
    "x:-1",
    "[::1",
    "::1",
    "a b",
    '"a"',
    "a?b",
    "a#b",
    "a/b",
    "a\\b",
    "u:p@x",
    "a..b",
    "<x>",
]


def short(text: str) -> str:
    return text if len(text) < 40 else f"{text[:10]} and so on"


# Name of a case to its headers, Host among them.
CASES = {
    **{f"{name}: {short(value)}": f"{HOST}\r\n{name}: {value}" for name, values in FORGED.items() for value in values},
    "X-Forwarded-For twice": f"{HOST}\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2",
    "Forwarded in full": f'{HOST}\r\nForwarded: for="[2001:db8::1]:80";proto=https;host=evil.example;by=10.0.0.1',
    "all at once": "\r\n".join([HOST, *(f"{name}: {values[0] or 'x'}" for name, values in FORGED.items())][:-2]),
    **{f"Host: {short(host)}": f"Host: {host}" for host in HOSTS},
}
NO_HOST_CASES = {f"Host: {short(host)}": f"Host: {host}" for host in NO_HOSTS}
# Another first line, with which the name of a host comes too.
LINES = {"absolute form": "http://evil.example{}", "absolute form with IPv6": "http://[::1]:80{}"}


@dataclass(frozen=True)
class Probe:
    """A request whose answer is known."""

    method: str
    path: str
    knows_token: bool = False
    body: bytes = b""

    def raw(self, token: str, headers: str = HOST, target: str = "{}", version: str = "1.1") -> bytes:
        lines = [f"{self.method} {target.format(self.path)} HTTP/{version}", headers, "Connection: close"]
        lines += [f"Authorization: Bearer {token}"] if self.knows_token else []
        lines += [f"Content-Length: {len(self.body)}"] if self.body else []
        return "\r\n".join([*filter(None, lines), "", ""]).encode("latin-1") + self.body


PROBES = {
    "a chat": Probe("POST", "/chat", knows_token=True, body=json.dumps(CHAT).encode()),
    "a stranger's chat": Probe("POST", "/v1/chat/completions", body=json.dumps(CHAT).encode()),
    "a file": Probe("GET", "/files/0123456789ab_x.txt", knows_token=True),
    "health": Probe("GET", "/health"),
}


@dataclass
class Seen:
    """All that one probe has led to, but for what is new each time."""

    request_id: str
    status: int
    head: list[str]
    body: bytes
    reached_ollama: list[tuple[str, str, dict[str, str], bytes]]
    logged: dict[str, object]

    def without_id(self) -> tuple[object, ...]:
        return self.status, self.head, self.body, self.reached_ollama, self.logged


def ask(door: Door, ollama: FakeOllama, raw: bytes) -> Seen:
    ollama.requests.clear()
    head, _, body = door.send_raw(raw).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    (request_id,) = [line.partition(": ")[2] for line in lines if line.lower().startswith("x-request-id:")]
    kept = sorted(line for line in lines if not line.lower().startswith(("x-request-id:", "date:")))
    reached = []
    for request in ollama.requests:
        headers = dict(request.headers)
        # Of nginx's making; the API, without nginx or for its own question, sends none.
        assert headers.pop("x-request-id", request_id) == request_id
        reached.append((request.method, request.path, headers, request.body))
    return Seen(request_id, int(first.split()[1]), kept, body, reached, {})


def add_logged(seen: list[Seen], log: str) -> None:
    """What nginx logged of each, but for times."""
    entries = [json.loads(line) for line in log.splitlines() if line.startswith('{"time"')]
    by_id = {entry.pop("request_id"): entry for entry in entries}
    for one in seen:
        entry = by_id[one.request_id]
        one.logged = {name: entry[name] for name in ("address", "caller", "method", "path", "model", "status", "bytes")}


@pytest.fixture(scope="module")
def stack(running_before_fake_ollama: StackBeforeFake) -> Iterator[Stack]:
    """nginx and the API, of this module alone: its key is known, and its limit of failed logins is soon reached."""
    with running_before_fake_ollama(**SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def alone(fake_ollama_on_the_host: FakeOllama, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    settings = {**ALONE, "OLLAMA_URL": fake_ollama_on_the_host.url}
    with uvicorn("api.main:app", tmp_path_factory.mktemp("alone"), **settings) as door:
        yield door


@pytest.fixture(scope="module", params=["behind nginx", "alone"])
def door(request: pytest.FixtureRequest, stack: Stack, alone: Door) -> Door:
    return alone if request.param == "alone" else Door(stack.url, "admin@local", stack.password)


Results = dict[tuple[str, str], Seen]


@pytest.fixture(scope="module")
def results(door: Door, stack: Stack, fake_ollama_on_the_host: FakeOllama) -> Results:
    """Every probe with every forgery, asked once; nginx's log is read once for all."""
    ollama = fake_ollama_on_the_host
    ollama.forget()
    ollama.otherwise = lambda _: Answer(200, {"Content-Type": "application/json"}, (b"{}",), "complete")
    token = sign(HEADER, claims(exp=int(time.time()) + DAY_SECONDS))
    found: Results = {}
    for name, probe in PROBES.items():
        found["nothing", name] = ask(door, ollama, probe.raw(token))
        for case, headers in {**CASES, **NO_HOST_CASES}.items():
            found[case, name] = ask(door, ollama, probe.raw(token, headers))
        for case, target in LINES.items():
            found[case, name] = ask(door, ollama, probe.raw(token, target=target))
    if door.url == stack.url:
        add_logged(list(found.values()), stack.logs("nginx"))
    return found


def of_each_probe(results: Results, case: str) -> dict[str, tuple[object, ...]]:
    return {probe: results[case, probe].without_id() for probe in PROBES}


def test_the_probes_tell_a_decision(results: Results) -> None:
    """Without a forgery: let in, kept out, not there, open to all. Ollama hears of the first and the last alone."""
    plain = [results["nothing", probe] for probe in PROBES]
    assert [seen.status for seen in plain] == [200, 401, 404, 200]
    reached = [[path for _, path, _, _ in seen.reached_ollama] for seen in plain]
    assert reached == [["/api/chat"], [], [], ["/api/version"]]


@pytest.mark.parametrize("case", [*CASES, *LINES])
def test_a_forgery_changes_nothing(results: Results, case: str) -> None:
    """Neither the decision, nor the answer, nor what reaches Ollama, nor what is logged: address, caller, path."""
    assert of_each_probe(results, case) == of_each_probe(results, "nothing")
    ids = {results[case, probe].request_id for probe in PROBES}
    assert len(ids) == len(PROBES)
    assert FORGED_ID not in ids
    assert all(re.fullmatch(r"[0-9a-f]{32}", request_id) for request_id in ids)


@pytest.mark.parametrize("case", NO_HOST_CASES)
def test_what_is_no_host_is_refused_or_ignored(results: Results, door: Door, stack: Stack, case: str) -> None:
    """nginx refuses it, and logs the address it came from; the API alone does not look at it."""
    if door.url != stack.url:
        assert of_each_probe(results, case) == of_each_probe(results, "nothing")
        return
    seen = [results[case, probe] for probe in PROBES]
    # What cannot be read under /files/ is no upload.
    assert [one.status for one in seen] == [400, 400, 404, 400]
    assert [one.reached_ollama for one in seen] == [[]] * 4
    assert {one.logged["address"] for one in seen} == {results["nothing", "health"].logged["address"]}


def test_a_host_may_be_left_out_in_http_1_0(stack: Stack, ollama: FakeOllama) -> None:
    """The one case in which it may: the answer is the same."""
    ollama.answer_always(lambda: (b"{}",))
    token = sign(HEADER, claims())
    probe, door = PROBES["a chat"], Door(stack.url, "admin@local", stack.password)
    seen = ask(door, ollama, probe.raw(token, headers="", version="1.0"))
    assert (seen.status, [body for *_, body in seen.reached_ollama]) == (200, [probe.body])


def failed_logins(url: str) -> list[int]:
    """The statuses of as many wrong passwords as there are forgeries, one forgery each."""
    body = json.dumps({"email": "admin@local", "password": "wrong"}).encode()
    door = Door(url, "", "")
    answers = (door.send_raw(Probe("POST", "/login", body=body).raw("", headers)) for headers in CASES.values())
    return [int(answer.split()[1]) for answer in answers]


@pytest.mark.parametrize("at", ["behind nginx", "alone"])
def test_a_forgery_is_no_new_address_for_the_limit(
    stack: Stack, fake_ollama_on_the_host: FakeOllama, tmp_path: Path, at: str
) -> None:
    """Whatever address a client makes up, its failed logins are counted together, and logged under its own."""
    if at == "alone":
        with uvicorn("api.main:app", tmp_path, **ALONE, OLLAMA_URL=fake_ollama_on_the_host.url) as door:
            tried = failed_logins(door.url)
    else:
        tried = failed_logins(stack.url)
        api_log = stack.logs("api")
        assert FORGED_ID not in api_log
        addresses = set(re.findall(r"failed login from ([^\"]*)", api_log))
        logged = {json.loads(line)["address"] for line in stack.logs("nginx").splitlines() if '"/login"' in line}
        assert addresses == logged
        assert len(addresses) == 1
    assert tried == [401] * FAILURES + [429] * (len(CASES) - FAILURES)


def test_uvicorns_default_believes_a_forged_address(fake_ollama_on_the_host: FakeOllama, tmp_path: Path) -> None:
    """The control: with its proxy headers on, a client on this machine guesses on with a new address each time."""
    settings = {**ALONE, "UVICORN_PROXY_HEADERS": "true", "OLLAMA_URL": fake_ollama_on_the_host.url}
    with uvicorn("api.main:app", tmp_path, **settings) as door:
        tried = failed_logins(door.url)
    assert tried.count(401) > FAILURES


def test_readme_starts_the_api_alone_without_proxy_headers() -> None:
    """Or everybody on the machine could pass by the limit of failed logins."""
    (command,) = re.findall(r"^uv run uvicorn api\.main:app.*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert "--no-proxy-headers" in command


def tampered() -> str:
    head, _, signature = sign(HEADER, claims()).split(".")
    return f"{head}.{encode(json.dumps(claims(exp=9_999_999_999)).encode())}.{signature}"


WELL_KNOWN_KEY = "your-secret-key-here"
# Made when they are sent, so that each is wrong in what its name says, and in nothing else.
BAD_TOKENS: dict[str, Callable[[], str]] = {
    "alg none": lambda: sign({"alg": "none", "typ": "JWT"}, claims()).rpartition(".")[0] + ".",
    "alg None, signed": lambda: sign({"alg": "None", "typ": "JWT"}, claims()),
    "HS512": lambda: sign({"alg": "HS512", "typ": "JWT"}, claims(), digest="sha512"),
    "crit": lambda: sign({**HEADER, "crit": ["exp"]}, claims()),
    "an embedded key": lambda: sign({**HEADER, "jwk": {"kty": "oct", "k": encode(b"x" * 32)}}, claims(), key="x" * 32),
    "a key id": lambda: sign({**HEADER, "kid": "/dev/null"}, claims(), key=""),
    "another key": lambda: sign(HEADER, claims(), key="x" * 32),
    "the well-known key": lambda: sign(HEADER, claims(), key=WELL_KNOWN_KEY),
    "tampered": tampered,
    "no signature": lambda: sign(HEADER, claims()).rpartition(".")[0] + ".",
    "expired": lambda: sign(HEADER, claims(exp=int(time.time()) - 5)),
    "not yet valid": lambda: sign(HEADER, claims(nbf=int(time.time()) + 60)),
    "without expiry": lambda: sign(HEADER, claims(exp=None)),
    "another audience": lambda: sign(HEADER, claims(aud="others")),
    "an unknown account": lambda: sign(HEADER, claims(sub="eve@local")),
}


def get_models(url: str, token: str) -> httpx.Response:
    return httpx.get(f"{url}/models", headers={"Authorization": f"Bearer {token}"}, trust_env=False)


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_a_forged_token_leads_nowhere(stack: Stack, ollama: FakeOllama, name: str) -> None:
    """401 through nginx, no caller in its log, and Ollama hears nothing."""
    response = get_models(stack.url, BAD_TOKENS[name]())
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert ollama.requests == []
    assert stack.access_log(response)["caller"] == ""


def test_the_same_token_unforged_leads_to_ollama(stack: Stack, ollama: FakeOllama) -> None:
    """So that each of the others is refused for what its name says."""
    ollama.answer_always(lambda: (b"{}",))
    response = get_models(stack.url, sign(HEADER, claims()))
    assert (response.status_code, len(ollama.requests)) == (200, 1)
    assert stack.access_log(response)["caller"] == "admin@local"


def test_the_naive_gateway_takes_a_token_of_the_well_known_key(naive: Door, ollama: FakeOllama) -> None:
    """The control: whoever has read the same examples lets themselves in, as whom they like."""
    ollama.answer_always(lambda: (b"{}",))
    token = sign(HEADER, {"sub": "root", "exp": int(time.time()) + 60}, key=WELL_KNOWN_KEY)
    assert (get_models(naive.url, token).status_code, len(ollama.requests)) == (200, 1)

"""Nothing believes what a client claims about itself, its origin or its destination."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.faults.conftest import uvicorn
from tests.faults.gateway import CHAT, Gateway
from tests.support.fake_ollama import Answer, FakeOllama
from tests.support.fixtures import StackBeforeFake
from tests.support.stack import PASSWORD, ROOT, Stack
from tests.support.tokens import HEADER, KEY, claims, encode, sign

FAILURES = 3
SETTINGS = {"SECRET_KEY": KEY, "ADMIN_EMAIL": "admin@local", "LOGIN_FAILURES_PER_MINUTE": str(FAILURES)}
# As in the README. By default uvicorn trusts X-Forwarded-For from any client on this machine.
# Not the default password, which is refused for requests that look forwarded.
ALONE = {**SETTINGS, "ADMIN_PASSWORD": PASSWORD, "UVICORN_PROXY_HEADERS": "false", "MAX_BODY_MB": "1"}
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
    # First, because the API logs only those failed logins that it does not throttle.
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
HOSTS = ["x", "x:80", "x:", "[::1]", "[::1]:80", "X.Lan.:80", "localhost.", "127.0.0.1:8081", "api:8000"]
# Anybody may have registered them.
UNKNOWN_HOSTS = ["evil.example", "evil.example.:80", "127.0.0.1.evil.example", "a'b", "a" * 7_000]
# Not host names: nginx refuses them without asking the API.
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


# Maps a case's name to its headers, including Host.
CASES = {
    **{f"{name}: {short(value)}": f"{HOST}\r\n{name}: {value}" for name, values in FORGED.items() for value in values},
    "X-Forwarded-For twice": f"{HOST}\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2",
    "Forwarded in full": f'{HOST}\r\nForwarded: for="[2001:db8::1]:80";proto=https;host=evil.example;by=10.0.0.1',
    "all at once": "\r\n".join([HOST, *(f"{name}: {values[0] or 'x'}" for name, values in FORGED.items())][:-2]),
    **{f"Host: {short(host)}": f"Host: {host}" for host in HOSTS},
}
UNKNOWN_HOST_CASES = {f"Host: {short(host)}": f"Host: {host}" for host in UNKNOWN_HOSTS}
NO_HOST_CASES = {f"Host: {short(host)}": f"Host: {host}" for host in NO_HOSTS}
# Request lines that contain a host name.
LINES = {"absolute form": "http://localchat.lan{}", "absolute form with IPv6": "http://[::1]:80{}"}
UNKNOWN_LINE = "absolute form of another host"


@dataclass(frozen=True)
class Probe:
    """A request with a known answer."""

    method: str
    path: str
    knows_token: bool = False
    body: bytes = b""

    def raw(self, token: str, headers: str = HOST, target: str = "{}", version: str = "1.1") -> bytes:
        lines = [f"{self.method} {target.format(self.path)} HTTP/{version}", headers, "Connection: close"]
        lines += [f"Authorization: Bearer {token}"] if self.knows_token else []
        lines += [f"Content-Length: {len(self.body)}", "Content-Type: application/json"] if self.body else []
        return "\r\n".join([*filter(None, lines), "", ""]).encode("latin-1") + self.body


PROBES = {
    "a chat": Probe("POST", "/chat", knows_token=True, body=json.dumps(CHAT).encode()),
    "a stranger's chat": Probe("POST", "/v1/chat/completions", body=json.dumps(CHAT).encode()),
    "a file": Probe("GET", "/files/0123456789ab_x.txt", knows_token=True),
    "health": Probe("GET", "/health"),
}


@dataclass
class Seen:
    """Everything that one probe led to, except what differs each time."""

    request_id: str
    status: int
    head: list[str]
    body: bytes
    reached_ollama: list[tuple[str, str, dict[str, str], bytes]]
    logged: dict[str, object]

    def without_id(self) -> tuple[object, ...]:
        return self.status, self.head, self.body, self.reached_ollama, self.logged


def ask(gateway: Gateway, ollama: FakeOllama, raw: bytes) -> Seen:
    ollama.requests.clear()
    head, _, body = gateway.send_raw(raw).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    (request_id,) = [line.partition(": ")[2] for line in lines if line.lower().startswith("x-request-id:")]
    kept = sorted(line for line in lines if not line.lower().startswith(("x-request-id:", "date:")))
    reached = []
    for request in ollama.requests:
        headers = dict(request.headers)
        # Set by nginx; without nginx, or for its own requests, the API sends none.
        assert headers.pop("x-request-id", request_id) == request_id
        reached.append((request.method, request.path, headers, request.body))
    return Seen(request_id, int(first.split()[1]), kept, body, reached, {})


def add_logged(seen: list[Seen], log: str) -> None:
    """What nginx logged for each, without times."""
    entries = [json.loads(line) for line in log.splitlines() if line.startswith('{"time"')]
    by_id = {entry.pop("request_id"): entry for entry in entries}
    for one in seen:
        entry = by_id[one.request_id]
        one.logged = {name: entry[name] for name in ("address", "caller", "method", "path", "model", "status", "bytes")}


@pytest.fixture(scope="module")
def stack(running_before_fake_ollama: StackBeforeFake) -> Iterator[Stack]:
    """nginx and the API, only for this module: with a known key and a low limit of failed logins."""
    with running_before_fake_ollama(**SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def alone(fake_ollama_on_the_host: FakeOllama, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    settings = {**ALONE, "OLLAMA_URL": fake_ollama_on_the_host.url}
    with uvicorn("api.main:app", tmp_path_factory.mktemp("alone"), **settings) as gateway:
        yield gateway


@pytest.fixture(scope="module", params=["behind nginx", "alone"])
def gateway(request: pytest.FixtureRequest, stack: Stack, alone: Gateway) -> Gateway:
    return alone if request.param == "alone" else Gateway(stack.url, "admin@local", stack.password)


Results = dict[tuple[str, str], Seen]


@pytest.fixture(scope="module")
def results(gateway: Gateway, stack: Stack, fake_ollama_on_the_host: FakeOllama) -> Results:
    """Every probe with every forgery, sent once; nginx's log is read once."""
    ollama = fake_ollama_on_the_host
    ollama.forget()
    ollama.otherwise = lambda _: Answer(200, {"Content-Type": "application/json"}, (b"{}",), "complete")
    token = sign(HEADER, claims(exp=int(time.time()) + DAY_SECONDS))
    found: Results = {}
    for name, probe in PROBES.items():
        found["nothing", name] = ask(gateway, ollama, probe.raw(token))
        for case, headers in {**CASES, **UNKNOWN_HOST_CASES, **NO_HOST_CASES}.items():
            found[case, name] = ask(gateway, ollama, probe.raw(token, headers))
        for case, target in LINES.items():
            found[case, name] = ask(gateway, ollama, probe.raw(token, target=target))
        found[UNKNOWN_LINE, name] = ask(gateway, ollama, probe.raw(token, target="http://evil.example{}"))
    if gateway.url == stack.url:
        add_logged(list(found.values()), stack.logs("nginx"))
    return found


def of_each_probe(results: Results, case: str) -> dict[str, tuple[object, ...]]:
    return {probe: results[case, probe].without_id() for probe in PROBES}


def test_the_probes_tell_a_decision(results: Results) -> None:
    """Without a forgery: accepted, refused, not found, public. Only the first and the last reach Ollama."""
    plain = [results["nothing", probe] for probe in PROBES]
    assert [seen.status for seen in plain] == [200, 401, 404, 200]
    reached = [[path for _, path, _, _ in seen.reached_ollama] for seen in plain]
    assert reached == [["/api/chat"], [], [], ["/api/version"]]


@pytest.mark.parametrize("case", [*CASES, *LINES])
def test_a_forgery_changes_nothing(results: Results, case: str) -> None:
    """It affects neither the decision, nor the answer, nor what reaches Ollama, nor the log: address, caller, path."""
    assert of_each_probe(results, case) == of_each_probe(results, "nothing")
    ids = {results[case, probe].request_id for probe in PROBES}
    assert len(ids) == len(PROBES)
    assert FORGED_ID not in ids
    assert all(re.fullmatch(r"[0-9a-f]{32}", request_id) for request_id in ids)


# The API accepts an empty one, and ignores the port.
HOSTS_BY_THE_API = {"Host: ", "Host: x:99999"}


def is_refused(results: Results, case: str, *statuses: int) -> bool:
    seen = [results[case, probe] for probe in PROBES]
    return [one.status for one in seen] == list(statuses) and [one.reached_ollama for one in seen] == [[]] * 4


@pytest.mark.parametrize("case", UNKNOWN_HOST_CASES)
def test_another_host_is_refused(results: Results, case: str) -> None:
    """A web page may have pointed its name at this machine; a token makes no difference."""
    assert is_refused(results, case, 421, 421, 421, 421)


def test_another_host_in_the_first_line_is_refused(results: Results, gateway: Gateway, stack: Stack) -> None:
    """For nginx it takes precedence over the header (RFC 9112, 3.2.2). uvicorn hides it, and no browser sends it."""
    if gateway.url == stack.url:
        assert is_refused(results, UNKNOWN_LINE, 421, 421, 421, 421)
    else:
        assert of_each_probe(results, UNKNOWN_LINE) == of_each_probe(results, "nothing")


@pytest.mark.parametrize("case", NO_HOST_CASES)
def test_an_invalid_host_is_refused(results: Results, gateway: Gateway, stack: Stack, case: str) -> None:
    """nginx refuses it as malformed, and logs the client's address; without nginx the API refuses it as unknown."""
    if gateway.url == stack.url:
        # A malformed request under /files/ is 404.
        assert is_refused(results, case, 400, 400, 404, 400)
        addresses = {results[case, probe].logged["address"] for probe in PROBES}
        assert addresses == {results["nothing", "health"].logged["address"]}
    elif case in HOSTS_BY_THE_API:
        assert of_each_probe(results, case) == of_each_probe(results, "nothing")
    else:
        assert is_refused(results, case, 421, 421, 421, 421)


def test_a_host_may_be_left_out_in_http_1_0(stack: Stack, ollama: FakeOllama) -> None:
    """The only case in which it may; the answer is the same."""
    ollama.answer_always(lambda: (b"{}",))
    token = sign(HEADER, claims())
    probe, gateway = PROBES["a chat"], Gateway(stack.url, "admin@local", stack.password)
    seen = ask(gateway, ollama, probe.raw(token, headers="", version="1.0"))
    assert (seen.status, [body for *_, body in seen.reached_ollama]) == (200, [probe.body])


def failed_logins(url: str) -> list[int]:
    """The statuses of one wrong password for each forgery."""
    body = json.dumps({"email": "admin@local", "password": "wrong"}).encode()
    gateway = Gateway(url, "", "")
    answers = (gateway.send_raw(Probe("POST", "/login", body=body).raw("", headers)) for headers in CASES.values())
    return [int(answer.split()[1]) for answer in answers]


@pytest.mark.parametrize("at", ["behind nginx", "alone"])
def test_a_forgery_is_no_new_address_for_the_limit(
    stack: Stack, fake_ollama_on_the_host: FakeOllama, tmp_path: Path, at: str
) -> None:
    """Whatever address a client claims, its failed logins are counted together and logged under its real one."""
    if at == "alone":
        with uvicorn("api.main:app", tmp_path, **ALONE, OLLAMA_URL=fake_ollama_on_the_host.url) as gateway:
            tried = failed_logins(gateway.url)
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
    """The control: with its proxy headers on, a client on this machine can guess on with a new address each time."""
    settings = {**ALONE, "UVICORN_PROXY_HEADERS": "true", "OLLAMA_URL": fake_ollama_on_the_host.url}
    with uvicorn("api.main:app", tmp_path, **settings) as gateway:
        tried = failed_logins(gateway.url)
    assert tried.count(401) > FAILURES


def test_readme_starts_the_api_alone_without_proxy_headers() -> None:
    """Otherwise anybody on the machine could bypass the limit of failed logins."""
    (command,) = re.findall(r"^uv run uvicorn api\.main:app.*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert "--no-proxy-headers" in command


def tampered() -> str:
    head, _, signature = sign(HEADER, claims()).split(".")
    return f"{head}.{encode(json.dumps(claims(exp=9_999_999_999)).encode())}.{signature}"


WELL_KNOWN_KEY = "your-secret-key-here"
# Made when sent, so that each is wrong only in what its name says.
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
    """401 through nginx, no caller in its log, and nothing reaches Ollama."""
    response = get_models(stack.url, BAD_TOKENS[name]())
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert ollama.requests == []
    assert stack.access_log(response)["caller"] == ""


def test_the_same_token_unforged_leads_to_ollama(stack: Stack, ollama: FakeOllama) -> None:
    """So each of the others is refused for what its name says."""
    ollama.answer_always(lambda: (b"{}",))
    response = get_models(stack.url, sign(HEADER, claims()))
    assert (response.status_code, len(ollama.requests)) == (200, 1)
    assert stack.access_log(response)["caller"] == "admin@local"


def test_the_naive_gateway_takes_a_token_of_the_well_known_key(naive: Gateway, ollama: FakeOllama) -> None:
    """The control: anyone who knows the example key can log in as anybody."""
    ollama.answer_always(lambda: (b"{}",))
    token = sign(HEADER, {"sub": "root", "exp": int(time.time()) + 60}, key=WELL_KNOWN_KEY)
    assert (get_models(naive.url, token).status_code, len(ollama.requests)) == (200, 1)

"""Login and tokens: which are accepted, and what a refusal says."""

import base64
import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import pytest

from api.accounts import tokens
from api.accounts.settings_account import SettingsAccount
from api.accounts.tokens import Tokens
from api.settings import Settings
from tests.support.tokens import HEADER, KEY, claims, encode, sign, sign_json
from tests.unit.conftest import Serve
from tests.unit.serving import PASSWORD, Gateway


def tampered() -> str:
    head, _, signature = sign(HEADER, claims()).split(".")
    return f"{head}.{encode(json.dumps(claims(exp=9_999_999_999)).encode())}.{signature}"


def unsigned(header: object) -> str:
    return sign(header, claims()).rpartition(".")[0] + "."


BAD_TOKENS = {
    "alg none": unsigned({"alg": "none", "typ": "JWT"}),
    "alg None with a signature": sign({"alg": "None", "typ": "JWT"}, claims()),
    "no signature": unsigned(HEADER),
    "HS512": sign({"alg": "HS512", "typ": "JWT"}, claims(), digest="sha512"),
    "RS256 signed with the shared key": sign({"alg": "RS256", "typ": "JWT"}, claims()),
    "no alg": sign({"typ": "JWT"}, claims()),
    "crit": sign({**HEADER, "crit": ["exp"]}, claims()),
    "an embedded key": sign({**HEADER, "jwk": {"kty": "oct", "k": encode(b"x" * 32)}}, claims(), key="x" * 32),
    "a key id": sign({**HEADER, "kid": "../../dev/null"}, claims()),
    "another key": sign(HEADER, claims(), key="x" * 32),
    "an empty key": sign(HEADER, claims(), key=""),
    "tampered payload": tampered(),
    "expired": sign(HEADER, claims(exp=int(time.time()) - 5)),
    "exp is no number": sign(HEADER, claims(exp="never")),
    "not yet valid": sign(HEADER, claims(nbf=int(time.time()) + 60)),
    "wrong audience": sign(HEADER, claims(aud="others")),
    "wrong issuer": sign(HEADER, claims(iss="others")),
    "unknown account": sign(HEADER, claims(sub="eve@local")),
    "sub is no string": sign(HEADER, claims(sub=["admin@local"])),
    **{f"without {name}": sign(HEADER, claims(**{name: None})) for name in claims()},
    "claims are a list": sign(HEADER, [claims()]),
    "header is a list": sign([HEADER], claims()),
    "two parts": sign(HEADER, claims()).rpartition(".")[0],
    "four parts": sign(HEADER, claims()) + ".",
    "five parts": sign(HEADER, claims()) + ".a.b",
    "only dots": "..",
    "not base64": "a.b.c",
    "two tokens": f"{sign(HEADER, claims())} {sign(HEADER, claims())}",
}


def get_models(gateway: Gateway, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    return gateway.stranger.get("/models", headers=headers)  # type: ignore[arg-type]


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_refuses_a_bad_token(behind_nginx: Gateway, token: str) -> None:
    """Anything but our own valid token gets 401 and a hint."""
    response = get_models(behind_nginx, f"Bearer {token}")
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "POST /login" in response.json()["detail"]


CLAIMS = [*claims(), "nbf"]
# As JSON text. Python's parser also accepts NaN and Infinity.
ODD_VALUES = [
    *("null", "true", "false", "[]", "{}", '""', '"x"', '"9999999999"', "[1]", '["admin@local"]', '{"a":1}', "1e10"),
    *("9999999999.0", "1e400", "-1e400", "NaN", "Infinity", "-Infinity", "-1", "0", "9" * 400, "9" * 5_000),
    *('"\\ud800"', '"\\u0000"', "[" * 3_000 + "]" * 3_000, '{"a":' * 3_000 + "1" + "}" * 3_000),
]
# A number of seconds, an id or a list of audiences: only we could have signed it, so it is accepted.
GOOD_ALL_THE_SAME = {
    *(("iat", value) for value in ("-1", "0")),
    *(("nbf", value) for value in ("-1", "0")),
    ("exp", "9" * 400),
    *(("jti", value) for value in ('""', '"x"', '"9999999999"', '"\\ud800"', '"\\u0000"')),
}


@pytest.mark.parametrize("value", ODD_VALUES, ids=lambda value: ascii(value[:12]))
def test_a_claim_of_any_kind_is_let_in_or_401(behind_nginx: Gateway, value: str) -> None:
    """Signed with the right key, so that only the claim is wrong: never a 500."""
    for claim in CLAIMS:
        others = json.dumps({name: good for name, good in claims().items() if name != claim})
        token = sign_json(json.dumps(HEADER), f'{others[:-1]},"{claim}":{value}}}')
        wanted = 200 if (claim, value) in GOOD_ALL_THE_SAME else 401
        assert get_models(behind_nginx, f"Bearer {token}").status_code == wanted, claim


@pytest.mark.parametrize("more", ["=", "!", "\u00e9", "\x00", "$" * 40])
def test_a_token_has_one_spelling(behind_nginx: Gateway, more: str) -> None:
    """Characters that a lenient base64 decoder ignores are refused: RFC 7515 allows no padding and no others."""
    raw = f"GET /models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {sign(HEADER, claims())}{more}\r\n\r\n"
    assert behind_nginx.send(raw.encode("latin-1"))[9:12] in (b"400", b"401")


@pytest.mark.parametrize("header", ["", "Authorization:", "Authorization: Bearer", "Authorization: Bearer  "])
def test_refuses_a_request_without_a_token(behind_nginx: Gateway, header: str) -> None:
    """No header, an empty one, or only the scheme."""
    answer = behind_nginx.send(f"GET /models HTTP/1.1\r\nHost: x\r\n{header or 'X: y'}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"www-authenticate: Bearer\r\n" in answer


@pytest.mark.parametrize("scheme", ["Basic ", "Token ", "", "Bearer:", "BearerBearer "])
def test_refuses_another_scheme(behind_nginx: Gateway, scheme: str) -> None:
    """A valid token after any scheme but `Bearer` is refused."""
    assert get_models(behind_nginx, scheme + sign(HEADER, claims())).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/models"), ("POST", "/chat"), ("POST", "/upload"), ("GET", "/files/x")]
)
def test_every_endpoint_wants_a_token(gateway: Gateway, method: str, path: str) -> None:
    """Only /login and /health are public."""
    response = gateway.stranger.request(method, path)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_accepts_a_good_token(behind_nginx: Gateway, scheme: str) -> None:
    """The scheme is case-insensitive (RFC 7235)."""
    assert get_models(behind_nginx, f"{scheme} {sign(HEADER, claims())}").status_code == 200


def test_a_remembered_token_ends_when_it_expires(behind_nginx: Gateway) -> None:
    """Caching does not extend it."""
    expires = int(time.time()) + 2
    token = sign(HEADER, claims(exp=expires))
    while time.time() < expires:
        assert get_models(behind_nginx, f"Bearer {token}").status_code == 200 or time.time() >= expires
    assert get_models(behind_nginx, f"Bearer {token}").status_code == 401


def test_only_good_tokens_are_remembered(behind_nginx: Gateway) -> None:
    """An invalid token is checked each time, and one that differs from a valid one is not in the cache."""
    good = sign(HEADER, claims())
    for token, status in [
        (good, 200),
        (good[:-2] + "xx", 401),
        (good[:-2] + "xx", 401),
        (good, 200),
    ]:
        assert get_models(behind_nginx, f"Bearer {token}").status_code == status


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many tokens there are."""
    monkeypatch.setattr(tokens, "MAX_CACHED", 3)
    settings = Settings.model_validate({"secret_key": KEY})
    own = Tokens(settings)
    for _ in range(10):
        own.verify(own.issue(SettingsAccount(settings).without_database()))
        assert len(own._cache) <= 3  # noqa: SLF001


def test_a_login_gives_a_token_that_works(behind_nginx: Gateway) -> None:
    """Its claims are those of the design, and it lives as long as configured."""
    answer = behind_nginx.log_in().json()
    assert answer.keys() == {"access_token", "token_type"}
    assert answer["token_type"] == "bearer"
    assert get_models(behind_nginx, f"Bearer {answer['access_token']}").status_code == 200
    payload = json.loads(base64.urlsafe_b64decode(answer["access_token"].split(".")[1] + "=="))
    assert payload.keys() == claims().keys() | {"epoch"}
    assert payload["exp"] - payload["iat"] == 1440 * 60


def test_no_two_tokens_are_the_same(behind_nginx: Gateway) -> None:
    """Each has its own id."""
    assert behind_nginx.log_in().json() != behind_nginx.log_in().json()


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(serve_with: Serve) -> None:
    """The answer does not reveal which accounts exist."""
    gateway = serve_with()
    wrong, unknown = gateway.log_in(password="nope"), gateway.log_in(email="eve@local")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert set(wrong.headers) == set(unknown.headers)


def test_near_misses_do_not_log_in(serve_with: Serve) -> None:
    """The password in another case, a space next to it, or a shifted border between the two."""
    gateway = serve_with()
    near = [
        ("admin @local", PASSWORD),
        ("admin@local", "Changeme"),
        ("admin@local", "changeme "),
        ("admin@localc", "hangeme"),
    ]
    assert {gateway.log_in(*credentials).status_code for credentials in near} == {401}


@pytest.mark.parametrize(
    ("set_as", "typed_as"),
    [
        ("admin@local", "Admin@Local"),
        ("admin@local", "  ADMIN@LOCAL\n"),
        ("Anna@Example.org", "anna@example.org"),
        (" anna@example.org ", "anna@example.org\u00a0"),
        ("J\u00fcrgen@example.org", "JU\u0308RGEN@EXAMPLE.ORG"),
        ("stra\u00dfe@example.org", "STRASSE@example.org"),
    ],
)
@pytest.mark.parametrize("behind_nginx", [False, True])
def test_an_address_is_the_same_however_it_is_typed(
    serve_with: Serve, set_as: str, typed_as: str, *, behind_nginx: bool
) -> None:
    """A phone capitalises the first letter; the account keeps the one spelling that was configured."""
    gateway = serve_with(admin_email=set_as, behind_nginx=behind_nginx)
    login = gateway.log_in(email=typed_as)
    assert login.status_code == 200
    token: str = login.json()["access_token"]
    assert get_models(gateway, f"Bearer {token}").status_code != 401
    assert gateway.client_with(token).get("/me").json()["email"] == set_as.strip()


@pytest.mark.parametrize(("set_as", "issued_to"), [("admin@local", "Admin@Local"), ("Admin@Local", "admin@local")])
def test_a_token_survives_another_spelling_of_its_account(serve_with: Serve, set_as: str, issued_to: str) -> None:
    """Correcting the spelling of ADMIN_EMAIL logs nobody out."""
    gateway = serve_with(admin_email=set_as, behind_nginx=True)
    assert get_models(gateway, f"Bearer {sign(HEADER, claims(sub=issued_to))}").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"null",
        b'{"email":"admin@local"}',
        b'{"email":"admin@local","password":1}',
        b'{"email":["admin@local"],"password":"changeme"}',
        b'{"email":"admin@local","password":"\\ud800"}',
        b"email=admin@local&password=changeme",
    ],
)
def test_a_malformed_login_is_422(behind_nginx: Gateway, body: bytes) -> None:
    """It says what is wrong and does not count as a failed attempt."""
    response = behind_nginx.stranger.post("/login", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert response.json()["detail"]


def log_in_with(gateway: Gateway, password: str = PASSWORD, **headers: str) -> httpx.Response:
    """With these headers in addition to JSON's; underscores stand for hyphens."""
    named = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps({"email": "admin@local", "password": password})
    return gateway.stranger.post("/login", content=body, headers=named)


@pytest.mark.parametrize(
    "kind",
    ["application/json", "application/json; charset=utf-8", "Application/JSON ;charset=UTF-8", "application/json;"],
)
def test_a_login_is_json(behind_nginx: Gateway, kind: str) -> None:
    """With or without a charset, which JSON does not need."""
    assert log_in_with(behind_nginx, Content_Type=kind).status_code == 200


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/json",
        "application/jsonp",
        "application/json, text/plain",
    ],
)
def test_what_a_page_may_send_anywhere_is_no_login(behind_nginx: Gateway, kind: str) -> None:
    """A form or plain text needs no preflight. The refusal says what to send, even if the password is right."""
    response = log_in_with(behind_nginx, Content_Type=kind)
    assert response.status_code == 415
    assert "Content-Type: application/json" in response.json()["detail"]


OWN_PAGES = [
    {},
    {"Origin": "http://127.0.0.1:@PORT@"},
    {"Origin": "https://127.0.0.1:@PORT@"},
    {"Origin": "http://localhost:5173"},
    {"Origin": "http://localhost:5173", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    # Behind a proxy that changes Host: Sec-Fetch-Site is more reliable.
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://chat.example.org"},
    {"Origin": "https://gpu-box.lan", "Host": "gpu-box.lan"},
    {"Origin": "https://gpu-box.lan", "Host": "gpu-box.lan:443"},
    {"Origin": "http://GPU-Box.lan.:8000", "Host": "gpu-box.lan:8000"},
    {"Origin": "https://gpu-box.lan:8443", "Host": "gpu-box.lan:8443"},
    {"Origin": "http://[::1]:8000", "Host": "[::1]:8000"},
]


@pytest.mark.parametrize("headers", OWN_PAGES, ids=str)
def test_programs_and_own_pages_log_in(gateway: Gateway, headers: dict[str, str]) -> None:
    """Programs send neither header; a page is our own, even if a proxy changes the scheme, or is in CORS_ORIGINS."""
    sent = {name.replace("-", "_"): value.replace("@PORT@", str(gateway.port)) for name, value in headers.items()}
    assert log_in_with(gateway, **sent).status_code == 200


FOREIGN_PAGES = [
    {"Origin": "https://evil.example"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "anything"},
    {"Sec-Fetch-Site": ""},
    # A page of another program on this machine.
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "http://127.0.0.1:@PORT@.evil.example"},
    {"Origin": "http://evil.example/127.0.0.1:@PORT@"},
    {"Origin": "null"},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "://"},
    {"Origin": "127.0.0.1:@PORT@"},
    {"Origin": "http://localhost:5173, https://evil.example"},
    {"Origin": "http://localhost:51730"},
    {"Origin": "chrome-extension://abc"},
    {"Origin": "https://" + "a" * 1_000_000},
]


@pytest.mark.parametrize("headers", FOREIGN_PAGES, ids=lambda headers: str(headers)[:60])
def test_a_page_of_somebody_elses_does_not_log_in(gateway: Gateway, headers: dict[str, str]) -> None:
    """403 with a message that names the setting, even if the password is right."""
    sent = {name.replace("-", "_"): value.replace("@PORT@", str(gateway.port)) for name, value in headers.items()}
    response = log_in_with(gateway, **sent)
    assert response.status_code == 403
    assert "CORS_ORIGINS" in response.json()["detail"]


def test_every_page_logs_in_where_every_origin_is_listed(serve_with: Serve) -> None:
    """`*` is a deliberate choice."""
    gateway = serve_with(cors_origins="*")
    assert log_in_with(gateway, Origin="https://any.example", Sec_Fetch_Site="cross-site").status_code == 200


def test_without_a_host_no_origin_is_our_own(gateway: Gateway) -> None:
    """In HTTP/1.0, which no browser uses."""
    body = b'{"email":"admin@local","password":"changeme"}'
    head = "POST /login HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: %d\r\nOrigin: null\r\n\r\n"
    assert gateway.send((head % len(body)).encode() + body).startswith(b"HTTP/1.1 403 ")


def test_what_no_password_was_compared_for_does_not_count(serve_with: Serve) -> None:
    """A page cannot use up the user's attempts with a form, from another origin, or with half a login."""
    gateway = serve_with(login_failures_per_minute=1)
    for _ in range(3):
        assert log_in_with(gateway, "nope", Content_Type="text/plain").status_code == 415
        assert log_in_with(gateway, "nope", Origin="https://evil.example").status_code == 403
        assert gateway.stranger.post("/login", json={"email": "admin@local"}).status_code == 422
    assert gateway.log_in().status_code == 200


def test_ten_failures_in_a_minute_hold_an_address_back(serve_with: Serve) -> None:
    """Then even the right password gets 429, or guessing could continue; Retry-After says for how long."""
    gateway = serve_with()
    assert {gateway.log_in(password="nope").status_code for _ in range(10)} == {401}
    for password in ("nope", PASSWORD):
        held_back = gateway.log_in(password=password)
        assert held_back.status_code == 429
        assert 1 <= int(held_back.headers["Retry-After"]) <= 60
    assert get_models(gateway, f"Bearer {sign(HEADER, claims())}").status_code != 429


def test_the_number_of_failures_is_a_setting(serve_with: Serve) -> None:
    """LOGIN_FAILURES_PER_MINUTE=1 allows one."""
    gateway = serve_with(login_failures_per_minute=1)
    assert [gateway.log_in(password="nope").status_code for _ in range(2)] == [401, 429]


def test_right_logins_are_never_held_back(serve_with: Serve) -> None:
    """A test suite may log in for each test."""
    gateway = serve_with()
    assert {gateway.log_in().status_code for _ in range(30)} == {200}


def test_failures_outlive_the_process(serve_with: Serve) -> None:
    """Other workers, and restarted ones, know of them."""
    first, second = serve_with(login_failures_per_minute=2), serve_with(login_failures_per_minute=2)
    assert [gateway.log_in(password="nope").status_code for gateway in (first, second)] == [401, 401]
    assert [gateway.log_in().status_code for gateway in (first, second)] == [429, 429]


def seconds_to_answer(gateway: Gateway, login: "Future[httpx.Response]") -> Iterator[float]:
    """How long /live takes, measured repeatedly while a login is pending."""
    while not login.done():
        started = time.monotonic()
        assert gateway.send(b"GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        yield time.monotonic() - started


def test_a_locked_file_of_failures_stops_nobody(serve_with: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """The login is refused soon, with a message; everything else continues, and the log has the reason."""
    gateway = serve_with()
    gateway.log_in()
    file = gateway.settings.state_dir / "login-failures.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("BEGIN EXCLUSIVE")
        login = pool.submit(gateway.log_in)
        slowest = max(seconds_to_answer(gateway, login))
    # Only the login waits for a second.
    assert slowest < 0.8
    assert login.result().status_code == 503
    assert "failed attempts cannot be counted" in login.result().json()["detail"]
    assert "login-failures.sqlite" in caplog.text
    assert gateway.log_in().status_code == 200


@pytest.mark.parametrize(
    "key",
    [
        f'"{"k" * 40}"',
        "-----BEGIN PUBLIC KEY----- no, a passphrase",
        "1" * 40,
        f"[{'1' * 40}]",
        "\u00e9" * 20,
    ],
)
def test_any_accepted_key_signs_tokens_that_are_accepted(serve_with: Serve, key: str) -> None:
    """python-jose reads some keys as JSON or PEM; a secret is just a secret."""
    gateway = serve_with(secret_key=key, behind_nginx=True)
    login = gateway.log_in()
    assert login.status_code == 200
    assert get_models(gateway, f"Bearer {login.json()['access_token']}").status_code == 200


def test_a_token_signed_with_the_email_as_key_is_refused(behind_nginx: Gateway) -> None:
    """Nothing public serves as the key."""
    for public in ("admin@local", "localchat", PASSWORD, hashlib.sha256(PASSWORD.encode()).hexdigest()):
        token = sign(HEADER, claims(), key=public)
        assert get_models(behind_nginx, f"Bearer {token}").status_code == 401


def test_only_nginx_is_told_who_the_caller_is(behind_nginx: Gateway) -> None:
    """X-LocalChat-Caller, for the access log, is set only if the caller is known."""
    known: Any = get_models(behind_nginx, f"Bearer {sign(HEADER, claims())}")
    assert known.headers["X-LocalChat-Caller"] == "admin@local"
    assert "X-LocalChat-Caller" not in get_models(behind_nginx, None).headers


@pytest.mark.parametrize(
    ("path", "shape"),
    [("/chat", "detail"), ("/api/chat", "error"), ("/v1/messages", "type"), ("/v1/chat/completions", "error")],
)
def test_nginx_is_told_how_to_refuse_a_caller(behind_nginx: Gateway, path: str, shape: str) -> None:
    """Before it reads a large body; in a header, because nginx drops the body of such a response."""
    answer = behind_nginx.stranger.get("/_caller", headers={"X-LocalChat-Path": path})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert json.loads(answer.headers["X-LocalChat-Refusal"]).keys() >= {shape}


def test_nginx_is_told_that_a_caller_is_known(behind_nginx: Gateway) -> None:
    """Only the caller is decided before the body has arrived."""
    assert behind_nginx.client.get("/_caller").status_code == 204

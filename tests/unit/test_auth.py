"""Login and tokens: which are accepted, and what a refusal says."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx
import pytest

from api import auth
from api.auth import Accounts, Tokens
from api.settings import Settings
from tests.unit.conftest import Serve
from tests.unit.serving import KEY, PASSWORD, Gateway

HEADER = {"alg": "HS256", "typ": "JWT"}


def claims(**changes: object) -> dict[str, object]:
    """Those of a good token, with `changes`; a claim that is None is left out."""
    now = int(time.time())
    good = {"sub": "admin@local", "iat": now, "exp": now + 60, "jti": "1f", "iss": "localchat", "aud": "localchat"}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def sign(header: object, payload: object, key: str = KEY, digest: str = "sha256") -> str:
    """A token made by hand, so that nothing keeps it from being a bad one."""
    unsigned = f"{encode(json.dumps(header).encode())}.{encode(json.dumps(payload).encode())}"
    return f"{unsigned}.{encode(hmac.digest(key.encode(), unsigned.encode(), digest))}"


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
    """Anything but a token of ours is 401, and says how to do better."""
    response = get_models(behind_nginx, f"Bearer {token}")
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "POST /login" in response.json()["detail"]


@pytest.mark.parametrize("more", ["=", "!", "\u00e9", "\x00", "$" * 40])
def test_a_token_has_one_spelling(behind_nginx: Gateway, more: str) -> None:
    """What a lenient base64 decoder skips is not skipped: RFC 7515 knows no padding and no other characters."""
    raw = f"GET /models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {sign(HEADER, claims())}{more}\r\n\r\n"
    assert behind_nginx.send(raw.encode("latin-1"))[9:12] in (b"400", b"401")


@pytest.mark.parametrize("header", ["", "Authorization:", "Authorization: Bearer", "Authorization: Bearer  "])
def test_refuses_a_request_without_a_token(behind_nginx: Gateway, header: str) -> None:
    """No header, an empty one, or the scheme alone."""
    answer = behind_nginx.send(f"GET /models HTTP/1.1\r\nHost: x\r\n{header or 'X: y'}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"www-authenticate: Bearer\r\n" in answer


@pytest.mark.parametrize("scheme", ["Basic ", "Token ", "", "Bearer:", "BearerBearer "])
def test_refuses_another_scheme(behind_nginx: Gateway, scheme: str) -> None:
    """A good token after anything but `Bearer` is none."""
    assert get_models(behind_nginx, scheme + sign(HEADER, claims())).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/models"), ("POST", "/chat"), ("POST", "/upload"), ("GET", "/files/x")]
)
def test_every_endpoint_wants_a_token(gateway: Gateway, method: str, path: str) -> None:
    """Only /login and /health are open to strangers."""
    response = gateway.stranger.request(method, path)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_accepts_a_good_token(behind_nginx: Gateway, scheme: str) -> None:
    """The scheme's case does not matter (RFC 7235)."""
    assert get_models(behind_nginx, f"{scheme} {sign(HEADER, claims())}").status_code == 200


def test_a_remembered_token_ends_when_it_expires(behind_nginx: Gateway) -> None:
    """Not a moment later, though it was good a moment ago."""
    expires = int(time.time()) + 2
    token = sign(HEADER, claims(exp=expires))
    while time.time() < expires:
        assert get_models(behind_nginx, f"Bearer {token}").status_code == 200 or time.time() >= expires
    assert get_models(behind_nginx, f"Bearer {token}").status_code == 401


def test_only_good_tokens_are_remembered(behind_nginx: Gateway) -> None:
    """A bad one is refused each time, and one that differs from a good one is another."""
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
    monkeypatch.setattr(auth, "MAX_REMEMBERED", 3)
    settings = Settings.model_validate({"secret_key": KEY})
    tokens = Tokens(settings, Accounts(settings))
    for _ in range(10):
        tokens.verify(tokens.issue("admin@local"))
        assert len(tokens._verified) <= 3  # noqa: SLF001


def test_a_login_gives_a_token_that_works(behind_nginx: Gateway) -> None:
    """Its claims are those of the design, and it lives as long as the setting says."""
    answer = behind_nginx.log_in().json()
    assert answer.keys() == {"access_token", "token_type"}
    assert answer["token_type"] == "bearer"
    assert get_models(behind_nginx, f"Bearer {answer['access_token']}").status_code == 200
    payload = json.loads(base64.urlsafe_b64decode(answer["access_token"].split(".")[1] + "=="))
    assert payload.keys() == claims().keys()
    assert payload["exp"] - payload["iat"] == 1440 * 60


def test_no_two_tokens_are_the_same(behind_nginx: Gateway) -> None:
    """Each has its own id."""
    assert behind_nginx.log_in().json() != behind_nginx.log_in().json()


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(serve_with: Serve) -> None:
    """Nobody learns from it which accounts there are."""
    gateway = serve_with()
    wrong, unknown = gateway.log_in(password="nope"), gateway.log_in(email="eve@local")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert set(wrong.headers) == set(unknown.headers)


def test_near_misses_do_not_log_in(serve_with: Serve) -> None:
    """Neither case, nor a blank, nor a shifted border between the two passes for the credentials."""
    gateway = serve_with()
    near = [
        ("ADMIN@LOCAL", PASSWORD),
        ("admin@local", "Changeme"),
        ("admin@local", "changeme "),
        ("admin@localc", "hangeme"),
    ]
    assert {gateway.log_in(*credentials).status_code for credentials in near} == {401}


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
    """It is not counted as a failed attempt, and says what is wrong."""
    response = behind_nginx.stranger.post("/login", content=body)
    assert response.status_code == 422
    assert response.json()["detail"]


def test_ten_failures_in_a_minute_hold_an_address_back(serve_with: Serve) -> None:
    """The right password too is then 429, or guessing would go on; Retry-After says for how long."""
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
    """Another worker, or one started anew, knows of them."""
    first, second = serve_with(login_failures_per_minute=2), serve_with(login_failures_per_minute=2)
    assert [gateway.log_in(password="nope").status_code for gateway in (first, second)] == [401, 401]
    assert [gateway.log_in().status_code for gateway in (first, second)] == [429, 429]


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


def test_a_token_signed_with_the_email_as_key_is_none(behind_nginx: Gateway) -> None:
    """Nothing public is the key."""
    for public in ("admin@local", "localchat", PASSWORD, hashlib.sha256(PASSWORD.encode()).hexdigest()):
        token = sign(HEADER, claims(), key=public)
        assert get_models(behind_nginx, f"Bearer {token}").status_code == 401


def test_a_caller_is_named_to_nginx_alone(behind_nginx: Gateway) -> None:
    """X-LocalChat-Caller is there for the access log when the caller is known, and only then."""
    known: Any = get_models(behind_nginx, f"Bearer {sign(HEADER, claims())}")
    assert known.headers["X-LocalChat-Caller"] == "admin@local"
    assert "X-LocalChat-Caller" not in get_models(behind_nginx, None).headers

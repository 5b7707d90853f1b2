"""A scripted OpenID Connect provider: sound unless a test says otherwise, and then wrong in that one way."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "localchat", "secret with %: and ü"
EMAIL = "member@example.org"
PERSON = {"sub": "1", "email": EMAIL, "email_verified": True, "name": "M"}
Claims = dict[str, Any]


@cache
def first_key() -> RSAKey:
    return new_key("first")


def new_key(kid: str, bits: int = 2048) -> RSAKey:
    return RSAKey.generate_key(bits, {"kid": kid})


@dataclass
class Code:
    """What it is good for, once."""

    claims: Claims
    asked: dict[str, str]


@dataclass
class FakeProvider:
    """Runs in a thread. `change_claims` and `sign` spoil an ID token, `answers` replaces what a path answers."""

    requests: list[str] = field(default_factory=list)
    answers: dict[str, bytes | int | Callable[[], None]] = field(default_factory=dict)
    change_claims: Callable[[Claims], object] = lambda _: None
    sign: Callable[[Claims], str] | None = None
    userinfo: Claims = field(default_factory=dict)
    discovery: Claims = field(default_factory=dict)
    keys: list[RSAKey | ECKey] = field(default_factory=lambda: [first_key()])
    codes: dict[str, Code] = field(default_factory=dict)

    def __enter__(self) -> Self:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.answer(self, b"")

            def do_POST(self) -> None:
                provider.answer(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def authorize(self, url: str, **claims: object) -> dict[str, str]:
        """What somebody with these claims comes back with, who was sent to `url` and logged in there."""
        asked = dict(parse_qsl(urlsplit(url).query))
        code = secrets.token_hex(8)
        self.codes[code] = Code({**PERSON, **claims}, asked)
        return {"code": code, "state": asked["state"]}

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        path = urlsplit(request.path).path
        self.requests.append(path)
        planted = self.answers.get(path)
        if callable(planted):
            planted()
            planted = None
        if isinstance(planted, int):
            status, content = planted, b'{"error":"planted"}'
        else:
            status, content = (200, planted) if planted is not None else self._sound(path, request, body)
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Location", f"{self.issuer}{path}")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def _sound(self, path: str, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        match path:
            case "/.well-known/openid-configuration":
                return 200, json.dumps(self._configuration()).encode()
            case "/jwks":
                return 200, json.dumps({"keys": [key.as_dict(private=False) for key in self.keys]}).encode()
            case "/token":
                return self._redeem(request, {name: values[0] for name, values in parse_qs(body.decode()).items()})
            case "/userinfo":
                return 200, json.dumps(self.userinfo).encode()
        return 404, b"{}"

    def _configuration(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            **({"userinfo_endpoint": f"{self.issuer}/userinfo"} if self.userinfo else {}),
            **self.discovery,
        }

    def _redeem(self, request: BaseHTTPRequestHandler, form: dict[str, str]) -> tuple[int, bytes]:
        code = self.codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        expected = "localchat:secret+with+%25%3A+and+%C3%BC"
        if (
            code is None
            or request.headers["Authorization"] != f"Basic {base64.b64encode(expected.encode()).decode()}"
            or form.get("redirect_uri") != code.asked["redirect_uri"]
            or base64.urlsafe_b64encode(challenge).decode().rstrip("=") != code.asked["code_challenge"]
        ):
            return 400, b'{"error":"invalid_grant"}'
        claims = self.claims(code)
        self.change_claims(claims)
        token = self.sign(claims) if self.sign else signed(claims, self.keys[0])
        return 200, json.dumps({"access_token": "a", "token_type": "Bearer", "id_token": token}).encode()

    def claims(self, code: Code) -> Claims:
        now = int(time.time())
        times = {"iat": now, "exp": now + 300}
        return {"iss": self.issuer, "aud": CLIENT_ID, "nonce": code.asked["nonce"], **times, **code.claims}


def signed(claims: Claims, key: RSAKey | ECKey | OctKey, algorithm: str = "RS256", **header: object) -> str:
    header = {"alg": algorithm, **({"kid": key.kid} if key.kid else {}), **header}
    return jwt.encode(header, claims, key, algorithms=[algorithm])

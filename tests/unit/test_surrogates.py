r"""Half a surrogate pair, which JSON can escape (`"\ud83c"`) and UTF-8 cannot encode: never a 500."""

import itertools
import json

import httpx
import pytest

from api.errors import ApiError
from api.ollama.allowlist import ALLOWED
from api.ollama.dialects import PREFIXES, error_response
from tests.support.fake_ollama import FakeOllama
from tests.unit.conftest import Serve
from tests.unit.serving import Gateway

HALVES = [r"a\ud83c", r"\udf00a", r"\ud83c\ud83c", r"\udf00\ud83c:latest", r"a/\ud83c:x", "x" * 199 + r"\ud83c"]
WITH_BODY = [(route.methods, route.path) for route in ALLOWED if route.check is not None] + [("POST", "/chat")]
FIELDS = ["model", "name", "source", "destination"]


def body_with(field: str, value: str) -> bytes:
    """A request that every route accepts, except for `value`, which is JSON-escaped."""
    good = {"model": "m", "source": "a", "destination": "b", "messages": []}
    members = [f'"{name}":{json.dumps(other)}' for name, other in good.items() if name != field]
    members += [f'"{field}":"{value}"']
    return ("{" + ",".join(members) + "}").encode("ascii")


def reads(answer: httpx.Response) -> bool:
    """Whether a strict parser can read it: UTF-8, without lone surrogates."""
    answer.content.decode("utf-8")
    json.dumps(answer.json(), ensure_ascii=False).encode()
    return True


@pytest.mark.parametrize("fixture", ["gateway", "behind_nginx"])
@pytest.mark.parametrize(("method", "path"), WITH_BODY)
def test_half_a_character_is_no_name_of_a_model(
    request: pytest.FixtureRequest, ollama: FakeOllama, fixture: str, method: str, path: str
) -> None:
    """422 in the path's dialect wherever a model is named; elsewhere it passes."""
    gateway: Gateway = request.getfixturevalue(fixture)
    ollama.answer_always(lambda: (b"{}",))
    looked_at = {"/api/copy": FIELDS[2:], "/chat": ["model"]}.get(path, FIELDS[:2])
    for field, half in itertools.product(FIELDS, HALVES):
        answer = gateway.client.request(method, path, content=body_with(field, half))
        assert answer.status_code == (422 if field in looked_at else 200), f"{field}={half}: {answer.text}"
        assert answer.status_code == 200 or reads(answer)


def test_a_whole_pair_is_a_character_like_others(behind_nginx: Gateway) -> None:
    """Both halves, in order."""
    answer = behind_nginx.client.post("/api/show", content=rb'{"model":"\ud83e\udd99"}')
    assert (answer.status_code, answer.headers["X-LocalChat-Model"]) == (200, "%F0%9F%A6%99")


@pytest.mark.parametrize("path", ["/chat", "/api/chat", "/v1/chat/completions", "/v1/messages", "/login"])
@pytest.mark.parametrize(
    "body",
    [
        rb'{"\ud83c":1,"\ud83c":1}',
        rb'{"model":"\ud83c:cloud","messages":[]}',
        rb'{"model":"m","messages":[],"\ud83c":1,"stream":"\ud83c"}',
        rb'{"model":"m","messages":[{"role":"\ud83c"}]}',
        rb'{"email":"\ud83c","password":"x"}',
        rb'{"email":"a","password":"\ud83c"}',
        rb'{"email":"\ud83c","email":"\ud83c"}',
        rb'"\ud83c"',
        rb'["\ud83c"',
    ],
)
def test_a_refusal_can_always_be_read(serve_with: Serve, path: str, body: bytes) -> None:
    """Whatever it quotes."""
    client = serve_with(behind_nginx=True, login_failures_per_minute=100).client
    answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 400, 403, 422)
    assert answer.status_code == 200 or reads(answer)


@pytest.mark.parametrize("path", ["/x", *PREFIXES])
def test_any_words_can_be_rendered(path: str) -> None:
    """Half a pair becomes U+FFFD, a pair in two halves the character."""
    body = error_response(ApiError("model 'a\ud83c' or \ud83e\udd99 \U0001f999 \u20ac"), path).body
    assert "model 'a\ufffd' or \U0001f999 \U0001f999 \u20ac" in bytes(body).decode()


@pytest.mark.parametrize("escaped", ["%ed%a0%bc", "%ff", "%c3", "%f0%9f"])
def test_a_path_that_is_no_text_is_not_there(gateway: Gateway, escaped: str) -> None:
    """404, as for any unknown name."""
    for path in (f"/v1/models/{escaped}", f"/files/{escaped}", f"/{escaped}", f"/api/blobs/{escaped}"):
        answer = gateway.client.get(path)
        assert answer.status_code == 404
        assert reads(answer)


def test_a_name_in_ollamas_list_can_be_anything(behind_nginx: Gateway, ollama: FakeOllama) -> None:
    """A name from the list is passed on unchanged."""
    entry = rb'{"id":"org/m:latest","owned_by":"\ud83c"}'
    ollama.enqueue(b'{"object":"list","data":[%b]}' % entry, headers={"Content-Type": "application/json"})
    assert behind_nginx.client.get("/v1/models/org/m").json() == json.loads(entry)

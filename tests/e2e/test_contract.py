"""The public contract, through the gateway, with a real model."""

import json
import time
from datetime import UTC, datetime

import httpx
import pytest

from tests.support.models import MODEL
from tests.support.stack import Stack, chat, tell_a_story


def test_a_token_is_needed(stack: Stack) -> None:
    """Every endpoint but /login and /health refuses strangers, and says how to log in."""
    for method, path in [("GET", "/models"), ("POST", "/chat"), ("POST", "/upload"), ("GET", "/files/000000000000_a")]:
        response = httpx.request(method, stack.url + path)
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer"), path
        assert "token" in response.json()["detail"]
        assert len(response.headers["X-Request-ID"]) == 32


def test_logs_in_with_the_right_password_only(stack: Stack) -> None:
    """A wrong password and an unknown user get the same 401."""
    right = httpx.post(f"{stack.url}/login", json={"email": stack.email, "password": stack.password})
    wrong = httpx.post(f"{stack.url}/login", json={"email": stack.email, "password": f"not {stack.password}"})
    unknown = httpx.post(f"{stack.url}/login", json={"email": "nobody@example.org", "password": stack.password})
    assert right.json()["token_type"] == "bearer"
    assert (wrong.status_code, wrong.json()) == (unknown.status_code, unknown.json())
    assert wrong.status_code == 401


def test_lists_the_starter_model(client: httpx.Client) -> None:
    """GET /models is Ollama's own list."""
    (model,) = [model for model in client.get("/models").json()["models"] if model["name"] == MODEL]
    assert model["details"]["family"] == "llama"
    assert model["size"] > 90_000_000


def test_answers_whole(client: httpx.Client) -> None:
    """stream: false is one JSON object."""
    response = client.post("/chat", json=chat(stream=False))
    answer = response.json()
    assert response.headers["Content-Type"].startswith("application/json")
    assert answer["done"] is True
    assert "Mercury" in answer["message"]["content"]


def test_streams_the_same_answer(client: httpx.Client) -> None:
    """The joined chunks are the answer; the last one has the statistics."""
    response = client.post("/chat", json=chat())
    chunks = [json.loads(line) for line in response.text.splitlines()]
    assert response.headers["Content-Type"] == "application/x-ndjson"
    assert (
        "".join(chunk["message"]["content"] for chunk in chunks)
        == client.post("/chat", json=chat(stream=False)).json()["message"]["content"]
    )
    assert [chunk["done"] for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1]["eval_count"] > 0


def made_at(chunk: dict[str, str]) -> float:
    """When Ollama made it, as a Unix time. Ollama writes nanoseconds; Python 3.11 reads at most 6 digits."""
    seconds, _, fraction = chunk["created_at"].removesuffix("Z").partition(".")
    return datetime.fromisoformat(seconds).replace(tzinfo=UTC).timestamp() + float(f"0.{fraction or 0}")


def test_streams_before_the_answer_is_complete(client: httpx.Client) -> None:
    """nginx passes each chunk on as it is produced.

    Checks the second chunk, because nginx always passes on at once what arrives with the headers; before the twentieth
    is made, because so many still fit into one of nginx's default buffers.
    """
    with client.stream("POST", "/chat", json=tell_a_story(num_predict=100)) as response:
        lines = response.iter_lines()
        next(lines), next(lines)
        second_arrived = time.time()
        twentieth = [json.loads(line) for line in lines][17]
    assert second_arrived < made_at(twentieth)


def test_a_missing_model_is_ollamas_own_404(client: httpx.Client) -> None:
    """Status and body are Ollama's, unchanged."""
    response = client.post("/chat", json=chat(model="no-such-model"))
    assert (response.status_code, response.json()) == (404, {"error": "model 'no-such-model' not found"})
    # A version number would reveal known vulnerabilities.
    assert response.headers["Server"] == "nginx"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"model": "a", "model": "b", "messages": []}', 400),
        ('{"Model": "a", "messages": []}', 400),
        ('{"model": "a"}', 422),
        ("not json", 422),
    ],
)
def test_an_unsound_body_does_not_reach_ollama(client: httpx.Client, body: str, status: int) -> None:
    """The API refuses it with its own message, and nginx passes nothing on."""
    response = client.post("/chat", content=body)
    assert response.status_code == status
    assert response.json()["detail"]


def test_a_body_that_is_too_large_is_a_json_413(client: httpx.Client) -> None:
    """nginx refuses it before the API sees it; a page of an allowed origin can still read why."""
    response = client.post("/chat", content=b" " * (33 * 1024 * 1024), headers={"Origin": "http://localhost:5173"})
    assert (response.status_code, response.json()) == (413, {"detail": "The body is too large."})
    assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
    assert response.headers["X-Request-ID"]


def test_a_large_body_arrives_whole(client: httpx.Client) -> None:
    """20 MB, more than nginx holds in memory, reach Ollama: its answer is about the model, not about the body."""
    body = chat(model="no-such-model")
    body["messages"][0]["images"] = ["A" * 20_000_000]
    assert client.post("/chat", json=body).json() == {"error": "model 'no-such-model' not found"}


def test_an_upload_comes_back_as_it_was(client: httpx.Client) -> None:
    """The same bytes, whole or in part, as a download."""
    text = "ä line\n".encode() * 100_000
    upload = client.post("/upload", files={"file": ("../notes (1).txt", text)}).json()
    assert upload["download_path"] == f"/files/{upload['filename']}"
    assert upload["filename"][12:] == "_notes_1_.txt"

    whole = client.get(upload["download_path"])
    part = client.get(upload["download_path"], headers={"Range": "bytes=100-199"})
    assert whole.content == text
    assert whole.headers["Content-Disposition"] == f'attachment; filename="{upload["filename"]}"'
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert (part.status_code, part.content) == (206, text[100:200])


def test_refused_uploads_say_why(client: httpx.Client) -> None:
    """Type, form and size, each with its status."""
    binary = client.post("/upload", files={"file": ("tool.txt", b"\x7fELF\x02\x01\x01" + bytes(100))})
    no_file = client.post("/upload", data={"a": "b"})
    too_large = client.post("/upload", files={"file": ("a.txt", b"a" * (100 * 1024 * 1024 + 1))})
    assert (binary.status_code, no_file.status_code, too_large.status_code) == (415, 422, 413)
    assert "MAX_UPLOAD_MB" in too_large.json()["detail"]


@pytest.mark.parametrize("name", ["..%2f..%2fetc%2fpasswd", "%2e%2e/secret_key", "000000000000_a.txt", "_stored", ""])
def test_anything_but_the_name_of_an_upload_is_not_found(client: httpx.Client, name: str) -> None:
    """Whatever the spelling."""
    response = client.get(f"/files/{name}")
    assert response.status_code == 404
    assert response.json()["detail"]


def test_nginxs_own_locations_are_not_for_clients(stack: Stack, client: httpx.Client) -> None:
    """nginx's internal locations are 404 for clients."""
    inside = ["/_stored/", "//_stored/", "/_stored//x", "/_error", "//_error", "/_bad_request", "/@ollama", "/@timeout"]
    for path in [*inside, "/@ollama_get", "/CHAT", "/_caller", "//_caller", "/_caller/"]:
        assert client.get(stack.url + path).status_code in (403, 404), path


def test_health_needs_no_token(stack: Stack) -> None:
    """The API and Ollama are up."""
    response = httpx.get(f"{stack.url}/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "ollama_url": "http://ollama:11434"})


@pytest.mark.parametrize("path", ["/login", "/models", "/chat", "/upload", "/files/x", "/health"])
def test_pages_of_the_usual_origins_may_call(stack: Stack, path: str) -> None:
    """Preflights work on every endpoint, without a token; other origins are not allowed."""
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    usual = httpx.options(stack.url + path, headers={**ask, "Origin": "http://localhost:3000"})
    strange = httpx.options(stack.url + path, headers={**ask, "Origin": "https://evil.example"})
    assert (usual.status_code, usual.headers["Access-Control-Allow-Origin"]) == (200, "http://localhost:3000")
    assert "Access-Control-Allow-Origin" not in strange.headers


def test_an_answer_that_nginx_carries_has_cors_headers_once(client: httpx.Client) -> None:
    """Ollama neither sees the origin nor adds its own headers."""
    for origin in ("http://localhost:3000", "https://evil.example"):
        response = client.post("/chat", json=chat(num_predict=1), headers={"Origin": origin})
        assert response.status_code == 200
        allowed = response.headers.get_list("Access-Control-Allow-Origin")
        assert allowed == ([origin] if origin == "http://localhost:3000" else [])


def test_the_documentation_works_offline(stack: Stack) -> None:
    """/docs loads nothing from another host."""
    page = httpx.get(f"{stack.url}/docs").text
    assert "://" not in page.replace(stack.url, "")
    assert httpx.get(f"{stack.url}/static-offline-docs/swagger-ui-bundle.js").status_code == 200
    assert httpx.get(f"{stack.url}/openapi.json").json()["components"]["securitySchemes"]


def test_the_access_log_tells_who_asked_what(stack: Stack, client: httpx.Client) -> None:
    """One JSON object per request: id, caller, model, status, times and bytes. No token."""
    response = client.post("/chat?a=b", json=chat(num_predict=1))
    entry = stack.access_log(response)
    assert (entry["caller"], entry["model"], entry["path"], entry["status"]) == (stack.email, MODEL, "/chat", 200)
    assert 0 < entry["time_to_first_byte"] <= entry["duration"]
    assert entry["bytes"] > len(response.content)
    assert stack.token not in stack.logs("nginx") + stack.logs("api")

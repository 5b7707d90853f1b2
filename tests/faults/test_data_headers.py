"""Every response except the page's and /docs' is marked as data, whether from the API, nginx, Ollama or a file."""

import httpx

from api.http.response_headers import DATA_HEADERS
from tests.faults.gateway import CHAT, Gateway
from tests.support.fake_ollama import FakeOllama


def answers(gateway: Gateway, ollama: FakeOllama) -> dict[str, httpx.Response]:
    ollama.enqueue(b"{}")
    ollama.enqueue(b'{"error":"x"}', status=500)
    ollama.enqueue_no_answer("close")
    with gateway.client() as client:
        path = client.post("/upload", files={"file": ("a.html", b"<script>alert(1)</script>")}).json()["download_path"]
        return {
            "Ollama's": client.post("/chat", json=CHAT),
            "Ollama's error": client.post("/chat", json=CHAT),
            "an error of ours": client.post("/chat", json=CHAT),
            "a file": client.get(path),
            "a part of a file": client.get(path, headers={"Range": "bytes=0-1"}),
            "no such range": client.get(path, headers={"Range": "bytes=99-"}),
            "too large": client.post("/chat", content=b"x" * 2_000_000),
            "not found": client.get("/nothing"),
            "the API's": client.get("/health"),
        }


def test_every_answer_is_data_once(gateway: Gateway, ollama: FakeOllama) -> None:
    """Not sniffed, run or framed; each header once."""
    for name, answer in answers(gateway, ollama).items():
        assert len(answer.headers.get_list("X-Request-ID")) == 1, name
        found = {header: answer.headers.get_list(header) for header in DATA_HEADERS}
        assert found == {header: [value] for header, value in DATA_HEADERS.items()}, name


def test_a_file_is_kept_for_its_own_user(gateway: Gateway, ollama: FakeOllama) -> None:
    """Its browser may cache it and revalidates; shared caches may not."""
    file = answers(gateway, ollama)["a file"]
    assert file.headers.get_list("Cache-Control") == ["private, no-cache"]
    assert file.content == b"<script>alert(1)</script>"

"""What becomes of a stream when something breaks."""

from tests.fake_ollama import FakeOllama
from tests.faults.door import CHAT, Door


def test_a_stream_passes(door: Door, ollama: FakeOllama) -> None:
    """Both doors lead to the scripted Ollama."""
    ollama.enqueue(b"a\n", 0.01, b"b\n")
    with door.client() as client:
        assert client.post("/chat", json=CHAT).content == b"a\nb\n"

"""Existing clients work unchanged, with the gateway's address and an API key."""

import gc
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.clients import python
from tests.e2e.clients.processes import ClientFailed, Llm, LlmOllama, Npm, build_npm_clients
from tests.e2e.clients.python import Client
from tests.support.models import MODEL
from tests.support.stack import FREED_WITHIN_SECONDS, Stack, until

# They leave their connections to the garbage collector, which complains at an unpredictable time.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::DeprecationWarning"
)

PYTHON: dict[str, Callable[[str, str], Client]] = {
    "ollama": python.OllamaPython,
    "openai": python.OpenAIPython,
    "anthropic": python.AnthropicPython,
    "langchain-ollama": python.LangChainOllama,
    "llama-index": python.LlamaIndex,
}
PROGRAMS = {"llm": Llm, "llm-ollama": LlmOllama}
NPM = ["ollama", "openai"]
NAMES = [*PYTHON, *PROGRAMS, *(f"npm {package}" for package in NPM)]


def make(name: str, key: str, stack: Stack, folder: Path) -> Client:
    if name in PYTHON:
        return PYTHON[name](stack.url, key)
    if name in PROGRAMS:
        return PROGRAMS[name](stack.url, key, folder)
    network = stack.network("edge")
    build_npm_clients()
    return Npm(stack.url, key, network, name.removeprefix("npm "))


@pytest.fixture(autouse=True)
def _garbage_is_collected() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture(scope="module")
def key(shared_stack: Stack) -> str:
    """An API key that may do what these clients do, and no more."""
    body = {"name": "clients", "expires_in_days": 1, "scopes": ["chat"]}
    with shared_stack.client() as client:
        made: str = client.post("/keys", json=body).raise_for_status().json()["key"]
    return made


@pytest.fixture(params=NAMES)
def client(request: pytest.FixtureRequest, stack: Stack, key: str, tmp_path: Path) -> Client:
    return make(request.param, key, stack, tmp_path)


@pytest.fixture(params=NAMES)
def stranger(request: pytest.FixtureRequest, stack: Stack, tmp_path: Path) -> Client:
    return make(request.param, "not-a-key", stack, tmp_path)


def test_lists_the_models(client: Client) -> None:
    """All but `llm`, which lists the models in its own file."""
    if type(client) is Llm:
        assert client.models() == []
    else:
        assert MODEL in client.models()


def test_asks(client: Client) -> None:
    """In one piece."""
    assert len(client.ask(MODEL)) > 10


def test_streams(client: Client) -> None:
    """Several pieces, not one."""
    assert len(list(client.stream(MODEL))) > 3


def complaint(ask: Client, model: str) -> str:
    """What a client shows its user when the gateway or Ollama refuses: the status, if it has one, and the message."""
    with pytest.raises((*python.ERRORS, ClientFailed)) as raised:
        ask.ask(model)
    error = raised.value
    return f"{getattr(error, 'status_code', '')} {error}"


def test_a_wrong_key_is_a_clear_error(stranger: Client) -> None:
    """With the status, and how to log in. llm-ollama hides the reason and reports no models."""
    words = complaint(stranger, MODEL)
    if isinstance(stranger, LlmOllama):
        assert "Unknown model" in words
    else:
        assert "401" in words
        assert "POST /login" in words


def test_a_missing_model_is_a_clear_error(client: Client) -> None:
    """Ollama's own message, in the format that the client understands."""
    words = complaint(client, "no-such-model")
    if isinstance(client, LlmOllama):
        assert "Unknown model" in words
    else:
        assert "404" in words
        assert "not found" in words


def test_stopping_mid_stream_frees_ollama(client: Client, stack: Stack) -> None:
    """Ollama stops decoding when the client disconnects."""
    before = len(stack.answer_seconds())
    started = time.monotonic()
    client.stop_amid_a_stream(MODEL)
    left_after = time.monotonic() - started
    until(lambda: len(stack.answer_seconds()) == before + 1, "Ollama stops the answer", seconds=5)
    assert stack.answer_seconds()[-1] < left_after + FREED_WITHIN_SECONDS


@pytest.fixture
def ollama_command(stack: Stack, key: str) -> "OllamaCommand":
    return OllamaCommand(stack, key)


class OllamaCommand:
    """The official `ollama` command, with the gateway as its proxy, because a proxy's URL can contain a password."""

    def __init__(self, stack: Stack, key: str) -> None:
        self._stack = stack
        self._key = key

    def __call__(self, *arguments: str, key: str | None = None) -> subprocess.CompletedProcess[str]:
        proxy = f"http://localchat:{key or self._key}@nginx:8080"
        command = ["docker", "run", "--rm", "--network", self._stack.network("edge"), "--env", f"HTTP_PROXY={proxy}"]
        image = self._stack.inspect("ollama")["Config"]["Image"]
        command += ["--env", "OLLAMA_HOST=http://ollama", image, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_ollama_command_lists_and_runs(ollama_command: OllamaCommand) -> None:
    """It needs nothing that the gateway lacks."""
    assert MODEL in ollama_command("list").stdout
    assert "134.52M" in ollama_command("show", MODEL).stdout
    assert ollama_command("run", MODEL, "Say hello.").stdout.strip()


def test_the_ollama_command_says_why_not(ollama_command: OllamaCommand) -> None:
    """A wrong key, a missing model."""
    refused = ollama_command("list", key="not-a-key")
    missing = ollama_command("show", "no-such-model")
    assert (refused.returncode, missing.returncode) == (1, 1)
    # Its message for a 401 to HEAD, which has no body that could say more.
    assert "something went wrong" in refused.stderr
    assert "not found" in missing.stderr

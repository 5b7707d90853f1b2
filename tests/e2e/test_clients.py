"""Clients that people already have work unchanged: they get the gateway's address, and the token as API key."""

import gc
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.clients import python
from tests.e2e.clients.processes import ClientFailed, Llm, LlmOllama, Npm, build_npm_clients
from tests.e2e.clients.python import Client
from tests.e2e.stack import FREED_WITHIN_SECONDS, MODEL, Stack, until

# They leave their connections to the garbage collector, which complains at a time of its own.
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


@pytest.fixture(scope="session")
def npm_clients() -> None:
    build_npm_clients()


def make(name: str, token: str, stack: Stack, folder: Path) -> Client:
    if name in PYTHON:
        return PYTHON[name](stack.url, token)
    if name in PROGRAMS:
        return PROGRAMS[name](stack.url, token, folder)
    return Npm(stack.url, token, stack.network("edge"), name.removeprefix("npm "))


@pytest.fixture(autouse=True)
def _garbage_is_collected() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture(params=NAMES)
def client(request: pytest.FixtureRequest, stack: Stack, tmp_path: Path, npm_clients: None) -> Client:  # noqa: ARG001
    return make(request.param, stack.token, stack, tmp_path)


@pytest.fixture(params=NAMES)
def stranger(request: pytest.FixtureRequest, stack: Stack, tmp_path: Path, npm_clients: None) -> Client:  # noqa: ARG001
    return make(request.param, "not-a-token", stack, tmp_path)


def test_lists_the_models(client: Client) -> None:
    """All but `llm`, which lists what its own file says."""
    if type(client) is Llm:
        assert client.models() == []
    else:
        assert MODEL in client.models()


def test_asks(client: Client) -> None:
    """A whole answer."""
    assert len(client.ask(MODEL)) > 10


def test_streams(client: Client) -> None:
    """Several pieces, not one."""
    assert len(list(client.stream(MODEL))) > 3


def complaint(ask: Client, model: str) -> str:
    """What a client tells its user when the gateway or Ollama says no: the status, if it has one, and the words."""
    with pytest.raises((*python.ERRORS, ClientFailed)) as raised:
        ask.ask(model)
    error = raised.value
    return f"{getattr(error, 'status_code', '')} {error}"


def test_a_wrong_token_is_a_clear_error(stranger: Client) -> None:
    """With the status, and how to get a token. llm-ollama swallows the reason: to it there are no models then."""
    words = complaint(stranger, MODEL)
    if isinstance(stranger, LlmOllama):
        assert "Unknown model" in words
    else:
        assert "401" in words
        assert "POST /login" in words


def test_a_missing_model_is_a_clear_error(client: Client) -> None:
    """Ollama's own words, in the shape that the client understands."""
    words = complaint(client, "no-such-model")
    if isinstance(client, LlmOllama):
        assert "Unknown model" in words
    else:
        assert "404" in words
        assert "not found" in words


def test_stopping_amid_a_stream_frees_ollama(client: Client, stack: Stack) -> None:
    """Ollama stops decoding when the client leaves."""
    before = len(stack.answer_seconds())
    started = time.monotonic()
    client.stop_amid_a_stream(MODEL)
    left_after = time.monotonic() - started
    until(lambda: len(stack.answer_seconds()) == before + 1, "Ollama ends the answer", seconds=5)
    assert stack.answer_seconds()[-1] < left_after + FREED_WITHIN_SECONDS


@pytest.fixture
def ollama_command(stack: Stack) -> "OllamaCommand":
    return OllamaCommand(stack)


class OllamaCommand:
    """The official `ollama` command, which takes the gateway for a proxy: there it can name a password."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def __call__(self, *arguments: str, token: str | None = None) -> subprocess.CompletedProcess[str]:
        proxy = f"http://localchat:{token or self._stack.token}@nginx:8080"
        command = ["docker", "run", "--rm", "--network", self._stack.network("edge"), "--env", f"HTTP_PROXY={proxy}"]
        image = self._stack.inspect("ollama")["Config"]["Image"]
        command += ["--env", "OLLAMA_HOST=http://ollama", image, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_ollama_command_lists_and_runs(ollama_command: OllamaCommand) -> None:
    """Unchanged: what it does not know of, it does not need."""
    assert MODEL in ollama_command("list").stdout
    assert "134.52M" in ollama_command("show", MODEL).stdout
    assert ollama_command("run", MODEL, "Say hello.").stdout.strip()


def test_the_ollama_command_says_why_not(ollama_command: OllamaCommand) -> None:
    """A wrong token, a missing model."""
    refused = ollama_command("list", token="not-a-token")
    missing = ollama_command("show", "no-such-model")
    assert (refused.returncode, missing.returncode) == (1, 1)
    # Its words for a 401 to HEAD, which has no body that could say more.
    assert "something went wrong" in refused.stderr
    assert "not found" in missing.stderr

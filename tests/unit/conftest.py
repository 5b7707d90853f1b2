"""The fixtures of the unit tests: a scripted Ollama, and LocalChat in both modes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from api.accounts import passwords
from api.settings import Settings
from tests.support.fake_ollama import FakeOllama
from tests.unit.serving import Gateway, serve
from tests.unit.sign_in import provider, provider_of_all, start

Serve = Callable[..., Gateway]


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in Settings.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
            monkeypatch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def _quick_hashes() -> Iterator[None]:
    """The tests log in hundreds of times; test_passwords.py uses the real ones."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(passwords, "MEMORY_KIBIBYTES", 64)
        yield


@pytest.fixture(scope="session")
def shared_ollama() -> Iterator[FakeOllama]:
    with FakeOllama() as ollama:
        yield ollama


@pytest.fixture(scope="session")
def shared_gateway(shared_ollama: FakeOllama, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with serve(tmp_path_factory.mktemp("direct"), shared_ollama.url, max_upload_mb=1, max_body_mb=1) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def shared_behind_nginx(shared_ollama: FakeOllama, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with serve(tmp_path_factory.mktemp("nginx"), shared_ollama.url, behind_nginx=True) as gateway:
        yield gateway


@pytest.fixture
def ollama(shared_ollama: FakeOllama) -> FakeOllama:
    shared_ollama.forget()
    return shared_ollama


@pytest.fixture
def gateway(shared_gateway: Gateway) -> Gateway:
    """LocalChat without nginx, with 1 MB for a body and for an upload, and no uploads yet."""
    shared_gateway.forget_uploads()
    return shared_gateway


@pytest.fixture
def behind_nginx(shared_behind_nginx: Gateway) -> Gateway:
    """LocalChat as it runs behind nginx."""
    return shared_behind_nginx


@pytest.fixture
def serve_with(tmp_path: Path, ollama: FakeOllama) -> Iterator[Serve]:
    """Starts a LocalChat for one test, with the given settings."""
    with ExitStack() as stack:

        def start(**settings: object) -> Gateway:
            ollama_url = settings.pop("ollama_url", ollama.url)
            return stack.enter_context(serve(tmp_path, str(ollama_url), **settings))

        yield start

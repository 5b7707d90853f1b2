"""Settings: the defaults, and what is refused, with the variable's name and the remedy."""

import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.accounts.signing_key import MIN_KEY_BYTES, load_or_create_key
from api.settings import Settings, is_loopback, load_settings
from tests.support.tokens import KEY

ROOT = Path(__file__).parents[2]
EXAMPLE_URL = "http://192.168.1.20:11434"


@pytest.fixture(autouse=True)
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def refusal(monkeypatch: pytest.MonkeyPatch) -> "Refusal":
    return Refusal(monkeypatch)


class Refusal:
    """Calls with settings that have to be refused; returns the message."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, **settings: str) -> str:
        for name, value in settings.items():
            self._monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as exit_:
            load_settings()
        message = exit_.value.code
        assert isinstance(message, str)
        return message


def test_the_defaults_are_those_of_the_contract() -> None:
    """Without any variable: loopback, the default account, a local Ollama."""
    settings = Settings()
    assert (settings.admin_email, settings.admin_password.get_secret_value()) == ("admin@local", "changeme")
    assert (settings.bind, settings.ollama_url) == ("127.0.0.1:8000", "http://localhost:11434")
    assert (settings.access_token_expire_minutes, settings.login_failures_per_minute) == (1440, 10)
    assert (settings.upload_quota_mb, settings.upload_retention_days) == (2048, 0)
    assert settings.behind_nginx is False


def test_the_default_origins_are_the_common_ones_of_development() -> None:
    """Both names of this machine, on four ports."""
    hosts, ports = ("localhost", "127.0.0.1"), (3000, 4200, 5173, 8080)
    assert set(Settings().cors_origins) == {f"http://{host}:{port}" for host in hosts for port in ports}


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose passes an unset variable as an empty one."""
    for name in Settings.model_fields.keys() - {"state_dir"}:
        monkeypatch.setenv(name.upper(), "")
    assert load_settings() == Settings()


def test_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the field's name in capitals."""
    monkeypatch.setenv("ADMIN_EMAIL", "me@home")
    monkeypatch.setenv("CORS_ORIGINS", " https://a.example/ ,http://b.example:81,")
    monkeypatch.setenv("OLLAMA_URL", f"{EXAMPLE_URL}/")
    settings = load_settings()
    assert settings.cors_origins == ("https://a.example", "http://b.example:81")
    assert (settings.admin_email, settings.ollama_url) == ("me@home", EXAMPLE_URL)


@pytest.mark.parametrize("key", ["x", "x" * (MIN_KEY_BYTES - 1)])
def test_refuses_a_short_secret_key(refusal: Refusal, key: str) -> None:
    """The message says how to make a better one."""
    message = refusal(SECRET_KEY=key)
    assert "SECRET_KEY is shorter than 32 bytes" in message
    assert "openssl rand -hex 32" in message


def test_a_keys_length_is_counted_in_bytes() -> None:
    """16 letters of two bytes are 32 bytes."""
    assert Settings.model_validate({"secret_key": "\u00e9" * 16}).signing_key == "\u00e9" * 16


@pytest.mark.parametrize("bind", ["0.0.0.0:8000", "8000", "[::]:8000", "192.168.1.5:8000", "0.0.0.0:0"])
def test_refuses_the_default_password_on_the_network(refusal: Refusal, bind: str) -> None:
    """Bound to anything but loopback, `changeme` does not start."""
    message = refusal(BIND=bind)
    assert "ADMIN_PASSWORD is still the public default" in message
    assert f"BIND={bind}" in message
    assert "set ADMIN_PASSWORD, or BIND=127.0.0.1:8000" in message


def test_refuses_the_default_password_written_out(refusal: Refusal) -> None:
    """Setting it explicitly is not changing it."""
    assert "ADMIN_PASSWORD" in refusal(BIND="0.0.0.0:8000", ADMIN_PASSWORD="changeme")


def test_refuses_a_short_password_on_the_network(refusal: Refusal) -> None:
    """Ten guesses a minute would find it; the message states the minimum length."""
    message = refusal(BIND="0.0.0.0:8000", ADMIN_PASSWORD="x" * 9)
    assert "ADMIN_PASSWORD is shorter than 10 characters" in message
    assert "BIND=0.0.0.0:8000" in message


@pytest.mark.parametrize(("bind", "password"), [("0.0.0.0:8000", "x" * 10), ("127.0.0.1:8000", "x")])
def test_allows_a_long_password_anywhere_and_any_at_home(
    monkeypatch: pytest.MonkeyPatch, bind: str, password: str
) -> None:
    """On loopback any password is allowed."""
    monkeypatch.setenv("BIND", bind)
    monkeypatch.setenv("ADMIN_PASSWORD", password)
    assert load_settings().admin_password.get_secret_value() == password


@pytest.mark.parametrize("bind", ["127.0.0.1:8000", "[::1]:8000", "127.0.0.2:0"])
def test_allows_the_default_password_at_home(monkeypatch: pytest.MonkeyPatch, bind: str) -> None:
    """On loopback it logs in."""
    monkeypatch.setenv("BIND", bind)
    assert load_settings().bind == bind


def test_allows_the_network_with_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else is needed."""
    monkeypatch.setenv("BIND", "0.0.0.0:8000")
    monkeypatch.setenv("ADMIN_PASSWORD", "a password of one's own")
    assert load_settings().bind == "0.0.0.0:8000"


@pytest.mark.parametrize(
    ("bind", "expected"),
    [
        ("127.0.0.1:8000", True),
        ("127.9.9.9:8000", True),
        ("[::1]:8000", True),
        ("localhost:8000", True),
        ("127.0.0.1:0", True),
        ("0.0.0.0:8000", False),
        ("[::]:8000", False),
        ("8000", False),
        (":8000", False),
        ("", False),
        ("10.0.0.1:8000", False),
        ("localhost.example:8000", False),
        ("127.0.0.1.example:8000", False),
        ("1270.0.0.1:8000", False),
    ],
)
def test_knows_what_is_bound_to_loopback(bind: str, *, expected: bool) -> None:
    """A bare port is every interface, as in Compose."""
    assert is_loopback(bind) is expected


@pytest.mark.parametrize(
    "name",
    [
        "ACCESS_TOKEN_EXPIRE_MINUTES",
        "LOGIN_FAILURES_PER_MINUTE",
        "OLLAMA_TIMEOUT_SECONDS",
        "MAX_BODY_MB",
        "MAX_UPLOAD_MB",
    ],
)
@pytest.mark.parametrize("value", ["-1", "0", "many", "nan"])
def test_refuses_an_invalid_or_non_positive_number(refusal: Refusal, name: str, value: str) -> None:
    """The message names the variable and says what it should be."""
    message = refusal(**{name: value})
    assert name in message
    assert "greater than" in message or "valid" in message


@pytest.mark.parametrize("name", ["UPLOAD_QUOTA_MB", "UPLOAD_RETENTION_DAYS"])
def test_nought_is_no_limit(refusal: Refusal, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Less than that is refused."""
    monkeypatch.setenv(name, "0")
    assert getattr(Settings(), name.lower()) == 0
    for value in ("-1", "1.5", "many"):
        assert name in refusal(**{name: value})


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host",
        "localhost:11434",
        "host",
        "http://",
        "http://host/path",
        "http://host:11434/?x=1",
        "http://host/#x",
        "http://user@host",
        "http://user:hunter2@host:11434",
        "http://:hunter2@host:11434",
        "http://host:0",
        "http://host:99999",
        "http://host:port",
        "http://[::1",
        "http://ho st",
        "http://ho;st",
        "http://host:11434;",
    ],
)
def test_refuses_an_invalid_ollama_url(refusal: Refusal, url: str) -> None:
    """The message has the variable and an example, and no password."""
    message = refusal(OLLAMA_URL=url)
    assert "OLLAMA_URL" in message
    assert EXAMPLE_URL in message
    assert "hunter2" not in message


@pytest.mark.parametrize("url", [EXAMPLE_URL, "https://ollama.example", "http://[::1]:11434", "http://my_ollama:1"])
def test_accepts_an_ollama_url(url: str) -> None:
    """With or without a port, by name or address."""
    assert Settings(ollama_url=url).ollama_url == url


@pytest.mark.parametrize("origins", ["localhost:3000", "http://a b", "http://a/path", "*.example", "app://", "file://"])
def test_refuses_invalid_origins(refusal: Refusal, origins: str) -> None:
    """The message shows a valid one."""
    message = refusal(CORS_ORIGINS=origins)
    assert "CORS_ORIGINS" in message
    assert "scheme://host[:port]" in message


@pytest.mark.parametrize(
    ("value", "hosts"),
    [
        ("chat.example.org", ("chat.example.org",)),
        (" Chat.Example.Org:8443 ,*.example.net.,,", ("chat.example.org", "*.example.net")),
        ("localhost,127.0.0.1,[::1],gpu-box", ("localhost", "127.0.0.1", "[::1]", "gpu-box")),
        ("xn--mller-kva.example", ("xn--mller-kva.example",)),
    ],
)
def test_allowed_hosts_are_names(monkeypatch: pytest.MonkeyPatch, value: str, hosts: tuple[str, ...]) -> None:
    """Ports, case, trailing dots and spaces do not matter."""
    monkeypatch.setenv("ALLOWED_HOSTS", value)
    assert load_settings().allowed_hosts == hosts


@pytest.mark.parametrize(
    "hosts",
    [
        "*",
        "*.org",
        "*chat.example.org",
        "a.*.example.org",
        ".example.org",
        "https://chat.example.org",
        "a b.example",
        "chat.example.org/",
        "chat..example.org",
        "m\u00fcller.example",
        "chat.example.org;",
        "u@chat.example.org",
    ],
)
def test_refuses_invalid_hosts(refusal: Refusal, hosts: str) -> None:
    """`*` is not allowed: it would admit every web page."""
    message = refusal(ALLOWED_HOSTS=hosts)
    assert "ALLOWED_HOSTS" in message
    assert "*.example.org" in message


def test_the_origin_of_nobody_in_particular_is_refused(refusal: Refusal) -> None:
    """`null` is sent by any sandboxed page; the message says so."""
    message = refusal(CORS_ORIGINS="http://localhost:3000,null")
    assert "CORS_ORIGINS lists 'null', which is the origin of any sandboxed page" in message


def test_a_password_that_no_login_can_carry_is_refused(refusal: Refusal) -> None:
    """POST /login takes at most 1024 characters; a longer ADMIN_PASSWORD could never log in."""
    assert "ADMIN_PASSWORD" in refusal(ADMIN_PASSWORD="x" * 1025)


@pytest.mark.parametrize("email", [" ", "\t", "a" * 321])
def test_an_address_that_no_login_can_carry_is_refused(refusal: Refusal, email: str) -> None:
    """Surrounding spaces do not count, so only spaces is empty."""
    assert "ADMIN_EMAIL" in refusal(ADMIN_EMAIL=email)


def test_all_mistakes_are_reported_at_once(refusal: Refusal) -> None:
    """Five mistakes do not take five starts to find."""
    message = refusal(SECRET_KEY="x", OLLAMA_URL="x", MAX_UPLOAD_MB="-1")
    assert all(name in message for name in ("SECRET_KEY", "OLLAMA_URL", "MAX_UPLOAD_MB"))


def test_a_refusal_shows_no_secret(tmp_path: Path) -> None:
    """The process exits with one message on stderr: no traceback, password or key."""
    environment = {
        "PATH": os.environ["PATH"],
        "STATE_DIR": str(tmp_path),
        "SECRET_KEY": "hunter1",
        "ADMIN_PASSWORD": "hunter2" * 2_000,
        "MAX_UPLOAD_MB": "hunter3",
    }
    command = [sys.executable, "-c", "from api.main import app"]
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "LocalChat does not start" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hunter" not in ended.stdout + ended.stderr


def test_settings_do_not_print_their_secrets() -> None:
    """Neither in a log nor in a debugger."""
    settings = Settings.model_validate({"secret_key": KEY, "admin_password": "hunter2"})
    assert KEY not in repr(settings)
    assert "hunter2" not in repr(settings)


def test_a_key_is_made_once_and_kept(state_dir: Path) -> None:
    """Long enough, readable only by its owner, the same after a restart, with no other file next to it."""
    first, again = load_settings().signing_key, load_settings().signing_key
    assert first == again
    assert len(first) >= MIN_KEY_BYTES
    assert [path.name for path in state_dir.iterdir()] == ["secret_key"]
    assert (state_dir / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_set_key_is_used_and_nothing_is_kept(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SECRET_KEY takes precedence over the stored one."""
    monkeypatch.setenv("SECRET_KEY", KEY)
    assert load_settings().signing_key == KEY
    assert not state_dir.exists()


@pytest.mark.parametrize("example", ["your-secret-key-here", "changeme", "secret"])
def test_an_example_key_counts_as_unset(monkeypatch: pytest.MonkeyPatch, state_dir: Path, example: str) -> None:
    """Anybody could sign tokens with it."""
    monkeypatch.setenv("SECRET_KEY", example)
    assert load_settings().signing_key == (state_dir / "secret_key").read_text()


@pytest.mark.parametrize("example", ["your-secret-key-here", "changeme", "secret"])
def test_the_log_says_that_an_example_key_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    example: str,
) -> None:
    """The log says that the variable has no effect."""
    monkeypatch.setenv("SECRET_KEY", example)
    with caplog.at_level(logging.INFO):
        load_settings()
    output = capfd.readouterr()
    assert "SECRET_KEY" in caplog.text + output.out + output.err


def test_all_who_ask_at_once_get_the_same_key(tmp_path: Path) -> None:
    """Workers that start together accept each other's tokens."""
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(load_or_create_key, [tmp_path / "new" / "secret_key"] * 64))
    assert len(keys) == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret_key"]


@pytest.mark.parametrize("damaged", [b"", b"short", b"\xff\xfe\x00" * 20])
def test_a_damaged_key_file_is_reported(refusal: Refusal, state_dir: Path, damaged: bytes) -> None:
    """The message names the file, and says that deleting it helps."""
    state_dir.mkdir()
    (state_dir / "secret_key").write_bytes(damaged)
    message = refusal()
    assert str(state_dir / "secret_key") in message
    assert "delete it" in message


def test_an_unusable_state_folder_is_reported(refusal: Refusal, tmp_path: Path) -> None:
    """The message has both remedies: SECRET_KEY and STATE_DIR."""
    (tmp_path / "file").touch()
    message = refusal(STATE_DIR=str(tmp_path / "file" / "state"))
    assert "SECRET_KEY" in message
    assert "STATE_DIR" in message

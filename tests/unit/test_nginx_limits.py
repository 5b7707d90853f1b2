"""nginx and the API have the same limits and timeouts."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from api.accounts.bodies import MAX_BODY_BYTES
from api.http.lingering import LINGER_SECONDS, PAUSE_SECONDS
from api.ollama.client import CONNECT_TIMEOUT_SECONDS
from api.settings import Settings
from tests.unit.data_plane import GIBIBYTE, ROOT, Configuration, Container

UNITS = {"": 1, "k": 1024, "m": 1024 * 1024}
FOR_OLLAMA = "~ ^/(api/|v1/|(chat|chat/completions|completions|embeddings|responses|messages)/?$)"
UPLOAD = "~ ^/upload/?$"
WITHOUT_LIMIT = {"= /_error", "= /_no_such_range", "= /_bad_request", "/_caller"}  # checked before


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    container = Container(tmp_path_factory.mktemp("nginx") / "root")
    return Configuration(container.render(MAX_BODY_MB="7", MAX_UPLOAD_MB="9", OLLAMA_TIMEOUT_SECONDS="123"))


def size(text: str) -> int:
    unit = text.lstrip("0123456789")
    return int(text.removesuffix(unit)) * UNITS[unit]


def test_a_login_may_be_as_long(nginx: Configuration) -> None:
    """As the API accepts."""
    assert size(nginx.locations["/"].value("client_max_body_size")) == MAX_BODY_BYTES


def test_a_chat_may_be_as_long_as_the_setting_says(nginx: Configuration) -> None:
    """MAX_BODY_MB, wherever a chat is accepted."""
    assert {nginx.locations[name].value("client_max_body_size") for name in (FOR_OLLAMA, "@large_body")} == {"7m"}


def test_an_upload_may_be_as_long_as_the_setting_says(nginx: Configuration) -> None:
    """MAX_UPLOAD_MB and the multipart envelope."""
    assert nginx.locations[UPLOAD].value("client_max_body_size") == "10m"


def test_nothing_else_takes_a_large_body(nginx: Configuration) -> None:
    """A new location has the small limit, unless this test lists it."""
    others = set(nginx.locations) - {FOR_OLLAMA, "@large_body", UPLOAD} - WITHOUT_LIMIT
    assert {nginx.locations[name].value("client_max_body_size") for name in others} == {"16k"}
    assert {nginx.locations[name].value("client_max_body_size") for name in WITHOUT_LIMIT} == {"0"}


def accepts(**settings: str) -> bool:
    """Whether the API starts with these settings."""
    try:
        Settings.model_validate({name.lower(): value for name, value in settings.items()})
    except ValidationError:
        return False
    return True


def tmp_bytes() -> int:
    """The size of nginx's /tmp in Compose."""
    (size_gib,) = re.findall(r'tmpfs: \["/tmp:size=(\d+)g,uid=10002', (ROOT / "docker-compose.yml").read_text())
    return int(size_gib) * GIBIBYTE


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("MAX_BODY_MB", "1", True),
        ("MAX_BODY_MB", "256", True),
        ("MAX_BODY_MB", "257", False),
        ("MAX_BODY_MB", "0", False),
        ("MAX_BODY_MB", "-1", False),
        ("MAX_BODY_MB", "a", False),
        ("MAX_BODY_MB", "1.5", False),
        ("MAX_UPLOAD_MB", "1", True),
        ("MAX_UPLOAD_MB", "102400", True),
        ("MAX_UPLOAD_MB", "0", False),
        ("MAX_UPLOAD_MB", "x|y", False),
        ("OLLAMA_TIMEOUT_SECONDS", "1", True),
        ("OLLAMA_TIMEOUT_SECONDS", "0", False),
        ("OLLAMA_TIMEOUT_SECONDS", "1s", False),
        ("OLLAMA_TIMEOUT_SECONDS", "600; return 200", False),
    ],
)
def test_a_limit_is_accepted_by_both(tmp_path: Path, name: str, value: str, *, accepted: bool) -> None:
    """Otherwise one of the two would not start, or none would report the setting."""
    container = Container(tmp_path / "root", machine={"df": f"tmpfs {tmp_bytes() // 1024} 0 0 0% /tmp"})
    refusal = container.refusal(**{name: value})
    assert (refusal == "") is accepts(**{name: value}) is accepted
    assert accepted or name in refusal


def test_a_silent_ollama_is_given_up_at_the_same_time(nginx: Configuration) -> None:
    """OLLAMA_TIMEOUT_SECONDS for a response, five seconds for a connection."""
    for location in nginx.leading_to("http://ollama").values():
        assert location.value("proxy_read_timeout") == "123s"
        assert location.value("proxy_connect_timeout") == f"{CONNECT_TIMEOUT_SECONDS}s"


def test_an_api_that_is_away_is_noticed_at_once(nginx: Configuration) -> None:
    """It is on this machine; a later failure is not retried."""
    for upstream in ("http://api", "http://api_afresh"):
        for location in nginx.leading_to(upstream).values():
            assert location.value("proxy_connect_timeout") == "500ms"
            assert location.value("proxy_next_upstream_timeout") == "1s"
            assert location.value("proxy_read_timeout") == "60s"


def test_a_refused_body_is_listened_to_as_long(nginx: Configuration) -> None:
    """The same as without nginx."""
    assert nginx.http.value("lingering_time") == f"{LINGER_SECONDS // 60}m"
    assert nginx.http.value("lingering_timeout") == f"{PAUSE_SECONDS}s"


def test_a_slow_client_does_not_hold_a_connection_forever(nginx: Configuration) -> None:
    """Headers, a chat's body, and a stalled reader."""
    assert nginx.http.value("client_header_timeout") == "15s"
    assert nginx.locations["/"].value("client_body_timeout") == "15s"
    assert nginx.locations[FOR_OLLAMA].value("client_body_timeout") == "15s"
    assert nginx.http.value("send_timeout") == "60s"
    assert nginx.http.value("reset_timedout_connection") == "on"


def test_one_address_cannot_take_all_connections(nginx: Configuration) -> None:
    """Others get through; this one is told to try again."""
    assert (nginx.server.value("limit_conn"), nginx.server.value("limit_conn_status")) == ("address 2500", "429")
    assert nginx.http.value("large_client_header_buffers") == "2 40k"

"""nginx's own errors have the API's messages and formats."""

import json
import re

import pytest

from api.errors import OllamaSilent, OllamaUnavailable, RangeNotInFile
from api.http.response_headers import DATA_HEADERS
from api.main import EXPOSED_HEADERS
from api.ollama.dialects import ERROR_TYPES, Dialect, dialect_of, error_body
from tests.unit.data_plane import Configuration, Container, Directive

# Those that nginx returns (ngx_http_special_response.c), except redirects and the four with their own location.
STATUSES = "401 403 404 405 408 411 412 413 414 415 417 421 429 431 495 496 497 500 501 502 503 505 507"
OTHER_PAGES = {
    ("400", "=", "/_bad_request"),
    ("416", "/_no_such_range"),
    ("494", "=431", "/_error"),
    ("504", "=", "@timeout"),
}
PATHS = [
    *("/", "/chat", "/api", "/api/", "/api/chat", "/apis/x", "/v1", "/v1/", "/v1/models", "/v1x", "/API/chat"),
    *("/v1/messages", "/v1/messages/", "/v1/messages/count_tokens", "/v1/message", "/v1/messagesx", "/v1/x/messages"),
    *("/x/api/", "/x/v1/", "/files/v1/", "/v2/x"),
]


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    return Configuration(Container(tmp_path_factory.mktemp("nginx") / "root").render())


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_of_the_same_protocol(nginx: Configuration, path: str) -> None:
    """In nginx and in the API; nginx sees the path before repeated slashes are merged."""
    assert nginx.map("$protocol")[path] == dialect_of(path).value
    assert nginx.map("$protocol")[path.replace("/", "///")] == dialect_of(path).value


@pytest.mark.parametrize("protocol", Dialect)
@pytest.mark.parametrize("status", [400, *ERROR_TYPES, 413, 421, 431, 500, 502, 507])
def test_an_error_has_the_same_shape(nginx: Configuration, protocol: Dialect, status: int) -> None:
    """In each protocol, with the same type."""
    body = nginx.map("$worded_error")[protocol.value]
    filled_in = body.replace("$error_type", nginx.map("$error_type")[str(status)]).replace("$error_detail", "why")
    assert json.loads(filled_in) == error_body(protocol, status, "why")


def words(nginx: Configuration, status: int) -> str:
    """The message of an error from the request to Ollama."""
    upstream = {"$asked_upstream": nginx.map("$asked_upstream")["/api/chat"]}
    limit = {"$time_limit": nginx.map("$time_limit")["/api/chat"]}
    text = nginx.map("$error_detail")[str(status)]
    return re.sub(r"\$\w+", lambda found: {**upstream, **limit}[found[0]], text)


def test_the_api_has_the_same_words(nginx: Configuration) -> None:
    """For an unreachable or silent Ollama, and for an invalid range."""
    assert words(nginx, 502) == OllamaUnavailable.detail
    assert words(nginx, 504) == OllamaSilent.detail
    assert words(nginx, 416) == RangeNotInFile.detail


def test_words_fit_into_json(nginx: Configuration) -> None:
    """nginx inserts them unescaped; the host has been validated by then."""
    assert all('"' not in value and "\\" not in value for _, value in nginx.map("$error_detail").lines)


def test_every_error_is_worded(nginx: Configuration) -> None:
    """Also in a location with its own error_page, which drops all inherited ones."""
    for block in (nginx.unknown_hosts, nginx.server, *nginx.locations.values()):
        pages = block.effective("error_page")
        worded = {status for *statuses, page in pages if page == "/_error" for status in statuses}
        assert set(STATUSES.split()) <= worded, block.title
        assert set(pages) >= OTHER_PAGES, block.title


def test_another_host_gets_421(nginx: Configuration) -> None:
    """From the server that handles unknown names."""
    server = nginx.unknown_hosts
    (location,) = (one for one in server.own("location") if one.title == "/")
    assert (server.own_title("listen"), server.own_title("server_name")) == ("8080 default_server", "_")
    assert location.own_title("return") == "421"
    assert not [line for line in server.walk() if line.name.endswith("_pass")]


def test_a_body_too_large_is_reported_once(nginx: Configuration) -> None:
    """Checked again in the error's location, it would turn any error into a 413."""
    for block in (nginx.unknown_hosts, nginx.server):
        pages = [one for one in block.own("location") if one.own("internal") and one.args[0] == "="]
        errors = [one for one in pages if one.own("default_type")]
        assert len(errors) == 3
        assert {one.value("client_max_body_size") for one in errors} == {"0"}


def headers(location: Directive) -> dict[str, str]:
    lines = location.effective("add_header")
    assert all(line[2:] == ("always",) for line in lines if line[0] in {*DATA_HEADERS, "X-Request-ID"}), location.title
    return {line[0]: line[1] for line in lines}


def own_answers(nginx: Configuration) -> dict[str, Directive]:
    """The locations whose responses are nginx's, a file's or Ollama's; without the one for a file's range errors."""
    return {
        name: one
        for name, one in nginx.locations.items()
        if not one.own_title("proxy_pass").startswith("http://api") and name != "= /_no_such_range"
    }


def test_every_answer_tells_browsers_what_it_is(nginx: Configuration) -> None:
    """One add_header in a location drops all inherited ones."""
    for name, location in own_answers(nginx).items():
        found = headers(location)
        expected = dict(DATA_HEADERS)
        if name in ("= /_page/index.html", "~ ^/assets/[^/]+$"):
            assert "require-trusted-types-for 'script'" in found["Content-Security-Policy"]
            del expected["Content-Security-Policy"]
        assert found.items() >= expected.items(), name


def test_every_answer_has_the_requests_id(nginx: Configuration) -> None:
    """The logged one; the API's own is not sent with it."""
    for name, location in nginx.locations.items():
        if name != "= /_no_such_range":
            assert headers(location)["X-Request-ID"] == "$request_id", name
        if location.own_title("proxy_pass").startswith("http://api"):
            assert ("X-Request-ID",) in location.effective("proxy_hide_header"), name


def test_a_page_may_read_the_same_headers(nginx: Configuration) -> None:
    """From nginx as from the API, for an allowed origin."""
    exposed = nginx.map("$cors_exposed")
    assert exposed["https://chat.example.org"] == ", ".join(EXPOSED_HEADERS)
    assert exposed[""] == ""
    for name, location in own_answers(nginx).items():
        found = headers(location)
        assert found["Access-Control-Allow-Origin"] == "$cors_origin", name
        assert found["Access-Control-Allow-Credentials"] == "$cors_credentials", name
        assert found["Access-Control-Expose-Headers"] == "$cors_exposed", name
        assert found["Vary"] == "$varies_by", name


def test_the_log_is_json_without_queries(nginx: Configuration) -> None:
    """Some clients put credentials there."""
    (log_format,) = nginx.http.own("log_format")
    name, escape, *parts = log_format.args
    line = "".join(parts)
    assert (name, escape) == ("json", "escape=json")
    assert json.loads(re.sub(r"\$\w+", "1", line))["request_id"] == "1"
    assert not set(re.findall(r"\$\w+", line)) & {"$request_uri", "$request", "$args", "$query_string", "$http_cookie"}
    assert nginx.map("$path")["/chat?token=x"] == "/chat"
    assert [one.title for one in nginx.root.walk() if one.name == "access_log"] == ["/dev/stdout json if=$is_logged"]

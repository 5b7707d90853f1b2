"""What nginx passes to the API and to Ollama, and back."""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from api import main
from api.accounts import invitations
from api.accounts.oidc.flow import cookie_name
from api.ollama.direct import STREAM_HEADERS
from tests.unit.data_plane import ROOT, Configuration, Container, Directive

SIGN_IN = "~ ^/login/oidc(/|$)"
PEOPLE = "~ ^/(me|logout|keys|users|invitations)(/|$)"
API = ["= /", "/", "/_caller", "@large_body", "~ ^/upload/?$", PEOPLE, SIGN_IN]
OLLAMA = ["@ollama", "@ollama_get", "@ollama_with_our_body"]
# Response headers that control nginx, as listed in the documentation of proxy_ignore_headers.
ACCEL = {f"X-Accel-{name}" for name in ("Redirect", "Expires", "Limit-Rate", "Buffering", "Charset")}
MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000}


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    return Configuration(Container(tmp_path_factory.mktemp("nginx") / "root").render())


def carriers(nginx: Configuration) -> Iterator[Directive]:
    """Every location that proxies a request."""
    for upstream in ("http://api", "http://api_afresh", "http://ollama"):
        yield from nginx.leading_to(upstream).values()


def to_the_api(nginx: Configuration) -> Iterator[Directive]:
    yield from nginx.leading_to("http://api").values()
    yield from nginx.leading_to("http://api_afresh").values()


def sent(location: Directive) -> dict[str, str]:
    """The headers that nginx sets on a request."""
    return dict(location.effective("proxy_set_header"))  # type: ignore[arg-type]


def milliseconds(text: str) -> int:
    unit = text.lstrip("0123456789")
    return int(text.removesuffix(unit)) * MILLISECONDS[unit]


def test_there_is_no_other_way_out(nginx: Configuration) -> None:
    """Every proxy_pass leads to the API or Ollama, by a name that the request cannot influence."""
    found = [line for line in nginx.server.walk() if line.name.endswith("_pass")]
    assert {line.title for line in found} == {"http://api", "http://api_afresh", "http://ollama"}
    assert sorted(nginx.leading_to("http://ollama")) == OLLAMA
    assert len(found) == len(list(carriers(nginx)))


def test_an_answer_is_passed_on_as_it_comes(nginx: Configuration) -> None:
    """Buffering would hold tokens back, and so would compression or a cache."""
    for location in carriers(nginx):
        assert location.value("proxy_buffering") == "off", location.title
        assert location.value("gzip") == "off", location.title
    names = {line.name for line in nginx.root.walk()}
    assert not names & {"proxy_cache", "proxy_store", "proxy_limit_rate", "limit_rate", "sub_filter", "postpone_output"}


def test_errors_of_api_and_ollama_pass_unchanged(nginx: Configuration) -> None:
    """Only nginx's own errors have nginx's messages."""
    assert all(location.value("proxy_intercept_errors") in ("", "off") for location in carriers(nginx))


def test_clients_cannot_say_where_they_come_from(nginx: Configuration) -> None:
    """Every header that the API trusts is always set, also if the client sent it."""
    for location in to_the_api(nginx):
        headers = sent(location)
        assert headers["X-Forwarded-For"] == "$remote_addr", location.title
        assert headers["X-Forwarded-Proto"] == "$scheme", location.title
        assert headers["X-Forwarded-Host"] == headers["Forwarded"] == "", location.title
        assert headers["X-LocalChat-Proxied"] == "$is_proxied", location.title
        assert headers["X-Request-ID"] == "$request_id", location.title


def test_the_api_gets_no_cookies(nginx: Configuration) -> None:
    """Browsers send those of every program on this host. Only a sign-in needs one, its own."""
    cookies = {location.title: sent(location)["Cookie"] for location in to_the_api(nginx)}
    assert cookies.pop(SIGN_IN) == "$sign_in_cookie"
    assert set(cookies.values()) == {""}


@pytest.mark.parametrize("name", [cookie_name(secure=True), cookie_name(secure=False)])
def test_of_all_cookies_a_sign_in_gets_its_own(nginx: Configuration, name: str) -> None:
    """Wherever it stands among the others; none whose name only ends or begins like it."""
    own = f"{name}=a-b_c.1.d"
    for cookies in (own, f"session=secret; {own}", f"{own}; x={own}", f"x_{own}; {own}; y=1", f"a=1;{own}"):
        assert nginx.map("$sign_in_cookie")[cookies] == own
    for cookies in ("", f"x{own}", f"{name}x=1", f"{name}=", "session=secret", f"x={name}"):
        assert nginx.map("$sign_in_cookie")[cookies] == ""


def test_the_cookie_with_the_prefix_wins(nginx: Configuration) -> None:
    """Nobody but this host by https can have set it."""
    secure, plain = f"{cookie_name(secure=True)}=a.1.b", f"{cookie_name(secure=False)}=c.1.d"
    assert nginx.map("$sign_in_cookie")[f"{plain}; {secure}"] == secure


@pytest.mark.parametrize(
    ("forwarded", "scheme"),
    [("https", "https"), ("HTTPS, http", "https"), ("http", "$scheme"), ("", "$scheme"), ("httpsx", "$scheme")],
)
def test_a_sign_in_knows_the_browsers_scheme(nginx: Configuration, forwarded: str, scheme: str) -> None:
    """Where a proxy in front ends TLS."""
    assert sent(nginx.locations[SIGN_IN])["X-LocalChat-Scheme"] == "$asked_scheme"
    assert nginx.map("$asked_scheme")[forwarded] == scheme


def test_an_authentication_request_has_no_body(nginx: Configuration) -> None:
    """Only the headers, and the requested path, whatever the client sends."""
    location = nginx.locations["/_caller"]
    assert location.value("proxy_pass_request_body") == "off"
    assert (sent(location)["Content-Length"], sent(location)["X-LocalChat-Path"]) == ("", "$path")


def test_a_large_body_is_read_after_the_api_said_who_sent_it(nginx: Configuration) -> None:
    """Strangers cannot fill memory."""
    (where,) = [one for one in nginx.locations.values() if "$has_large_body" in str([i.args for i in one.own("if")])]
    assert where.own_title("error_page") == "418 = @large_body"
    assert nginx.locations["@large_body"].value("auth_request") == "/_caller"


@pytest.mark.parametrize(
    ("request_line", "large"),
    [
        ("GET::", "0"),
        ("HEAD::", "0"),
        ("DELETE::", "0"),
        ("POST:9999:", "0"),
        ("POST:0:", "0"),
        ("POST:10000:", "1"),
        ("POST::chunked", "1"),
        ("GET::chunked", "1"),
        ("POST:10:chunked", "1"),
        ("POST::", "1"),
        ("POST:-1:", "1"),
    ],
)
def test_only_a_body_known_to_be_small_is_read_at_once(nginx: Configuration, request_line: str, large: str) -> None:
    """Small fits in a buffer; an unknown length may be anything."""
    assert nginx.map("$has_large_body")[request_line] == large
    assert nginx.server.value("client_body_buffer_size") == "16k"


def test_no_answer_hides_in_the_api(nginx: Configuration) -> None:
    """Headers meant for nginx do not reach a client."""
    read = {
        word.removeprefix("$upstream_http_").replace("_", "-")
        for line in nginx.root.walk()
        for word in line.args
        if word.startswith("$upstream_http_x_localchat_")
    }
    assert len(read) == 5
    for location in to_the_api(nginx):
        assert read <= {name.lower() for (name,) in location.effective("proxy_hide_header")}, location.title


def test_a_change_to_people_or_keys_is_not_asked_for_twice() -> None:
    """Every route that makes one is in that location."""
    routers = (invitations.router, *main.FOR_SESSIONS, *main.FOR_ADMINS)
    paths = [route.path for router in routers for route in router.routes if isinstance(route, APIRoute)]
    assert len(paths) > 10
    for path in paths:
        assert re.match(PEOPLE.removeprefix("~ "), path), path


@pytest.mark.parametrize("path", ["/files", "/files/3f9a1c07be52_report.pdf", "/files/", "/files/me/"])
def test_files_are_listed_sent_and_deleted_by_the_api(nginx: Configuration, path: str) -> None:
    """With any method. Deleting twice does no harm, so a DELETE too may go to another worker."""
    others = [name.removeprefix("~ ") for name in nginx.locations if name.startswith("~ ")]
    assert len(others) > 4
    assert not [pattern for pattern in others if re.search(pattern, path)]
    location = nginx.locations["/"]
    assert location.value("proxy_pass") == "http://api"
    assert not [line for line in nginx.server.walk() if line.name == "limit_except"]
    assert not location.own("if")
    assert not location.own("proxy_method")


def test_only_a_decision_is_asked_for_twice(nginx: Configuration) -> None:
    """A body that killed one worker is not sent to the next, and a chat is not started again."""
    for name, location in nginx.locations.items():
        again = location.value("proxy_next_upstream")
        if name.startswith("@ollama"):
            assert again == "off"
        elif name in ("@large_body", "/_caller", PEOPLE, SIGN_IN):
            assert again == "error timeout"
        elif location.own("proxy_pass"):
            assert again == "error timeout non_idempotent"


def test_a_large_body_goes_out_on_a_new_connection(nginx: Configuration) -> None:
    """An idle one may be closing, and the request would be lost."""
    afresh = next(one for one in nginx.http.own("upstream") if one.title == "api_afresh")
    assert list(nginx.leading_to("http://api_afresh")) == [PEOPLE, SIGN_IN, "@large_body"]
    assert not afresh.own("keepalive")


def test_nginx_closes_an_idle_connection_before_gunicorn_does(
    nginx: Configuration, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Otherwise it would send a request on a connection that is just being closed."""
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    gunicorn = runpy.run_path(str(ROOT / "api/gunicorn.conf.py"))
    api = next(one for one in nginx.http.own("upstream") if one.title == "api")
    assert milliseconds(api.value("keepalive_timeout")) < gunicorn["keepalive"] * 1_000
    assert f"server {api.own_title('server')}" == f"server unix:{gunicorn['NGINX_ASKS']}"


def test_an_upload_is_not_stored_twice(nginx: Configuration) -> None:
    """The API writes it to disk as it arrives."""
    upload = nginx.locations["~ ^/upload/?$"]
    assert upload.value("proxy_request_buffering") == "off"
    assert upload.value("keepalive_timeout") == "0"
    others = [one for one in carriers(nginx) if one is not upload]
    assert all(one.value("proxy_request_buffering") in ("", "on") for one in others)


@pytest.mark.parametrize("name", OLLAMA)
def test_ollama_gets_nothing_of_the_client_but_the_body(nginx: Configuration, name: str) -> None:
    """No token, cookie, origin or query; and the path that the API chose."""
    location = nginx.locations[name]
    assert location.value("proxy_pass_request_headers") == "off"
    assert (
        sent(location).items()
        >= {
            "Host": "ollama:11434",
            "Content-Type": "application/json",
            "X-Request-ID": "$request_id",
            "Connection": "",
        }.items()
    )
    assert set(sent(location)) <= {"Host", "Content-Type", "Content-Length", "X-Request-ID", "Connection"}
    assert location.own_title("rewrite") == "^ $ollama_path? break"
    assert ("$ollama_path", "$upstream_http_x_localchat_path") in location.effective("set")


@pytest.mark.parametrize("name", OLLAMA)
def test_ollama_cannot_tell_nginx_what_to_do(nginx: Configuration, name: str) -> None:
    """Whatever answers at OLLAMA_URL: no file of ours, no cookie, no buffering."""
    location = nginx.locations[name]
    assert set(location.value("proxy_ignore_headers").split()) >= ACCEL
    assert location.own_title("js_header_filter") == "ollama_answers.pass_listed"
    assert ("Last-Modified",) in location.effective("proxy_hide_header")


@pytest.mark.parametrize("name", OLLAMA)
def test_a_stream_says_the_same_to_proxies_in_front(nginx: Configuration, name: str) -> None:
    """The same as without nginx."""
    headers = {args[0]: args[1] for args in nginx.locations[name].effective("add_header")}
    assert headers.items() >= STREAM_HEADERS.items()


def test_a_pull_has_the_body_that_was_checked(nginx: Configuration) -> None:
    """And a GET has none."""
    assert nginx.locations["@ollama_with_our_body"].value("proxy_set_body") == "$our_body"
    get = nginx.locations["@ollama_get"]
    assert (get.value("proxy_method"), get.value("proxy_pass_request_body")) == ("GET", "off")
    assert sent(get)["Content-Length"] == ""
    assert not nginx.locations["@ollama"].effective("proxy_method")


def test_ollamas_certificate_is_checked(tmp_path: Path) -> None:
    """If OLLAMA_URL is https, against the name in it."""
    nginx = Configuration(Container(tmp_path / "root").render(OLLAMA_URL="https://gpu.example.org"))
    for location in nginx.leading_to("https://ollama").values():
        assert location.value("proxy_ssl_verify") == location.value("proxy_ssl_server_name") == "on"
        assert location.value("proxy_ssl_name") == sent(location)["Host"] == "gpu.example.org"
    assert sorted(nginx.leading_to("https://ollama")) == OLLAMA


def test_what_only_the_api_may_ask_for_is_internal(nginx: Configuration) -> None:
    """A client gets 404."""
    for name, location in nginx.locations.items():
        if name.removeprefix("= ").startswith("/_"):
            assert location.own("internal"), name


def test_an_upload_is_sent_from_its_folder_only(nginx: Configuration) -> None:
    """Symbolic links are not followed."""
    stored = nginx.locations["/_stored/"]
    assert (stored.value("alias"), stored.value("disable_symlinks")) == ("/data/uploads/", "on from=/data/uploads")
    folders = [line for line in nginx.server.walk() if line.name in ("alias", "root")]
    assert {line.title.removeprefix("/tmp/nginx/page") for line in folders} == {"", "/index.html", "/data/uploads/"}
    assert not nginx.root.effective("autoindex")

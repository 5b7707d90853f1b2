"""The page's files over HTTP: who gets them, with which headers, and that nothing else is served."""

import io
import json
import re
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.stack import ROOT, Stack

# Verbatim from Chromium 156 and Firefox 150.
BROWSERS = [
    (
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
        "application/signed-exchange;v=b3;q=0.7"
    ),
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
]
HTML = {"Accept": BROWSERS[0]}
# A new kind of file has to be added here and in page-files.conf.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".woff2": "font/woff2",
}
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types dompurify"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# What a browser would fetch unprompted.
LOADS_ELSEWHERE = {
    ".html": r"""\b(?:src|srcset|href|action)\s*=\s*["']?(?:https?:)?//""",
    ".css": r"""(?:url\(\s*|@import\s+)["']?(?:https?:)?//""",
    ".js": r"""\b(?:import|from|fetch|importScripts|Worker|WebSocket)\s*\(?\s*["'`](?:(?:https?|wss?):)?//""",
    ".svg": r"""\b(?:href|src)\s*=\s*["']?(?:https?:)?//|url\(\s*["']?(?:https?:)?//""",
}


@pytest.fixture
def visitor(stack: Stack) -> Iterator[httpx.Client]:
    """A client without a token."""
    with httpx.Client(base_url=stack.url, trust_env=False) as visitor:
        yield visitor


@pytest.fixture(scope="session")
def files(shared_stack: Stack) -> dict[str, bytes]:
    """The build's files in the image, by path."""
    image = shared_stack.inspect("nginx")["Image"]
    tar = ["tar", image, "--create", "--directory=/usr/share/localchat/page", "."]
    packed = subprocess.check_output(["docker", "run", "--rm", "--network=none", "--entrypoint", *tar])
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        unpacked = {member.name: archive.extractfile(member) for member in archive}
    return {name.removeprefix("./"): file.read() for name, file in unpacked.items() if file}


@pytest.fixture
def assets(files: dict[str, bytes]) -> list[str]:
    """The paths of the hashed files."""
    found = [f"/{name}" for name in files if name.startswith("assets/") and not name.endswith(".gz")]
    assert {".js", ".svg"} <= {PurePosixPath(name).suffix for name in found}
    return found


def varies_by(response: httpx.Response) -> set[str]:
    return set(response.headers.get("Vary", "").replace(" ", "").split(","))


@pytest.mark.parametrize("accept", [*BROWSERS, "text/html", "TEXT/HTML", "application/json, text/html;q=0.1"])
def test_whoever_asks_for_html_gets_the_page(visitor: httpx.Client, files: dict[str, bytes], accept: str) -> None:
    """Without a token, whatever the query."""
    for path in ["/", "/?a=b"]:
        response = visitor.get(path, headers={"Accept": accept})
        assert (response.status_code, response.content) == (200, files["index.html"])


def test_head_has_the_headers_of_get(visitor: httpx.Client, assets: list[str]) -> None:
    """And no body."""
    for path in ["/", *assets]:
        head, get = visitor.head(path, headers=HTML), visitor.get(path, headers=HTML)
        differ = {"date", "x-request-id"}
        assert [pair for pair in head.headers.items() if pair[0] not in differ] == [
            pair for pair in get.headers.items() if pair[0] not in differ
        ]
        assert head.content == b""


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/plain", None])
def test_whoever_does_not_gets_the_api(visitor: httpx.Client, client: httpx.Client, accept: str | None) -> None:
    """Ollama's clients check / to see whether it runs: Ollama's own text with a token, JSON without."""

    def ask(asker: httpx.Client, method: str) -> httpx.Response:
        request = asker.build_request(method, "/")
        del request.headers["Accept"]
        if accept:
            request.headers["Accept"] = accept
        return asker.send(request)

    runs, stranger = ask(client, "GET"), ask(visitor, "GET")
    assert (runs.status_code, runs.text) == (200, "Ollama is running")
    assert (ask(client, "HEAD").status_code, ask(visitor, "HEAD").status_code) == (200, 401)
    assert (stranger.status_code, stranger.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "token" in stranger.json()["detail"]


def test_a_browser_with_a_token_gets_the_page(client: httpx.Client, files: dict[str, bytes]) -> None:
    """Only Accept decides."""
    assert client.get("/", headers=HTML).content == files["index.html"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_the_apis(visitor: httpx.Client, method: str) -> None:
    """As before there was a page."""
    as_browser = visitor.request(method, "/", headers=HTML)
    as_client = visitor.request(method, "/")
    assert (as_browser.status_code, as_browser.content) == (as_client.status_code, as_client.content)
    assert as_browser.status_code == 405
    assert as_browser.json()["detail"]


def test_both_answers_at_the_root_vary_by_accept(visitor: httpx.Client, client: httpx.Client) -> None:
    """A cache must not mix them up; the part that other origins may read also varies by Origin."""
    origin = {"Origin": "http://localhost:5173"}
    for response in [
        visitor.get("/", headers=HTML),
        client.get("/"),
        visitor.get("/"),
        client.get("/", headers=origin),
        visitor.get("/", headers=origin),
    ]:
        assert {"Accept", "Origin"} <= varies_by(response), response
    assert "Accept" not in varies_by(client.get("/models"))


def test_the_page_is_what_the_image_holds(visitor: httpx.Client, files: dict[str, bytes], assets: list[str]) -> None:
    """Byte for byte, each with its type and without a token."""
    for path in assets:
        response = visitor.get(path, headers={"Accept-Encoding": "identity"})
        assert (response.status_code, response.content) == (200, files[path[1:]]), path
        assert response.headers["Content-Type"] == TYPES[PurePosixPath(path).suffix]
        assert "Content-Encoding" not in response.headers
    assert visitor.get("/", headers=HTML).headers["Content-Type"] == TYPES[".html"]


def test_the_page_and_its_files_are_guarded(visitor: httpx.Client, assets: list[str]) -> None:
    """Each header once, in fresh responses, in 304 and for HEAD."""
    for path in ["/", *assets]:
        first = visitor.get(path, headers=HTML)
        again = visitor.get(path, headers={**HTML, "If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304
        for response in [first, again, visitor.head(path, headers=HTML)]:
            found = {name: response.headers.get_list(name) for name in SECURITY}
            assert found == {name: [value] for name, value in SECURITY.items()}
            assert len(response.headers["X-Request-ID"]) == 32
            assert response.headers["Server"] == "nginx"


def test_text_is_sent_compressed(visitor: httpx.Client, files: dict[str, bytes], assets: list[str]) -> None:
    """With the files compressed at build time. Fonts are compressed already; streams never are."""
    for path in ["/", *assets]:
        name = path[1:] or "index.html"
        response = visitor.get(path, headers={**HTML, "Accept-Encoding": "gzip"})
        assert response.content == files[name]
        assert "Accept-Encoding" in varies_by(response) or name.endswith(".woff2")
        compressed = None if name.endswith(".woff2") else str(len(files[f"{name}.gz"]))
        assert response.headers.get("Content-Encoding") == (compressed and "gzip")
        assert response.headers["Content-Length"] == (compressed or str(len(files[name])))


def test_index_is_revalidated_and_not_sent_again(visitor: httpx.Client) -> None:
    """It names the files of its build, so a stale one must not be used."""
    first = visitor.get("/", headers=HTML)
    again = visitor.get("/", headers={**HTML, "If-None-Match": first.headers["ETag"]})
    assert first.headers["Cache-Control"] == again.headers["Cache-Control"] == "no-cache"
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert visitor.get("/", headers={**HTML, "If-None-Match": '"another"'}).status_code == 200


def test_compressed_and_plain_have_an_etag_each(visitor: httpx.Client) -> None:
    """Their bytes differ."""
    plain = visitor.get("/", headers={**HTML, "Accept-Encoding": "identity"})
    assert plain.headers["ETag"] != visitor.get("/", headers=HTML).headers["ETag"]


def test_a_restart_changes_no_etag(stack: Stack, visitor: httpx.Client) -> None:
    """nginx derives it from size and time: that of the build, not of the start."""
    built_at = stack.run("exec", "--no-TTY", "nginx", "stat", "--format=%Y", "/usr/share/localchat/page/index.html")
    modified = parsedate_to_datetime(visitor.get("/", headers=HTML).headers["Last-Modified"])
    assert modified.timestamp() == int(built_at)


def test_an_asset_is_asked_for_once(visitor: httpx.Client, assets: list[str]) -> None:
    """Its name has a hash of its content."""
    for path in assets:
        assert re.search(r"-[\w-]{8}\.\w+$", path)
        assert visitor.get(path).headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_missing_asset_is_not_kept(visitor: httpx.Client) -> None:
    """A JSON 404, since it may exist a moment later."""
    response = visitor.get("/assets/index-AAAAAAAA.js", headers=HTML)
    assert response.status_code == 404
    assert list(response.json()) == ["detail"]
    assert "Cache-Control" not in response.headers


def raw_answer(stack: Stack, target: str) -> tuple[int, str, list[str]]:
    """Status, type and keys of the response to a target that no browser would send."""
    connection = HTTPConnection(urlsplit(stack.url).netloc, timeout=10)
    with closing(connection):
        connection.request("GET", target, headers=HTML)
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], list(json.loads(response.read()))


@pytest.mark.parametrize(
    "target",
    [
        "/assets",
        "/assets/",
        "/assets/.",
        "/assets/..",
        "/assets/../index.html",
        "/assets/../",
        "/assets/%2e%2e/",
        "/assets/%2e%2e/index.html",
        "/assets/..%2findex.html",
        "/assets/..%5c..%5cnginx.conf",
        "/assets//index.html",
        "/assets/%2fetc/passwd",
        "/assets/%0a",
        "/index.html",
        "/index.html.gz",
        "/page/index.html",
        "/_page/",
        "/_page/index.html",
        "/_page/../assets/",
        "/nginx.conf",
        "/take-over.sh",
        "/./",
        "/x/../",
        "/%2e/",
        "/assets/../?text/html",
    ],
)
def test_nothing_lies_beside_the_page(stack: Stack, target: str) -> None:
    """No other path leads to the page or out of its folder: 404 in JSON, even for a browser."""
    assert raw_answer(stack, target) == (404, "application/json", ["detail"])


@pytest.mark.parametrize("up", ["..", "%2e%2e", "%2E.", "x/../.."])
@pytest.mark.parametrize("slash", ["/", "%2f"])
def test_what_leads_out_of_the_root_is_no_path(stack: Stack, up: str, slash: str) -> None:
    """nginx refuses it before it chooses a location."""
    assert raw_answer(stack, f"/assets/{up}{slash}..{slash}nginx.conf") == (400, "application/json", ["detail"])


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_assets_can_only_be_read(visitor: httpx.Client, assets: list[str], method: str) -> None:
    """Anything else is a JSON 405."""
    response = visitor.request(method, assets[0])
    assert (response.status_code, list(response.json())) == (405, ["detail"])


def test_the_page_loads_nothing_from_elsewhere(files: dict[str, bytes]) -> None:
    """No file loads anything from another host."""
    for name, content in files.items():
        pattern = LOADS_ELSEWHERE.get(PurePosixPath(name).suffix)
        assert not (pattern and re.search(pattern, content.decode())), name


@pytest.mark.parametrize(
    ("suffix", "planted"),
    [
        (".html", '<script src="https://cdn.example/x.js">'),
        (".html", "<link href=//cdn.example/x.css>"),
        (".css", "@import 'https://cdn.example/x.css'"),
        (".css", "src:url(https://cdn.example/x.woff2)"),
        (".js", 'import("https://cdn.example/x.js")'),
        (".js", "fetch(`//api.example`)"),
        (".svg", '<image href="http://cdn.example/x.png"/>'),
    ],
)
def test_what_loads_from_elsewhere_is_found(suffix: str, planted: str) -> None:
    """The control."""
    assert re.search(LOADS_ELSEWHERE[suffix], planted)


def test_the_access_log_has_the_page_too(stack: Stack, visitor: httpx.Client, assets: list[str]) -> None:
    """With the requested path, and no caller."""
    for path in ["/", assets[0]]:
        response = visitor.get(path, headers=HTML)
        entry = stack.access_log(response)
        assert (entry["method"], entry["path"], entry["status"], entry["caller"]) == ("GET", path, 200, "")
        assert entry["bytes"] > int(response.headers["Content-Length"])


def test_the_types_of_files_are_ours(assets: list[str]) -> None:
    """nginx takes them from page-files.conf, whatever the base image brings."""
    listed = re.findall(r"(\w+);$", (ROOT / "nginx/page-files.conf").read_text(), re.MULTILINE)
    assert {PurePosixPath(path).suffix[1:] for path in assets} <= set(listed)

"""CORS_ORIGINS: the API and nginx read the same origins."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError

from api.accounts.origins import MAX_ORIGIN_LENGTH
from api.settings import Settings
from tests.support.origins import ORIGINS
from tests.unit.conftest import Serve

SCRIPT = Path(__file__).parents[2] / "nginx/cors-origins.sh"

NONE = [
    "null",
    "localhost:3000",
    "localhost",
    "://a",
    "http:/a",
    "http://",
    "file://",
    "app:",
    "1a://b",
    "Http://a",
    "http://a/b",
    "http://a?b",
    "http://a#b",
    "http://u@a",
    "http://a:b",
    "http://a:",
    "http://*.example.org",
    "*.example.org",
    "http://a;b",
    'http://a"',
    "http://a\\",
    "http://$host",
    "http://a{}",
    "~http://a",
    "http://[::1",
    "http://\u00fc.example",
    "/",
    f"x://{'a' * (MAX_ORIGIN_LENGTH - 3)}",
]
LISTS = [
    "",
    "*",
    "*,http://a",
    " http://a/ , app://b,,\thttp://c//",
    "http://a http://b",
    "http://a,null",
    "http://a,http://b c",
    "**",
]


def in_the_api(value: str) -> tuple[set[str], bool] | None:
    """The origins, and whether all others may read too; None if the setting is refused."""
    try:
        origins = set(Settings.model_validate({"cors_origins": value}).cors_origins)
    except ValidationError:
        return None
    return origins - {"*"}, "*" in origins


def in_nginx(value: str) -> tuple[set[str], bool] | None:
    variables = {"CORS_ORIGINS": value, "PATH": os.environ["PATH"]}
    done = subprocess.run(["sh", str(SCRIPT)], env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        assert "CORS_ORIGINS lists '" in done.stderr
        return None
    of_all = "    default $http_origin;" in done.stdout
    credentials = '""' if of_all else "true"  # with `*`, any page could act for a visitor
    assert done.stdout.endswith(f"    default {credentials};\n}}\n")
    return set(re.findall(r'^    "(.+)" \$http_origin;$', done.stdout, re.MULTILINE)), of_all


@pytest.mark.parametrize("origin", ORIGINS)
def test_an_origin_may_have_any_scheme(origin: str) -> None:
    """An app's, an extension's or an editor's, in both."""
    assert in_the_api(origin) == in_nginx(origin) == ({origin}, False)


@pytest.mark.parametrize("value", NONE)
def test_an_invalid_origin_is_refused(value: str) -> None:
    """Nothing else becomes a line of nginx's configuration."""
    assert in_the_api(value) is in_nginx(value) is None


@pytest.mark.parametrize("value", LISTS)
def test_both_read_a_list_alike(value: str) -> None:
    """Spaces, empty entries and trailing slashes do not matter."""
    assert in_the_api(value) == in_nginx(value)


@pytest.mark.parametrize("behind_nginx", [False, True])
def test_a_listed_app_is_let_in(serve_with: Serve, *, behind_nginx: bool) -> None:
    """In preflight and response, with credentials; another app is not."""
    client = serve_with(cors_origins="app://obsidian.md", behind_nginx=behind_nginx).stranger
    ask = {"Access-Control-Request-Method": "POST"}
    for origin, allowed in (("app://obsidian.md", "app://obsidian.md"), ("app://other.md", None), ("null", None)):
        answers = (
            client.options("/chat", headers={"Origin": origin, **ask}),
            client.get("/x", headers={"Origin": origin}),
        )
        assert [answer.headers.get("Access-Control-Allow-Origin") for answer in answers] == [allowed] * 2

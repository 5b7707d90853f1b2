"""Only a few routes are public, on purpose; all others need a caller."""

import logging
import re
from collections.abc import Iterable

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from api import main
from api.logs import request_id
from api.ollama.allowlist import ALLOWED, Access
from tests.unit.conftest import Serve
from tests.unit.people import add_person, make_key
from tests.unit.serving import Gateway

PUBLIC = {
    ("POST", "/login"),
    ("GET", "/health"),
    ("HEAD", "/health"),
    ("GET", "/live"),
    ("GET", "/docs"),
    ("GET", "/login/methods"),
    ("HEAD", "/login/methods"),
    # The first sets a cookie, which the others need beside what the provider says.
    ("GET", "/login/oidc"),
    ("GET", "/login/oidc/callback"),
    ("POST", "/login/oidc/token"),
    # Needs the link's own token.
    ("POST", "/invitations/{token}"),
    # Authenticates a caller for nginx; only nginx can reach it.
    ("GET", "/_caller"),
}


def of(routers: Iterable[APIRouter]) -> set[tuple[str, str]]:
    routes = (route for router in routers for route in router.routes)
    return {
        (method, route.path) for route in routes if isinstance(route, APIRoute) for method in route.methods or set()
    }


def of_fastapi() -> set[tuple[str, str]]:
    return of((*main.PUBLIC, *main.FOR_CALLERS, *main.FOR_SESSIONS, *main.FOR_ADMINS))


def example(path: str) -> str:
    """A path that such a route is for."""
    return re.sub(r"{\w+}", "a.txt", path.replace(":model", "m"))


def of_the_allowlist() -> set[tuple[str, str]]:
    return {(method, row.path) for row in ALLOWED for method in row.methods.split()}


@pytest.mark.parametrize("fixture", ["gateway", "behind_nginx"])
def test_a_stranger_gets_nothing(request: pytest.FixtureRequest, fixture: str) -> None:
    """401 from each, before anything else is checked. A new route is public only if the list above says so."""
    gateway: Gateway = request.getfixturevalue(fixture)
    guarded = (of_fastapi() - PUBLIC) | of_the_allowlist()
    assert len(guarded) > 20
    for method, path in sorted(guarded):
        answer = gateway.stranger.request(method, example(path))
        assert answer.status_code == 401, (method, path)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_manages_nothing(serve_with: Serve) -> None:
    """403 from each route about people, passwords and keys, whatever the key's scopes."""
    gateway = serve_with()
    key = gateway.client_with(make_key(gateway.client, scopes=["chat", "models"])["key"])
    for method, path in sorted(of((*main.FOR_SESSIONS, *main.FOR_ADMINS))):
        answer = key.request(method, example(path))
        assert answer.status_code == 403, (method, path)
        assert method == "HEAD" or "log in" in answer.json()["detail"]


def test_a_member_administers_nothing(serve_with: Serve) -> None:
    """403 from each route for administrators, of ours and of Ollama's, before a body is read."""
    gateway = serve_with()
    member = add_person(gateway).session
    ours = of(main.FOR_ADMINS)
    ollamas = {(method, row.path) for row in ALLOWED if row.access is Access.ADMINS for method in row.methods.split()}
    assert len(ours) >= 6
    for method, path in sorted(ours | ollamas):
        assert member.request(method, example(path)).status_code == 403, (method, path)


def test_another_method_is_told_which_there_are(shared_gateway: Gateway) -> None:
    """405, with all methods of the path, though each has a route of its own."""
    for path in {path for _, path in of((*main.FOR_SESSIONS, *main.FOR_ADMINS))}:
        answer = shared_gateway.stranger.request("QUERY", example(path))
        methods = {method for method, other in of_fastapi() if other == path}
        assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (405, methods), path


def test_what_is_public_exists() -> None:
    """The list above has no removed routes."""
    assert of_fastapi() >= PUBLIC


def test_an_error_of_ours_has_the_id_that_is_in_the_log(serve_with: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a row of the allow-list and on a FastAPI route: 500 in the one format; the log has the reason under its id."""
    ids: list[str] = []
    monkeypatch.setattr(logging.getLogger("api.middleware"), "exception", lambda _: ids.append(request_id.get()))
    gateway = serve_with()
    gateway.app.state.parts.relay = None
    for path in ("/models", "/upload"):
        gateway.app.state.parts.uploads = None
        answer = gateway.client.request("GET" if path == "/models" else "POST", path)
        assert (answer.status_code, list(answer.json())) == (500, ["detail"])
        assert answer.headers["X-Request-ID"] == ids[-1]
    assert len(set(ids)) == 2

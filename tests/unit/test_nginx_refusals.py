"""A real nginx in front of a real API: a large body is refused as a small one is."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.unit.conftest import Serve
from tests.unit.data_plane import Container
from tests.unit.people import add_person
from tests.unit.real_nginx import find_nginx, running
from tests.unit.serving import Gateway, closed_port

PATHS = ["/chat", "/api/chat", "/v1/chat/completions", "/v1/messages"]
SMALL = {"model": "none", "messages": []}
LARGE = {**SMALL, "fill": "x" * 20_000}


Start = Callable[[int], httpx.Client]


@pytest.fixture
def api(serve_with: Serve) -> Gateway:
    return serve_with(behind_nginx=True)


@pytest.fixture
def start_nginx(tmp_path: Path) -> Iterator[Start]:
    """In front of the API on that port."""
    folder = Container(tmp_path / "root").render()
    with ExitStack() as stack:
        yield lambda port: stack.enter_context(running(find_nginx(), folder, port))


def refusals(front: httpx.Client, path: str, authorization: str) -> list[tuple[int, object, str]]:
    """Of a small body and of a large one."""
    headers = {"Authorization": authorization}
    answers = [front.post(path, json=body, headers=headers) for body in (SMALL, LARGE)]
    return [(answer.status_code, answer.json(), answer.headers["Content-Type"]) for answer in answers]


def test_an_unreadable_database_is_the_apis_503(api: Gateway, start_nginx: Start) -> None:
    """In the shape of the protocol that was asked, with what to do."""
    front, member = start_nginx(api.port), add_person(api).session
    for file in api.settings.database_path.parent.glob("localchat.sqlite*"):
        file.unlink()
    for path in PATHS:
        small, large = refusals(front, path, member.headers["Authorization"])
        assert (small[0], "ADMIN_EMAIL" in str(small[1])) == (503, True), path
        assert large == small


def test_an_unknown_caller_is_the_apis_401(api: Gateway, start_nginx: Start) -> None:
    front = start_nginx(api.port)
    for path in PATHS:
        small, large = refusals(front, path, "Bearer nobody's")
        assert small[0] == 401, path
        assert large == small


def test_an_api_that_is_down_is_nginxs_502(start_nginx: Start) -> None:
    """It decided nothing, so the words are nginx's."""
    front = start_nginx(closed_port())
    for path in PATHS:
        small, large = refusals(front, path, "Bearer anybody's")
        assert (small[0], "unreachable" in str(small[1])) == (502, True), path
        assert large == small

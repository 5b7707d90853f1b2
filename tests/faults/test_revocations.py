"""What is revoked counts on the next request, in every worker and every API."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.kill import kill
from tests.faults.people import ASKS, FREE, REVOCATIONS, Person, ask, ask_often
from tests.support.stack import Stack, run, until


@pytest.mark.parametrize("killed", ["", "one worker"], ids=["", "a worker killed"])
@pytest.mark.parametrize("revoke", REVOCATIONS, ids=lambda revoke: revoke.__name__)
def test_a_revocation_counts_on_the_next_request(
    stack: Stack, person: Person, revoke: Callable[[Stack, Person], str], killed: str
) -> None:
    """In both workers, which have accepted the credential many times; also when one of them is killed right after."""
    assert ask_often(stack, person.token) | ask_often(stack, person.key) == {404}
    credential = revoke(stack, person)
    if killed:
        kill(stack, "api", killed)
    assert ask_often(stack, credential) - {502} == {401}
    until(lambda: ask(stack, credential) == 401, "the killed worker is replaced")


# Run in a container: what ASKS requests to its own API get, without nginx.
ASK_INSIDE = f"""
import sys, urllib.error, urllib.request
def ask(_):
    headers = {{"Authorization": "Bearer " + sys.argv[1]}}
    request = urllib.request.Request("http://127.0.0.1:8000{FREE}", headers=headers)
    try: return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error: return error.code
print(*set(map(ask, range({ASKS}))))
"""


@pytest.fixture
def replicas(stack: Stack) -> Iterator[list[str]]:
    """The containers of two APIs side by side, as during a redeploy; the second goes afterwards."""
    first = stack.run("ps", "--quiet", "api").split()
    stack.run("up", "--detach", "--wait", "--no-deps", "--no-recreate", "--scale", "api=2", "api")
    both = stack.run("ps", "--quiet", "api").split()
    yield both
    run("docker", "rm", "--force", *(set(both) - set(first)))


@pytest.mark.parametrize("revoke", REVOCATIONS, ids=lambda revoke: revoke.__name__)
def test_replicas_agree(
    stack: Stack, replicas: list[str], person: Person, revoke: Callable[[Stack, Person], str]
) -> None:
    """What is revoked in one API counts on the next request to the other, which has accepted it many times."""

    def seen(credential: str) -> list[str]:
        return [run("docker", "exec", one, "python3", "-c", ASK_INSIDE, credential).strip() for one in replicas]

    assert len(replicas) == 2
    assert seen(person.token) == seen(person.key) == ["404", "404"]
    assert seen(revoke(stack, person)) == ["401", "401"]


def test_a_lowered_role_counts_on_the_next_request(stack: Stack, make_person: Callable[[str], Person]) -> None:
    person = make_person("admin")
    assert ask_often(stack, person.token, "/users") == {200}
    with stack.client() as admin:
        assert admin.patch(f"/users/{person.id}", json={"role": "member"}).status_code == 200
    assert ask_often(stack, person.token, "/users") == {403}

"""/openapi.json matches the contract, and /docs works offline."""

import json
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from api.main import create_app
from tests.unit.serving import Gateway

CONTRACT = {
    ("post", "/login"): {200, 400, 401, 403, 413, 415, 422, 429, 503},
    ("get", "/models"): {200, 401, 502, 504},
    ("post", "/chat"): {200, 400, 401, 403, 404, 413, 415, 422, 502, 504},
    ("post", "/upload"): {200, 401, 413, 415, 422, 507},
    ("get", "/files"): {200, 401, 503},
    ("get", "/files/{filename}"): {200, 401, 404, 416},
    ("delete", "/files/{filename}"): {204, 401, 404, 422},
    ("get", "/files/{filename}/text"): {200, 401, 404, 422, 503, 504},
    ("get", "/health"): {200, 503},
    ("get", "/login/methods"): {200},
    ("get", "/login/oidc"): {303, 404, 502, 503},
    ("get", "/login/oidc/callback"): {303, 400, 403, 404, 429, 502, 503},
    ("post", "/login/oidc/token"): {200, 400, 403, 404, 413, 415, 422, 503},
    ("post", "/invitations/{token}"): {204, 400, 403, 404, 413, 415, 422, 503},
    ("get", "/me"): {200, 401, 403, 503},
    ("put", "/me/password"): {204, 400, 401, 403, 409, 413, 415, 422, 429, 503},
    ("post", "/logout"): {204, 401, 403, 422, 503},
    ("get", "/keys"): {200, 401, 403, 503},
    ("post", "/keys"): {201, 400, 401, 403, 409, 413, 415, 422, 503},
    ("delete", "/keys/{key_id}"): {204, 401, 403, 404, 422, 503},
    ("get", "/users"): {200, 401, 403, 503},
    ("post", "/users"): {201, 400, 401, 403, 409, 413, 415, 422, 503},
    ("patch", "/users/{user_id}"): {200, 400, 401, 403, 404, 409, 413, 415, 422, 503},
    ("delete", "/users/{user_id}"): {204, 401, 403, 404, 409, 422, 503},
    ("post", "/users/{user_id}/invitation"): {201, 401, 403, 404, 409, 422, 503},
}
WITHOUT_TOKEN = {
    ("post", "/login"),
    ("get", "/health"),
    ("get", "/login/methods"),
    ("get", "/login/oidc"),
    ("get", "/login/oidc/callback"),
    ("post", "/login/oidc/token"),
    ("post", "/invitations/{token}"),
}


@pytest.fixture(scope="module")
def description(shared_gateway: Gateway) -> dict[str, Any]:
    described: dict[str, Any] = shared_gateway.stranger.get("/openapi.json").json()
    return described


def operations(description: dict[str, Any]) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield (method, path), operation


def test_describes_the_contract_and_nothing_else(description: dict[str, Any]) -> None:
    """Each endpoint with each of its statuses, without FastAPI's generated 422."""
    described = {
        where: {int(status) for status in operation["responses"]} for where, operation in operations(description)
    }
    assert described.pop(("get", "/files/{filename}")) - {422} == CONTRACT[("get", "/files/{filename}")]
    assert described == {where: statuses for where, statuses in CONTRACT.items() if where in described}
    assert len(described) == len(CONTRACT) - 1


def test_says_where_a_token_is_needed(description: dict[str, Any]) -> None:
    """The Authorize button of /docs sends a bearer token to all but /login and /health."""
    assert description["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    for where, operation in operations(description):
        assert ("security" in operation) is (where not in WITHOUT_TOKEN), where


def test_a_chat_answers_in_lines_or_in_one_object(description: dict[str, Any]) -> None:
    """Both types have the chunk's schema."""
    content = description["paths"]["/chat"]["post"]["responses"]["200"]["content"]
    assert set(content) == {"application/x-ndjson", "application/json"}
    assert {kind["schema"]["$ref"] for kind in content.values()} == {"#/components/schemas/ChatChunk"}


def test_every_reference_leads_somewhere(description: dict[str, Any]) -> None:
    """Generated clients find every schema."""
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(description)))
    assert names <= set(description["components"]["schemas"])
    assert "$defs" not in json.dumps(description)


def test_every_error_has_the_one_shape(description: dict[str, Any]) -> None:
    """Except Ollama's own errors, and the report of an unhealthy /health."""
    exceptions = {("/chat", "404"): "OllamaError", ("/health", "503"): "Unhealthy"}
    for (_, path), operation in operations(description):
        for status, response in operation["responses"].items():
            if int(status) >= 400 and (path, status) != ("/files/{filename}", "422"):
                schema = response["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                assert schema == exceptions.get((path, status), "Error"), (path, status)


def test_no_two_operations_have_one_name(shared_gateway: Gateway) -> None:
    """Generated clients use them as names; FastAPI only warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        create_app(shared_gateway.settings).openapi()


def test_the_documentation_loads_nothing_from_elsewhere(gateway: Gateway) -> None:
    """Script, style and icon exist on the gateway itself."""
    page = gateway.stranger.get("/docs").text
    assets = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert assets
    assert all(asset.startswith("/") and not asset.startswith("//") for asset in assets)
    assert {gateway.stranger.get(asset).status_code for asset in assets} == {200}

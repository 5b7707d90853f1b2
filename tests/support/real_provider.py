"""Somebody at the pages of a real provider: oidc-provider's own, as tests/e2e/provider runs it."""

import re
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

CLIENT_SECRET = "a secret of the tests: %+"
PEOPLE = {
    "member": {"email": "member@example.org", "email_verified": True, "name": "A member"},
    "stranger": {"email": "member@evil-example.org", "email_verified": True},
    "unverified": {"email": "other@example.org", "email_verified": False},
    "admin": {"email": "boss@elsewhere.net", "email_verified": False, "groups": ["localchat-admins"]},
}
MAX_STEPS = 12


def log_in_there(client: httpx.Client, url: str, login: str, callback: str, answer: str = "yes") -> dict[str, str]:
    """What the browser comes back to `callback` with; after "no", with a denial."""
    response = client.get(url)
    for _ in range(MAX_STEPS):
        if "Location" in response.headers:
            url = urljoin(url, response.headers["Location"])
            if url.startswith(callback):
                return dict(parse_qsl(urlsplit(url).query))
            response = client.get(url)
        elif answer == "no":
            response = client.get(url.rstrip("/") + "/abort")
        else:
            url, fields = _form(response.text, url)
            response = client.post(url, data={**fields, "login": login, "password": "any"})
    raise AssertionError(f"not back after {MAX_STEPS} steps: {response.status_code} {response.text[:500]}")


def _form(page: str, url: str) -> tuple[str, dict[str, str]]:
    """Where the form of a page leads, and its hidden fields."""
    action = re.search(r'<form[^>]* action="([^"]+)"', page)
    assert action, page[:2_000]
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return urljoin(url, action[1]), dict(hidden)


class LeadTo(httpx.HTTPTransport):
    """For `mounts`: requests to a name that only containers know go to `address`."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._host, _, port = address.partition(":")
        self._port = int(port)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_with(host=self._host, port=self._port)
        # With the Host header as it was.
        led = httpx.Request(
            request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
        )
        return super().handle_request(led)

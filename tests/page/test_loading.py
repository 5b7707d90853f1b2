"""The page in a browser: it loads under its Content-Security-Policy, which blocks everything else."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Response, Route, expect

from tests.page.trouble import Trouble
from tests.support.stack import Stack

PLANTED = "<script>document.documentElement.dataset.planted = 'ran'</script>"
APPEND = "const append = (tag, fields) => document.body.append(Object.assign(document.createElement(tag), fields));"


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    return shared_stack


def test_the_page_loads_and_its_script_runs(page: Page) -> None:
    """With an empty console and no other origin; see conftest.py."""
    response = page.goto("/")
    assert isinstance(response, Response)
    assert response.status == 200
    expect(page).to_have_title("LocalChat")
    expect(page.locator("#page")).not_to_be_empty()


def plant(page: Page, *, policy: bool) -> None:
    """Opens the page with a foreign script in it, with its policy or without."""

    def serve(route: Route) -> None:
        response = route.fetch()
        headers = {
            name: value for name, value in response.headers.items() if policy or name != "content-security-policy"
        }
        route.fulfill(response=response, headers=headers, body=response.text().replace("<body>", f"<body>{PLANTED}"))

    page.route("/", serve)
    page.goto("/")
    expect(page.locator("#page")).not_to_be_empty()


def test_a_planted_script_does_not_run(page: Page, trouble: Trouble) -> None:
    """Injected HTML runs no script; the page itself keeps working."""
    trouble.expect("script-src")
    plant(page, policy=True)
    expect(page.locator("html")).not_to_have_attribute("data-planted", "ran")


def test_without_the_policy_it_would(page: Page) -> None:
    """The control."""
    plant(page, policy=False)
    expect(page.locator("html")).to_have_attribute("data-planted", "ran")


@pytest.mark.parametrize(
    ("attempt", "rule"),
    [
        ("document.body.setAttribute('style', 'color: red')", "style-src"),
        ("append('style', { textContent: '*{}' })", "style-src"),
        ("try { document.body.innerHTML = '<b>x</b>' } catch {}", "require-trusted-types-for"),
        ("try { trustedTypes.createPolicy('mine', {}) } catch {}", "trusted-types"),
        ("try { setTimeout('1', 0) } catch {}", "require-trusted-types-for|script-src"),
        ("fetch('http://127.0.0.1:1/').catch(() => 0)", "connect-src"),
        ("navigator.sendBeacon('http://127.0.0.1:1/')", "connect-src"),
        ("new WebSocket('ws://127.0.0.1:1/')", "connect-src"),
        ("append('img', { src: 'data:image/gif;base64,R0lGODlhAQABAAAAACw=' })", "img-src"),
        ("append('iframe', { src: '/docs' })", "frame-src"),
        ("append('base', { href: '/x/' })", "base-uri"),
    ],
)
def test_the_policy_keeps_it_out(page: Page, trouble: Trouble, attempt: str, rule: str) -> None:
    """What no script on the page may do, even if it was tricked."""
    trouble.expect(f"policy violation: ({rule})")
    trouble.expect("Content Security Policy|requires 'Trusted|TrustedTypePolicy|Refused|violates")
    page.goto("/")
    page.evaluate(f"() => {{ {APPEND} {attempt} }}")


@pytest.mark.parametrize(
    ("attempt", "complaint"),
    [
        ("console.error('one thing')", "console error: one thing"),
        ("setTimeout(() => { throw new Error('another') })", "uncaught: .*another"),
        ("Promise.reject(new Error('a third'))", "uncaught: .*a third"),
        ("fetch('/no-such-thing')", "console error: .*404"),
        ("location.href = 'http://localhost:1/'", "request elsewhere: GET http://localhost:1/"),
    ],
)
def test_what_goes_wrong_is_noticed(page: Page, trouble: Trouble, attempt: str, complaint: str) -> None:
    """The control for all tests without errors: each of these would fail its test."""
    page.goto("/")
    assert trouble.left(page.context) == []
    trouble.expect(complaint)
    page.evaluate(f"() => {{ {attempt} }}")


def test_axe_finds_what_keeps_people_out(page: Page, axe: Callable[[Page], list[str]]) -> None:
    """The control for every test that uses it."""
    page.goto("/")
    page.evaluate("() => document.body.append(new Image())")
    assert any(finding.startswith("image-alt (critical)") for finding in axe(page))

"""/docs in a browser: Swagger UI works under its policy, with local files."""

from playwright.sync_api import Page, expect

from tests.page.trouble import Trouble


def test_docs_can_be_tried_out(page: Page, trouble: Trouble) -> None:
    """Its scripts and styles load, its requests reach the API, and nothing violates its policy."""
    # Without a login.
    trouble.expect("401")
    page.goto("/docs")
    page.locator("#operations-models-models_models_get .opblock-summary").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table")).to_contain_text("POST /login")
    page.get_by_role("button", name="Authorize").first.click()
    expect(page.locator(".auth-container")).to_contain_text("access_token")


def test_docs_runs_no_other_script(page: Page, trouble: Trouble) -> None:
    """Neither an inline one nor one from elsewhere."""
    trouble.expect("policy violation: script-src")
    trouble.expect("Content Security Policy|Refused|violates")
    page.goto("/docs")
    page.evaluate("""() => {
        const script = document.createElement("script")
        script.textContent = "window.ran = true"
        document.body.append(script)
    }""")
    assert page.evaluate("window.ran") is None

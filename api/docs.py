"""GET /docs: Swagger UI over /openapi.json. Its files are fastapi-offline's; it loads nothing from elsewhere."""

import base64
import hashlib
import re

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

STATIC = "/static-offline-docs"  # where FastAPIOffline mounts them

router = APIRouter(include_in_schema=False)


def _page() -> str:
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="LocalChat",
        swagger_js_url=f"{STATIC}/swagger-ui-bundle.js",
        swagger_css_url=f"{STATIC}/swagger-ui.css",
        swagger_favicon_url=f"{STATIC}/favicon.png",
        # On anything but localhost Swagger UI would have /openapi.json checked at swagger.io.
        swagger_ui_parameters={"validatorUrl": None},
    )
    return bytes(page.body).decode()


def _policy(page: str) -> str:
    """Its own files, the one script that stands in it, and the API for "Try it out"."""
    scripts = re.findall("<script>(.*?)</script>", page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src 'self' {allowed}; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


PAGE = _page()
HEADERS = {"Content-Security-Policy": _policy(PAGE), "Cache-Control": "no-cache"}


@router.get("/docs")
async def docs() -> HTMLResponse:
    return HTMLResponse(PAGE, headers=HEADERS)

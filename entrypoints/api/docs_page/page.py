"""Page and assets: Swagger UI from the package fastapi-offline, whose own page has inline scripts."""

from html import escape
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, Response

from entrypoints.static_files import NOSNIFF, HeadedFiles

PATH = "/docs"
ASSETS = "/docs/static"

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    **NOSNIFF,
}

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="{assets}/favicon.png">
<link rel="stylesheet" href="{assets}/swagger-ui.css">
</head>
<body>
<div id="swagger-ui" data-document="{document}"></div>
<script src="{assets}/swagger-ui-bundle.js"></script>
<script src="{assets}/start.js"></script>
</body>
</html>
"""


def add_docs_page(app: FastAPI) -> None:
    """Add the page and its assets to the app."""
    static = Path(__file__).with_name("static")
    assets = HeadedFiles(static, NOSNIFF, packages=[("fastapi_offline", "static")])
    app.mount(ASSETS, assets, name="docs-assets")
    app.add_api_route(PATH, _page, include_in_schema=False)


async def _page(request: Request) -> Response:
    root, app = request.scope.get("root_path", ""), request.app
    content = _PAGE.format(
        title=escape(app.title), assets=escape(root + ASSETS), document=escape(f"{root}{app.openapi_url}")
    )
    return HTMLResponse(content, headers=_HEADERS)

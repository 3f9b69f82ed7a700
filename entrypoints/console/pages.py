"""Page and files of the console, which a browser may connect with this service alone."""

from pathlib import Path

from fastapi import FastAPI, Request
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, RedirectResponse, Response

from entrypoints.static_files import NOSNIFF, HeadedFiles

PATH = "/console"
STATIC = Path(__file__).with_name("static")

MIN_COMPRESSED_BYTES = 500
"""Size from which a file is compressed."""

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "media-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types lit-html",
)
HEADERS = {
    "Content-Security-Policy": "; ".join(_POLICY),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    **NOSNIFF,
    "Cache-Control": "no-cache",  # a browser asks each time, and gets 304 for what it has
}


def add_console(app: FastAPI) -> None:
    """Add the page and its files to the app."""
    app.add_api_route(PATH, _page, include_in_schema=False)
    files = GZipMiddleware(HeadedFiles(STATIC, HEADERS), minimum_size=MIN_COMPRESSED_BYTES)
    app.mount(PATH, files, name="console")


async def _page(request: Request) -> Response:
    """Answer with the page, whose references are relative to a path that ends with a slash."""
    path: bytes = request.scope.get("raw_path", b"/")
    if not path.endswith(b"/"):
        return RedirectResponse(f".{PATH}/", headers=HEADERS)
    return FileResponse(STATIC / "index.html", headers=HEADERS)

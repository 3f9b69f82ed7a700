"""Static files for browsers, with headers."""

from collections.abc import Mapping
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

NOSNIFF = {"X-Content-Type-Options": "nosniff"}
"""Header that lets a browser take a file for what it is declared to be."""


class HeadedFiles(StaticFiles):
    """Files of a folder, and of packages, each with the same headers."""

    def __init__(
        self, directory: Path, headers: Mapping[str, str], *, packages: list[tuple[str, str]] | None = None
    ) -> None:
        super().__init__(directory=directory, packages=[*(packages or ())])
        self._headers = headers

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Add the headers to the answer, also to one that the file has not changed."""
        response = await super().get_response(path, scope)
        response.headers.update(self._headers)
        return response

"""What an installation may leave out: the extras of `pyproject.toml`, by the modules that they bring."""

from importlib.util import find_spec

from domain.model.errors import ConfigurationError

EXTRAS = {
    "speech": ("av", "numpy", "pocketsphinx"),
    "server": ("fastapi", "h11", "python_multipart", "starlette", "uvicorn"),
    "demo": ("flask", "flask_cors", "moto"),
    "parquet": ("pyarrow",),
}


def require(extra: str, needed_by: str, *, but: frozenset[str] = frozenset()) -> None:
    """Look whether an extra is installed, without importing any of it.

    Args:
        extra: one of `EXTRAS`.
        needed_by: what cannot run without it, for the message.
        but: modules of the extra that are not needed this time.

    Raises:
        ConfigurationError: part of it is missing; the message says how to install it.
    """
    missing = [module for module in EXTRAS[extra] if module not in but and find_spec(module) is None]
    if missing:
        install = f"run `pip install '.[{_together(extra)}]'` in the folder of the repository."
        raise ConfigurationError(
            f"{needed_by} needs {', '.join(missing)}, not installed here: {install}{_without_wheels(missing)}"
        )


def _together(extra: str) -> str:
    """The server is of no use without an engine."""
    return "server,speech" if extra == "server" else extra


def _without_wheels(missing: list[str]) -> str:
    if missing != ["pocketsphinx"]:
        return ""
    return " On aarch64 pocketsphinx has wheels for Python 3.11 and 3.13, and none for 3.12."

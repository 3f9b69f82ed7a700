"""Optional dependencies: the extras of `pyproject.toml`, and the modules that they install."""

from importlib.util import find_spec

from domain.model.errors import ConfigurationError

EXTRAS = {
    "speech": ("av", "numpy", "pocketsphinx"),
    "server": ("fastapi", "fastapi_offline", "h11", "starlette", "uvicorn"),
    "demo": ("flask", "flask_cors", "moto"),
    "parquet": ("pyarrow",),
}


def require(extra: str, needed_by: str, *, but: frozenset[str] = frozenset()) -> None:
    """Check that one of `EXTRAS` is installed, except the modules `but`, without importing it.

    `needed_by` is the command or setting that needs the extra, for the message.

    Raises:
        ConfigurationError: a module is missing; the message says how to install it.
    """
    missing = [module for module in EXTRAS[extra] if module not in but and find_spec(module) is None]
    if missing:
        extras = "server,speech" if extra == "server" else extra  # a server needs a speech engine
        install = f"run `pip install '.[{extras}]'` in the folder of the repository."
        raise ConfigurationError(
            f"{needed_by} needs {', '.join(missing)}, not installed here: {install}{_no_wheel_hint(missing)}"
        )


def _no_wheel_hint(missing: list[str]) -> str:
    if missing != ["pocketsphinx"]:
        return ""
    return " On aarch64 pocketsphinx has wheels for Python 3.11 and 3.13, but not for 3.12."

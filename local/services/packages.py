"""Where the programs are that came with installed packages."""

from importlib.util import find_spec
from pathlib import Path


def directory_of(package: str) -> Path:
    """Return the directory of an installed package without importing it.

    Raises ModuleNotFoundError when it is not installed.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed", name=package)
    return Path(spec.origin).parent

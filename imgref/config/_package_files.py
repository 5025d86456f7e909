"""Files of installed Python packages, found without running any code of the package."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from imgref.errors import ConfigError

__all__ = ["extended", "package_file"]

_PREFIX: Final = "package:"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def extended(extends: str, path: Path, line: int | None) -> Path:
    """Return the settings file that another one extends: a path relative to it, or a file of an installed package.

    Args:
        extends: the value in the file.
        path: the file.
        line: the line with it, for an error.

    Raises:
        ConfigError: it begins like a file of a package, but does not name one.
    """
    if not extends.startswith(_PREFIX):
        return path.parent / extends
    try:
        return package_file(extends)
    except ValueError as error:
        raise ConfigError(f"extends: {error}", str(path), line) from error


def package_file(text: str, *, search: Sequence[str] | None = None) -> Path:
    """Return the path of a file in an installed package.

    Nothing is imported: the package is only looked up. The working directory does not
    count, even if Python has it on its path, so that a tree that is checked cannot pass for the package.

    Args:
        text: ``package:``, the name of the package, ``/`` and the path in it.
        search: the directories with packages; by default those of this Python.

    Raises:
        ValueError: it does not have this form, or the package or file does not exist.
    """
    name, slash, inside = text.removeprefix(_PREFIX).partition("/")
    parts = inside.split("/")
    if not _NAME.fullmatch(name) or not slash or any(part in {"", ".", ".."} for part in parts):
        raise ValueError(f"{text!r} is not of the form {_PREFIX}NAME/FILE, such as {_PREFIX}acme_policy/imgref.toml")
    directories = _directories(name, sys.path if search is None else search)
    if not directories:
        raise ValueError(f"the package {name!r} is not installed where imgref is: install it for {sys.executable}")
    found = next((path for path in (directory.joinpath(*parts) for directory in directories) if path.is_file()), None)
    if found is None:
        raise ValueError(f"the package {name!r} has no file {inside!r} in {directories[0]}")
    return found


def _directories(name: str, search: Sequence[str]) -> list[Path]:
    from importlib.machinery import PathFinder

    here = os.path.realpath(os.curdir)
    places = [place for place in search if Path(place).is_absolute() and os.path.realpath(place) != here]
    spec = PathFinder.find_spec(name, places)
    return [] if spec is None else [Path(place) for place in spec.submodule_search_locations or ()]

"""Settings files of other tools: read with the line that is wrong, written whole, private, and through links."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

from imgref._utils.documents import DocumentError, parse_json, parse_toml
from imgref._utils.files import replace_file
from imgref._utils.locks import locked
from imgref.errors import ConfigError

__all__ = ["LineFinder", "line_of", "read_json", "read_toml", "settings_lock", "write_private"]


def read_json(path: Path) -> dict[str, object] | None:
    """Read a JSON object; None without a file, and an empty object if the file is empty.

    Raises:
        ConfigError: the file cannot be read, or is not a JSON object.
    """
    text = _read(path)
    if text is None:
        return None
    if not text.strip():
        return {}
    try:
        value = parse_json(text)
    except DocumentError as error:
        # Not chained, so that no cause keeps a part of the document, which contains passwords.
        raise ConfigError(error.reason, str(path), error.line) from None
    if not isinstance(value, dict):
        raise ConfigError("must hold a JSON object", str(path), 1)
    return cast("dict[str, object]", value)


def read_toml(path: Path) -> dict[str, object] | None:
    """Read a TOML file; None if it does not exist.

    Raises:
        ConfigError: the file cannot be read, or is not valid TOML.
    """
    text = _read(path)
    if text is None:
        return None
    try:
        return parse_toml(text)
    except DocumentError as error:
        raise ConfigError(error.reason, str(path), error.line) from None


def line_of(path: Path, text: str) -> int | None:
    """Find the 1-based line with a string; None rather than a wrong guess."""
    lines = (_read(path) or "").splitlines()
    return next((number for number, line in enumerate(lines, 1) if text in line), None)


class LineFinder:
    """Finds values in a file, with their lines: in linear time if they are requested in the order of the file.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text: str | None = None
        self._at, self._line = 0, 1

    def of(self, value: str) -> str:
        """Return the file, with the line of a value, after that of the last one if it is there too."""
        if self._text is None:
            self._text = _read(self._path) or ""
        found = self._text.find(value, self._at)
        if found < 0:
            found = self._text.find(value, 0, self._at + len(value))
            if found < 0:
                return str(self._path)
            return f"{self._path}:{self._text.count(chr(10), 0, found) + 1}"
        self._line += self._text.count("\n", self._at, found)
        self._at = found
        return f"{self._path}:{self._line}"


def write_private(path: Path, text: str) -> None:
    """Write a string to a file that only its owner can read: as a whole, or not at all.

    A symbolic link stays one, and the file that it names is replaced: dotfiles are often kept elsewhere. A file that
    exists keeps its owner and group, also where root writes it, and its mode unless others may read it.

    Raises:
        ConfigError: the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(target, text.encode("utf-8"), private=True)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", str(path)) from error


@contextmanager
def settings_lock(path: Path) -> Iterator[None]:
    """Keep other processes from changing a settings file between reading and writing it.

    Raises:
        ConfigError: the file's directory cannot be created or read.
    """
    directory = Path(os.path.realpath(path)).parent
    with ExitStack() as stack:
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            stack.enter_context(locked(directory))
        except OSError as error:
            raise ConfigError(f"cannot be written: {error.strerror}", str(path)) from error
        yield


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8", str(path)) from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"cannot be read: {reason}", str(path)) from error

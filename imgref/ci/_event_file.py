"""The JSON file in which a CI system describes an event."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from imgref.ci._system import System

__all__ = ["EventFile"]


class EventFile:
    """The JSON file that describes an event; without values if it cannot be read."""

    def __init__(self, system: System, environ: Mapping[str, str]) -> None:
        self._variable = system.event_file
        self._data: object = None
        path = environ.get(system.event_file, "") if system.event_file else ""
        if path:
            import json

            try:
                self._data = json.loads(Path(path).read_bytes())
            except (OSError, ValueError, RecursionError):
                self._data = None

    def value(self, path: str) -> object:
        """Return the value at a path, or None."""
        value = self._data
        for key in path.split("."):
            if isinstance(value, list):
                value = value[0] if len(value) == 1 else None
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def text(self, path: str) -> str | None:
        """Return the string at a path, or None."""
        value = self.value(path)
        return value if isinstance(value, str) else None

    def number(self, path: str) -> str | None:
        """Return the number of a pull request at a path, or None."""
        value = self.value(path)
        return str(value) if type(value) is int and 0 < value < 10**18 else None

    def told_by(self, path: str) -> str:
        """Return the variable and the path, for a message."""
        return f"{self._variable} ({path})"

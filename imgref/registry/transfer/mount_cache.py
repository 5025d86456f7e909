"""What imgref pushed where: repositories from which a registry can mount a blob that it has already. Best effort."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from imgref._grammar import PATH, is_a
from imgref._utils.files import replace_file
from imgref.reference import ImageReference

__all__ = ["PushedBlobs"]

_MOST_BLOBS: Final = 10_000
_MOST_PLACES: Final = 2
_LARGEST: Final = 16 << 20


class PushedBlobs:
    """A file that remembers the last repositories of each blob; without it, or where it is damaged, nothing is lost.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, list[str]] | None = None

    def places(self, registry: str, digest: str) -> list[str]:
        """Return the paths of repositories on a registry that had the blob when it was pushed, the latest first."""
        if self._known is None:
            self._known = self._read()
        return list(self._known.get(f"{registry} {digest}", ()))

    def remember(self, repository: ImageReference, digests: Iterable[str]) -> None:
        """Note that a repository has blobs."""
        # Read again: another push may have written meanwhile.
        known = self._read()
        for digest in digests:
            key = f"{repository.registry} {digest}"
            others = [path for path in known.pop(key, ()) if path != repository.path]
            known[key] = [repository.path, *others][:_MOST_PLACES]
        while len(known) > _MOST_BLOBS:
            del known[next(iter(known))]
        self._known = known
        self._write(known)

    def _read(self) -> dict[str, list[str]]:
        try:
            if self._path.stat().st_size > _LARGEST:
                return {}
            value = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(value, dict):
            return {}
        return {
            key: [path for path in paths if isinstance(path, str) and is_a(PATH, path)]
            for key, paths in value.items()
            if isinstance(paths, list)
        }

    def _write(self, known: dict[str, list[str]]) -> None:
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._path, json.dumps(known).encode())

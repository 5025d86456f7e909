"""Writes OCI layouts that are directories."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from imgref._utils.locks import locked
from imgref.archive._json import read_value
from imgref.archive._layout import IMAGE_NAME, REF_NAME, blob_name
from imgref.archive._layout_writer import LAYOUT, LayoutWriter, good_blobs, index_of, json_bytes
from imgref.archive._staging import is_stage, stage_directory
from imgref.archive.image import Image
from imgref.archive.manifest import Descriptor, read_json
from imgref.archive.storage import Directory
from imgref.errors import ArchiveError
from imgref.reference import ImageReference

__all__ = ["DirectoryWriter", "refuse_other_directory"]


class DirectoryWriter(LayoutWriter):
    """Creates everything in a directory beside the target, and moves it there at the end, index.json last.

    Others may write to the same layout meanwhile: what it lists is read at the end, under a lock.
    """

    def __init__(self, path: str, image: Image, reference: ImageReference) -> None:
        super().__init__(path, image, reference)
        self._target = Path(os.path.realpath(path))
        exists = self._target.exists()
        # Beside the target only if that does not exist yet: an existing one may be a mount point.
        home = self._target if exists else self._target.parent
        old = Directory(path) if exists else None
        good = good_blobs(old, self._blobs.values()) if old else set()
        self.missing = frozenset(self._blobs.keys() - good)
        self._others(old)
        try:
            self._stage = stage_directory(home, self._target)
        except OSError as error:
            raise self._unwritable(error) from error

    def write(self, descriptor: Descriptor, chunks: Iterable[bytes], *, verified: bool = False) -> None:
        place = self._stage.path / blob_name(descriptor.digest)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("wb", buffering=0) as file:
                for chunk in self._checked(descriptor, chunks, verified=verified):
                    _write_all(file.fileno(), chunk)
        except OSError as error:
            raise self._unwritable(error) from error

    def finish(self) -> None:
        try:
            self._finish()
        except OSError as error:
            raise self._unwritable(error) from error

    def _finish(self) -> None:
        for manifest in self._manifests.values():
            place = self._stage.path / blob_name(manifest.digest)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(manifest.raw)
        (self._stage.path / "oci-layout").write_bytes(LAYOUT)
        if not self._target.exists():
            with locked(self._target.parent):
                if not self._target.exists():
                    self._list_images(None)
                    self._stage.path.rename(self._target)
                    return
        with locked(self._target):
            refuse_other_directory(self._target, self._path)
            self._list_images(Directory(self._path))
            self._move_files()

    def _list_images(self, old: Directory | None) -> None:
        """Write the files that list this image and those that the layout has."""
        if listed := self._merged_saves(old, self._loadable()):
            (self._stage.path / "manifest.json").write_bytes(json_bytes(listed))
        (self._stage.path / "index.json").write_bytes(index_of([*self._others(old), self._entry()]))

    def _move_files(self) -> None:
        for file in sorted(self._stage.path.rglob("*"), key=lambda file: file.name == "index.json"):
            place = self._target / file.relative_to(self._stage.path)
            if file.is_dir():
                place.mkdir(exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                file.replace(place)

    def _others(self, old: Directory | None) -> list[object]:
        """Return the lines of index.json that stay: those of other names, or of no name and another digest."""
        if old is None or old.size("index.json") is None:
            return []
        try:
            listed = read_json(old.read("index.json")).get("manifests")
        except ValueError as error:
            raise ArchiveError(str(error), self._path, "index.json") from error
        mine = self._entry()
        return [entry for entry in (listed if isinstance(listed, list) else []) if not _same_name(entry, mine)]

    def _merged_saves(self, old: Directory | None, mine: dict[str, object] | None) -> list[object]:
        try:
            listed = read_value(old.read("manifest.json")) if old else []
        except (ArchiveError, ValueError):
            listed = []
        others: list[object] = [e for e in listed if isinstance(e, dict)] if isinstance(listed, list) else []
        if mine is None:
            return others
        names = mine["RepoTags"]
        return [*(e for e in others if isinstance(e, dict) and e.get("RepoTags") != names), mine]

    def _discard(self) -> None:
        self._stage.discard()


def refuse_other_directory(target: Path, path: str) -> None:
    # What other writers have not finished yet, or left behind when they were killed, does not count.
    if not (target / "index.json").is_file() and not all(is_stage(entry.name) for entry in target.iterdir()):
        raise ArchiveError("is a directory with other things in it, and no OCI layout", path)


def _same_name(entry: object, mine: dict[str, object]) -> bool:
    if not isinstance(entry, dict):
        return True
    theirs, ours = entry.get("annotations"), mine.get("annotations")
    theirs, ours = theirs if isinstance(theirs, dict) else {}, ours if isinstance(ours, dict) else {}
    if not ours:
        return bool(entry.get("digest") == mine["digest"]) and REF_NAME not in theirs
    image = theirs.get(IMAGE_NAME, ours[IMAGE_NAME])
    return bool(theirs.get(REF_NAME) == ours[REF_NAME] and image == ours[IMAGE_NAME])


def _write_all(number: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(number, rest) :]

"""Mirrors a list of images: each on its own, so that one that fails does not stop the others."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from imgref.cli import EXIT_REGISTRY, _console
from imgref.errors import ImgrefError, InvalidReference, RegistryError
from imgref.reference import ImageReference, left_out, mirrored, parse
from imgref.repository import Repository
from imgref.update.listed import read_tags

if TYPE_CHECKING:
    from imgref.platforms import Platform
    from imgref.registry.client import RegistryClient
    from imgref.versions import VersionRange

__all__ = ["CopyList", "Pair", "read_pairs"]


@dataclass(frozen=True, slots=True)
class Pair:
    """An image, and where it goes.

    Attributes:
        source: the image.
        target: its new name.
        every: whether the source names a repository, of which a range selects tags.
    """

    source: ImageReference
    target: ImageReference
    every: bool = False


def read_pairs(path: str, to: str | None, *, ranged: bool) -> list[Pair]:
    """Read a list of images, one per line: a reference, or SRC DST. Empty lines and comments are ignored.

    Args:
        path: the file, or ``-`` for standard input.
        to: the registry and prefix for lines without DST.
        ranged: whether a line without a tag means all tags in a range.

    Raises:
        click.UsageError: the list is empty, a line has no DST, or two images would get the same name.
        InvalidReference: a line is not valid.
        OSError: the file cannot be read.
    """
    data = _console.read_stdin() if path == "-" else Path(path).read_bytes()
    text = data.decode("utf-8", "surrogateescape")
    pairs: dict[Pair, None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition(" #")[0].split()
        if not words or words[0].startswith("#"):
            continue
        try:
            pairs[_pair(words, to, ranged=ranged)] = None
        except InvalidReference as error:
            shown, span = error.shown()
            raise InvalidReference(shown, span, f"line {number}: {error.reason}", error.hint) from None
        except ValueError as error:
            raise click.UsageError(f"{path}: line {number}: {error}") from error
    if not pairs:
        raise click.UsageError(f"{path}: there are no images in the list")
    _check_targets(pairs)
    return list(pairs)


def _pair(words: Sequence[str], to: str | None, *, ranged: bool) -> Pair:
    source = parse(words[0])
    every = ranged and "tag" in left_out(words[0])
    if len(words) > 2:
        raise ValueError("a line is a reference, or SRC DST")
    if len(words) == 2:
        return Pair(source, parse(words[1]), every)
    if to is None:
        raise ValueError("there is no DST, and no --to HOST[/PREFIX]")
    target = mirrored(source, to)
    return Pair(source, target.without_digest() if source.tag else target, every)


def _check_targets(pairs: Iterable[Pair]) -> None:
    """Refuse two images that would get the same name."""
    known: dict[ImageReference, ImageReference] = {}
    for pair in pairs:
        other = known.setdefault(pair.target, pair.source)
        if other != pair.source:
            raise click.UsageError(f"{other} and {pair.source} would both be copied to {pair.target}")


@dataclass(frozen=True, slots=True)
class _Copied:
    """What happened to an image, or would happen."""

    pair: Pair
    action: Literal["created", "moved", "unchanged", "skipped"]
    before: str | None
    after: str

    def line(self, *, dry_run: bool) -> str:
        """Return the line of text."""
        would = "would be " if dry_run else ""
        if self.action == "unchanged":
            return f"{self.pair.target}: unchanged {self.after}"
        if self.action == "skipped":
            return f"{self.pair.target}: skipped, it points to {self.before}"
        if self.action == "created":
            return f"{self.pair.target}: {would}created {self.after}"
        return f"{self.pair.target}: {would}moved {self.before} → {self.after}"

    def fields(self, *, dry_run: bool) -> dict[str, object]:
        """Return the object of JSON."""
        place = {"source": str(self.pair.source), "reference": str(self.pair.target)}
        return {**place, "action": self.action, "from": self.before, "to": self.after, "dry_run": dry_run}


@dataclass(frozen=True, slots=True)
class CopyList:
    """How a list of images is copied.

    Attributes:
        client: the client to use.
        platform: copy the images for this platform only.
        referrers: whether to copy what refers to the images.
        missing: whether to skip images that are there, whatever they point to.
        dry_run: whether to show what would happen only.
        jobs: how many blobs move at once.
        versions: which tags to copy of lines without a tag.
        style: ``text``, or ``json`` for an object per image.
    """

    client: RegistryClient
    platform: Platform | None
    referrers: bool
    missing: bool
    dry_run: bool
    jobs: int
    versions: VersionRange | None
    style: str = "text"

    def copy(self, pairs: Sequence[Pair]) -> int:
        """Copy images, report each, and return the exit code."""
        failed: list[str] = []
        count = 0
        for given in pairs:
            try:
                expanded = self._expanded(given)
            except RegistryError as error:
                expanded = []
                count += 1
                failed.append(self._report(given, error))
            for pair in expanded:
                count += 1
                try:
                    self._show(self._copy(pair))
                except ImgrefError as error:
                    failed.append(self._report(pair, error))
        if not failed:
            return 0
        _console.error(f"{len(failed)} of {count} images were not copied: {', '.join(failed)}")
        return EXIT_REGISTRY

    def _show(self, copied: _Copied) -> None:
        if self.style == "json":
            _console.say_json(copied.fields(dry_run=self.dry_run))
        else:
            _console.say(copied.line(dry_run=self.dry_run))
        sys.stdout.flush()

    def _report(self, pair: Pair, error: ImgrefError) -> str:
        _console.show_error(error)
        if self.style == "json":
            place = {"source": str(pair.source), "reference": str(pair.target)}
            _console.say_json({**place, "action": "failed", "error": str(error), "dry_run": self.dry_run})
            sys.stdout.flush()
        return str(pair.source)

    def _expanded(self, pair: Pair) -> list[Pair]:
        if not pair.every or self.versions is None:
            return [pair]
        repository = Repository.of(pair.source)
        tags = read_tags(self.client.list_tags(repository), "semver")
        wanted = [tag.name for tag in tags if tag.version is not None and tag.version in self.versions]
        if not wanted:
            _console.note(f"{repository}: no tag is in the range")
        return [Pair(repository.tag(name), pair.target.with_tag(name)) for name in wanted]

    def _copy(self, pair: Pair) -> _Copied:
        """Copy an image, and return what happened to its name."""
        from imgref.registry.transfer.moves import copy

        before = self.client.find(pair.target)
        if before is not None and self.missing:
            return _Copied(pair, "skipped", before.digest, before.digest)
        after = self.client.resolve(pair.source, self.platform)
        same = before is not None and before.digest == after.digest
        if not self.dry_run and (not same or self.referrers):
            # By digest: the source's tag may move meanwhile.
            source = pair.source.without_tag().with_digest(after.digest)
            target = pair.target
            copy(
                self.client,
                source,
                [target],
                referrers=self.referrers,
                diff_ids=False,
                jobs=self.jobs,
                overwrite="always",
            )
        if before is None:
            return _Copied(pair, "created", None, after.digest)
        return _Copied(pair, "unchanged" if same else "moved", before.digest, after.digest)

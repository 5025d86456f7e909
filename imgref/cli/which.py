"""``imgref which``: the version behind a name."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from imgref.cli import _console
from imgref.cli._each_reference import for_each_reference, read_references
from imgref.cli._help import Command
from imgref.cli._progress import counting
from imgref.cli._registry import with_lookup
from imgref.cli._tag_query import TagQuery
from imgref.errors import NotFound, RegistryError
from imgref.update.aliases import most_specific
from imgref.update.exact import LIMIT, Search, Undecided

if TYPE_CHECKING:
    from imgref.reference import ImageReference
    from imgref.registry.lookup import Lookup

__all__ = ["command"]

_MANY: Final = 8
"""From how many tags on a terminal shows how far the requests are."""


class _Found(NamedTuple):
    """A reference, with the tags that are known to name its image, the most specific first."""

    ref: ImageReference
    digest: str
    aliases: tuple[str, ...]
    host: str | None

    def to_dict(self) -> dict[str, object]:
        return {
            "reference": str(self.ref),
            "tag": self.aliases[0],
            "aliases": list(self.aliases),
            "digest": self.digest,
            "answered_by": self.host,
        }


@click.command(cls=Command)
@click.argument("references", metavar="REF...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Print every tag of the image; sends one HEAD for each tag")
@click.option(
    "--format",
    "style",
    type=click.Choice(["lines", "json", "table"]),
    help="Output format; by default table on a terminal, otherwise lines with the tag",
)
@with_lookup
def command(lookup: Lookup, references: tuple[str, ...], every: bool, style: str | None) -> int:
    """Print the version tag of the image that REF names now.

    For nginx:latest that is a tag such as 1.27.3, for nginx:alpine one such as 1.27.3-alpine, and for a digest a tag
    that points to it. imgref checks the most likely tags first with HEAD requests, at most 100 without --all; if they
    are not enough, the exit code is 3. If no version tag points to the image, it is 4. --format json prints one object
    per line.
    """
    style = style or ("table" if _console.is_terminal() else "lines")
    repositories: dict[str, _Repository] = {}

    def ask(ref: ImageReference) -> _Found:
        if ref.repository not in repositories:
            repositories[ref.repository] = _Repository(lookup, ref)
        return repositories[ref.repository].find(ref, every=every)

    rows: list[tuple[str, ...]] = []

    def show(found: _Found) -> None:
        aliases = found.aliases if every else found.aliases[:1]
        if style == "json":
            _console.say_json(found.to_dict())
        elif style == "lines":
            _console.say("\n".join(aliases))
        else:
            rows.append((found.ref.familiar, aliases[0], *([", ".join(aliases[1:])] if every else []), found.digest))

    code = for_each_reference(read_references(references), ask, show, jobs=1)
    if rows:
        _console.table(("reference", "tag", *(["aliases"] if every else []), "digest"), rows)
    return code


class _Repository:
    """The tags of a repository, and their known digests; each is requested once."""

    def __init__(self, lookup: Lookup, repository: ImageReference) -> None:
        self._lookup = lookup
        self._repository = repository
        self._tags: list[str] | None = None
        # Empty for a tag that is gone by now, None for one that could not be read.
        self._digests: dict[str, str | None] = {}

    def find(self, ref: ImageReference, *, every: bool) -> _Found:
        """Return the version tag of the image that a reference names.

        Raises:
            NotFound: the image does not exist, or no version tag points to it.
            RegistryError: the limit of requests was reached without a result.
        """
        digest = self._lookup.resolve(ref).digest
        host = self._lookup.answered_by(ref)
        if ref.digest is None and ref.tag is not None:
            self._digests[ref.tag] = digest
        if self._tags is None:
            self._tags = self._lookup.list_tags(ref)
        query = ref.tag or ""
        search = Search(query, self._tags, self._digests, self._ask)
        if every:
            self._ask(self._tags)
        else:
            try:
                search.run(digest, LIMIT - 1)
            except Undecided as undecided:
                raise RegistryError(_undecided(ref, undecided.best)) from undecided
        found = search.same(digest)
        best = most_specific(query, found)
        if best is None and None in self._digests.values():
            raise RegistryError(f"{ref}: no version tag names this image ({digest}), but some tags could not be read")
        if best is None:
            raise NotFound(f"{ref}: no version tag names this image ({digest})")
        others = [tag.name for tag in TagQuery().select(found) if tag.name != best]
        return _Found(ref, digest, (best, *others), host)

    def _ask(self, tags: Collection[str]) -> int:
        """Request the digests of tags, unless they are known, and return the number of requests."""
        from imgref.registry.catalog import find_images

        new = [tag for tag in tags if tag not in self._digests]
        with counting("tags", len(new) if len(new) > _MANY else 0) as each:
            images = find_images(self._lookup, self._repository, new, each)
        self._digests.update(dict.fromkeys(new, ""))
        for image in images:
            digest = None if image.descriptor is None else image.descriptor.digest
            self._digests.update(dict.fromkeys(image.tags, digest))
        return len(new)


def _undecided(ref: ImageReference, best: str | None) -> str:
    what = "no version tag of this image" if best is None else f"nothing more specific than {best}"
    return f"{ref}: {what} was found within the limit of {LIMIT} requests; --all asks for every tag"

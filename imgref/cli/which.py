"""``imgref which``: the version behind a name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from imgref.cli import _console
from imgref.cli._each_reference import for_each_reference, read_references
from imgref.cli._progress import counting
from imgref.cli._registry import with_lookup
from imgref.cli._tag_query import TagQuery
from imgref.errors import NotFound, RegistryError
from imgref.update import likely_aliases, most_specific

if TYPE_CHECKING:
    from imgref.reference import ImageReference
    from imgref.registry.lookup import Lookup

__all__ = ["command"]

_MOST: Final = 100
"""HEAD requests for a reference, its own included."""

_BATCH: Final = 8


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


@click.command()
@click.argument("references", metavar="REF...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Print every tag of the image; sends one HEAD for each tag.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["lines", "json", "table"]),
    help="By default table on a terminal, else lines: the tag alone.",
)
@with_lookup
def command(lookup: Lookup, references: tuple[str, ...], every: bool, style: str | None) -> int:
    """Print the version tag of the image that REF names now.

    For nginx:latest that is a tag such as 1.27.3, for nginx:alpine one such as 1.27.3-alpine, and for a digest a tag
    that names it. imgref sends HEAD for the likeliest tags first, and without --all at most 100; if they do not decide,
    the exit code is 3. If no version tag names the image, it is 4. As JSON, each REF is an object on a line.
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
    """The tags of a repository, and what is known about where they point; each is asked for once."""

    def __init__(self, lookup: Lookup, repository: ImageReference) -> None:
        self._lookup = lookup
        self._repository = repository
        self._tags: list[str] | None = None
        # Empty for a tag that is gone by now, None for one that could not be read.
        self._digests: dict[str, str | None] = {}

    def find(self, ref: ImageReference, *, every: bool) -> _Found:
        """Return the version tag of the image that a reference names.

        Raises:
            NotFound: there is no such image, or no version tag names it.
            RegistryError: the tags that may be asked for do not decide.
        """
        digest = self._lookup.resolve(ref).digest
        host = self._lookup.answered_by(ref)
        if ref.digest is None and ref.tag is not None:
            self._digests[ref.tag] = digest
        if self._tags is None:
            self._tags = self._lookup.list_tags(ref)
        query = ref.tag or ""
        if every:
            self._ask(self._tags)
        else:
            self._ask_likely(ref, digest)
        found = self._known(digest)
        best = most_specific(query, found)
        if best is None and None in self._digests.values():
            raise RegistryError(f"{ref}: no version tag names this image ({digest}), but some tags could not be read")
        if best is None:
            raise NotFound(f"{ref}: no version tag names this image ({digest})")
        others = [tag.name for tag in TagQuery().select(found) if tag.name != best]
        return _Found(ref, digest, (best, *others), host)

    def _known(self, digest: str) -> list[str]:
        """Return the tags that are known to name an image."""
        return [tag for tag, found in self._digests.items() if found == digest]

    def _ask(self, tags: Iterable[str]) -> int:
        """Ask where tags point, unless that is known, and return how many had to be asked for."""
        from imgref.registry.catalog import find_images

        new = [tag for tag in tags if tag not in self._digests]
        with counting("tags", len(new) if len(new) > _BATCH else 0) as each:
            images = find_images(self._lookup, self._repository, new, each)
        self._digests.update(dict.fromkeys(new, ""))
        for image in images:
            digest = None if image.descriptor is None else image.descriptor.digest
            self._digests.update(dict.fromkeys(image.tags, digest))
        return len(new)

    def _ask_likely(self, ref: ImageReference, digest: str) -> None:
        """Ask for tags until no other can name the image more exactly.

        Raises:
            RegistryError: that takes too many requests.
        """
        query = ref.tag or ""
        left = _MOST - 1 - self._ask({query} & {*(self._tags or ())})
        while True:
            known = self._known(digest)
            best = most_specific(query, known)
            candidates, size = self._candidates(query, best), 1
            if not candidates:
                return
            # A hit shows what to ask for next: tags that go on after it.
            while candidates and self._known(digest) == known:
                if left == 0:
                    raise RegistryError(_undecided(ref, best))
                size = min(size, left)
                left -= self._ask(candidates[:size])
                candidates, size = candidates[size:], min(2 * size, _BATCH)

    def _candidates(self, query: str, best: str | None) -> list[str]:
        """Return the tags that may be more specific than the best so far, the likeliest first."""
        likely = likely_aliases(query if best is None else best, self._tags or ())
        new = [tag for tag in likely if tag not in self._digests]
        return new if best is None else [tag for tag in new if most_specific(query, [best, tag]) == tag]


def _undecided(ref: ImageReference, best: str | None) -> str:
    what = "no version tag of this image" if best is None else f"nothing more specific than {best}"
    return f"{ref}: {what} was found within the limit of {_MOST} requests; --all asks for every tag"

"""Which tags of a repository ``imgref ls`` lists, and in which order: options, and what they select.

A variant such as ``alpine`` in ``1.27.3-alpine`` is not a pre-release: the tag is read as version 1.27.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar, cast

import click

from imgref.cli._times import parse_since
from imgref.update.listed import ListedTag, read_tags
from imgref.versions import SCHEMES, VersionRange

__all__ = ["TagQuery", "query_options"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _since(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    return None if value is None else parse_since(value, datetime.now(UTC))


def _patterns(context: click.Context, parameter: click.Parameter, value: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    try:
        return tuple(re.compile(text) for text in value)
    except (re.error, OverflowError, RecursionError) as error:
        raise click.UsageError(f"{parameter.opts[0]}: not a valid regular expression: {error}") from error


_OPTIONS: Final = (
    click.option(
        "--sort", type=click.Choice(["version", "created", "name", "none"]), default="version", show_default=True,
        help="Order: newest version, newest image, name, or as the registry lists them",
    ),
    click.option("--scheme", type=click.Choice(list(SCHEMES)), default="semver", help="Version scheme"),
    click.option("--range", "wanted", metavar="RANGE", help="Only these versions, such as '>=1.2,<2', ~1.2 or ^1.2"),
    click.option("--pre", is_flag=True, help="With --range: include pre-releases"),
    click.option("--variant", metavar="NAME", help="Only this variant, such as alpine; '' for tags without a variant"),
    click.option(
        "--since", metavar="TIME", callback=_since,
        help="Only images created since a date (2024-01-31) or within a duration (7d, 12h)",
    ),
    click.option(
        "--include", metavar="REGEX", multiple=True, callback=_patterns,
        help="Only tags that match this regular expression; repeatable",
    ),
    click.option(
        "--exclude", metavar="REGEX", multiple=True, callback=_patterns,
        help="Exclude tags that match this regular expression; repeatable",
    ),
    click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Print only the first N"),
)  # fmt: skip


def query_options(command: _Command) -> _Command:
    """Put the options on a command that select tags; :meth:`TagQuery.of` reads them."""
    decorated: Callable[..., Any] = command
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return cast("_Command", decorated)


@dataclass(frozen=True, slots=True)
class TagQuery:
    """Which tags to list.

    Attributes:
        sort: the order: ``version``, ``created``, ``name`` or ``none``.
        scheme: how versions are read.
        versions: the versions to list, or None for all tags.
        variant: the variant to list, or None for all.
        since: the time after which an image must have been created, or None for any.
        include: patterns of which one must be found in a tag, if there are any.
        exclude: patterns of which none may be found.
        limit: how many to list, or None for all.
    """

    sort: str = "version"
    scheme: str = "semver"
    versions: VersionRange | None = None
    variant: str | None = None
    since: datetime | None = None
    include: tuple[re.Pattern[str], ...] = ()
    exclude: tuple[re.Pattern[str], ...] = ()
    limit: int | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> TagQuery:
        """Return the query that the options of a command mean.

        Raises:
            click.UsageError: options that do not go together.
            InvalidVersion: the range is not one.
        """
        wanted, pre = values["wanted"], values["pre"]
        if pre and wanted is None:
            raise click.UsageError("--pre goes with --range; without a range pre-releases are listed anyway")
        versions = None if wanted is None else VersionRange.parse(wanted, values["scheme"], prereleases=pre or None)
        rest = ("sort", "scheme", "variant", "since", "include", "exclude", "limit")
        return cls(versions=versions, **{name: values[name] for name in rest})

    @property
    def needs_images(self) -> bool:
        """Whether names alone do not decide: the images must be known as well."""
        return self.sort == "created" or self.since is not None

    def select(self, names: Iterable[str]) -> list[ListedTag]:
        """Return the tags that the query selects by their names, in its order; all orders but ``created`` are final.

        >>> tags = ["1.27.3-alpine", "1.27.3", "latest", "1.28.0", "alpine"]
        >>> [tag.name for tag in TagQuery(variant="alpine").select(tags)]
        ['1.27.3-alpine', 'alpine']
        """
        tags = [tag for tag in read_tags(names, self.scheme) if self._selects(tag)]
        return _ordered(tags, self.sort)

    def _selects(self, tag: ListedTag) -> bool:
        if self.include and not any(pattern.search(tag.name) for pattern in self.include):
            return False
        if any(pattern.search(tag.name) for pattern in self.exclude):
            return False
        # The name of a variant alone is the floating tag of its newest version.
        if self.variant is not None and self.variant not in (tag.variant, tag.name):
            return False
        return self.versions is None or (tag.version is not None and tag.version in self.versions)


def _ordered(tags: list[ListedTag], by: str) -> list[ListedTag]:
    if by == "none":
        return tags
    tags = sorted(tags, key=lambda tag: tag.name)
    if by == "name":
        return tags
    # Of names for the same version, the exact one comes before floating ones, and the plain one before variants.
    versions = [(tag.version, tag) for tag in tags if tag.version is not None]
    versions.sort(key=lambda pair: (-len(pair[0].parts), bool(pair[1].variant)))
    versions.sort(key=lambda pair: pair[0].order, reverse=True)
    return [tag for _, tag in versions] + [tag for tag in tags if tag.version is None]

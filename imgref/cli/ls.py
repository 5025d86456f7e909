"""``imgref ls``: the tags of a repository."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import click

from imgref.cli import _console
from imgref.cli._registry import read_repository, with_client
from imgref.update.tag_parts import read_tag
from imgref.versions import SCHEMES, Version, VersionRange, read_name, read_names

if TYPE_CHECKING:
    from imgref.registry.client import RegistryClient

__all__ = ["command"]


class _Tag(NamedTuple):
    name: str
    version: Version | None
    released: Version | None
    """The version without the variant: 1.27.3-alpine is the release 1.27.3."""


@click.command()
@click.argument("repository", metavar="REPO")
@click.option("--sort", type=click.Choice(["version", "name", "none"]), default="version", show_default=True)
@click.option("--scheme", type=click.Choice(list(SCHEMES)), default="semver", help="How versions are read.")
@click.option("--range", "wanted", metavar="RANGE", help="Only these versions, as in '>=1.2,<2' or '~1.2'.")
@click.option("--pre", is_flag=True, help="With --range: pre-releases too.")
@click.option("--include", metavar="REGEX", multiple=True, help="Only tags in which this is found. Repeatable.")
@click.option("--exclude", metavar="REGEX", multiple=True, help="No tags in which this is found. Repeatable.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Print the first N only.")
@click.option("--full", is_flag=True, help="Print full references.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["lines", "json", "table"]),
    help="By default table on a terminal, else lines.",
)
@with_client
def command(
    client: RegistryClient,
    repository: str,
    sort: str,
    scheme: str,
    wanted: str | None,
    pre: bool,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    limit: int | None,
    full: bool,
    style: str | None,
) -> int:
    """List the tags of a repository, the newest version first.

    Names that are no version come last. A pre-release is in a range only with --pre, or where the range itself names
    a pre-release. A variant such as 1.27.3-alpine is not a pre-release.
    """
    repo = read_repository(repository)
    kept, dropped = _patterns("--include", include), _patterns("--exclude", exclude)
    versions = None if wanted is None else _range(wanted, scheme, pre=pre)
    if pre and versions is None:
        raise click.UsageError("--pre goes with --range; without a range pre-releases are listed anyway")
    style = style or ("table" if _console.is_terminal() else "lines")
    names = client.list_tags(repo)
    read = read_names(names, scheme) if sort == "version" or versions is not None or style != "lines" else {}
    tags = [
        _Tag(name, read.get(name), _without_variant(name, read.get(name), scheme))
        for name in names
        if (not kept or any(pattern.search(name) for pattern in kept))
        and not any(pattern.search(name) for pattern in dropped)
    ]
    if versions is not None:
        tags = [tag for tag in tags if tag.released is not None and tag.released in versions]
    tags = list(_sorted(tags, sort))[:limit]
    shown = [str(repo.with_tag(tag.name)) if full else tag.name for tag in tags]
    _print(tags, shown, repo.repository, style)
    return 0


def _patterns(option: str, texts: Iterable[str]) -> list[re.Pattern[str]]:
    try:
        return [re.compile(text) for text in texts]
    except (re.error, OverflowError, RecursionError) as error:
        raise click.UsageError(f"{option}: no regular expression: {error}") from error


def _range(text: str, scheme: str, *, pre: bool) -> VersionRange:
    return VersionRange.parse(text, scheme, prereleases=pre or None)


def _without_variant(name: str, version: Version | None, scheme: str) -> Version | None:
    """Return the version that a tag has without its variant, which SemVer reads as a pre-release."""
    if version is None or not version.prerelease:
        return version
    parts = read_tag(name)
    if parts is None or parts.pre:
        return version
    return read_name(".".join(version.parts), scheme)


def _is_prerelease(tag: _Tag) -> bool:
    return tag.released is not None and tag.released.prerelease


def _sorted(tags: list[_Tag], by: str) -> Iterator[_Tag]:
    if by == "none":
        yield from tags
        return
    tags = sorted(tags, key=lambda tag: tag.name)
    if by == "name":
        yield from tags
        return
    # Of names for the same version, the exact one stands before its floats.
    versions = [(tag.version, tag) for tag in tags if tag.version is not None]
    versions.sort(key=lambda pair: -len(pair[0].parts))
    versions.sort(key=lambda pair: pair[0].order, reverse=True)
    yield from (tag for _, tag in versions)
    yield from (tag for tag in tags if tag.version is None)


def _print(tags: list[_Tag], shown: list[str], repository: str, style: str) -> None:
    if style == "json":
        _console.say_json([_fields(tag, repository) for tag in tags])
    elif style == "table":
        kinds = ["" if tag.version is None else "pre-release" if _is_prerelease(tag) else "version" for tag in tags]
        _console.table(("tag", "kind"), zip(shown, kinds, strict=True))
    elif shown:
        _console.say("\n".join(shown))


def _fields(tag: _Tag, repository: str) -> dict[str, object]:
    version = tag.version
    return {
        "tag": tag.name,
        "reference": f"{repository}:{tag.name}",
        "version": None if version is None else version.text,
        "prerelease": _is_prerelease(tag),
    }

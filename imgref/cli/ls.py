"""``imgref ls``: the tags of a repository, and the images that they name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from imgref.cli import _console
from imgref.cli._help import Command
from imgref.cli._progress import counting
from imgref.cli._registry import read_repository, with_lookup
from imgref.cli._sizes import shown_size
from imgref.cli._tag_query import TagQuery, query_options
from imgref.cli._times import iso_time, shown_time
from imgref.update.listed import ListedTag

if TYPE_CHECKING:
    from imgref.reference import ImageReference
    from imgref.registry.catalog import TaggedImage
    from imgref.registry.lookup import Lookup

__all__ = ["command"]

_HEADERS: Final = ("tag", "digest", "created", "size", "platforms", "aliases")


@click.command(cls=Command)
@click.argument("repository", metavar="REPO")
@click.option("-l", "--long", is_flag=True, help="Show images with digest, creation time, size, platforms and aliases")
@query_options
@click.option("--full", is_flag=True, help="Print full references")
@click.option(
    "--format",
    "style",
    type=click.Choice(["lines", "json", "table"]),
    help="Output format; by default table on a terminal and with --long, otherwise lines",
)
@with_lookup
def command(lookup: Lookup, repository: str, long: bool, full: bool, style: str | None, **options: Any) -> int:
    """List the tags of a repository, newest version first.

    Tags without a version come last. A range includes pre-releases only with --pre, or if the range itself has one.

    --long prints one row for each image, with all of its tags that are selected: the first as the tag, the others as
    its aliases. It sends one HEAD for each tag, then asks for each image once. created and size are those of the image
    for linux/amd64 if there are several platforms.
    """
    repo = read_repository(repository)
    query = TagQuery.of(options)
    tags = query.select(lookup.list_tags(repo))
    if long or query.needs_images:
        images = _images(lookup, repo, tags, query, long=long)
        if long:
            _print_images(images, {tag.name: tag for tag in tags}, repo, style or "table", full=full)
            return 0
        known = {tag.name: tag for tag in tags}
        tags = [known[name] for image in images for name in image.tags]
    _print(tags[: query.limit], repo, style or ("table" if _console.is_terminal() else "lines"), full=full)
    return 0


def _images(
    lookup: Lookup, repo: ImageReference, tags: Sequence[ListedTag], query: TagQuery, *, long: bool
) -> list[TaggedImage]:
    """Return the images that a query selects, in its order, with their details."""
    from imgref.registry.catalog import describe_images, find_images

    with counting("tags", len(tags)) as each:
        images = find_images(lookup, repo, [tag.name for tag in tags], each)
    if long and not query.needs_images:
        images = images[: query.limit]
    with counting("images", len(images)) as each:
        images = describe_images(lookup, repo, images, each)
    if query.since is not None:
        unknown = sum(image.created is None for image in images)
        if unknown:
            _console.note(
                f"{repo.repository}: {unknown} of {len(images)} images have no known creation time and are omitted"
            )
        since = query.since
        images = [image for image in images if image.created is not None and image.created >= since]
    if query.sort == "created":
        images.sort(key=lambda image: (image.created is not None, image.created), reverse=True)
    return images[: query.limit] if long else images


def _print(tags: Sequence[ListedTag], repo: ImageReference, style: str, *, full: bool) -> None:
    shown = [_name(repo, tag.name, full=full) for tag in tags]
    if style == "json":
        _console.say_json([_fields(tag, repo) for tag in tags])
    elif style == "table":
        kinds = ["" if tag.version is None else "pre-release" if tag.version.prerelease else "version" for tag in tags]
        _console.table(("tag", "kind"), zip(shown, kinds, strict=True))
    elif shown:
        _console.say("\n".join(shown))


def _print_images(
    images: Iterable[TaggedImage], tags: dict[str, ListedTag], repo: ImageReference, style: str, *, full: bool
) -> None:
    if style == "json":
        _console.say_json([_image_fields(image, tags, repo) for image in images])
        return
    rows = [_row(image, repo, exact=style == "lines", full=full) for image in images]
    if style == "table":
        _console.table(_HEADERS, rows)
    elif rows:
        _console.say("\n".join("\t".join(row) for row in rows))


def _row(image: TaggedImage, repo: ImageReference, *, exact: bool, full: bool) -> tuple[str, ...]:
    """Return the cells of an image: for programs if ``exact``, otherwise for people."""
    name, *aliases = (_name(repo, tag, full=full) for tag in image.tags)
    size = None if image.details is None else image.details.size
    platforms = () if image.details is None else image.details.platforms
    created = iso_time(image.created) if exact and image.created else shown_time(image.created)
    return (
        name,
        "unknown" if image.descriptor is None else image.descriptor.digest,
        created,
        "unknown" if size is None else str(size) if exact else shown_size(size),
        ", ".join(map(str, platforms)) or "unknown",
        ", ".join(aliases),
    )


def _name(repo: ImageReference, tag: str, *, full: bool) -> str:
    return str(repo.with_tag(tag)) if full else tag


def _fields(tag: ListedTag, repo: ImageReference) -> dict[str, object]:
    version = tag.version
    return {
        "tag": tag.name,
        "reference": f"{repo.repository}:{tag.name}",
        "version": None if version is None else version.text,
        "prerelease": version is not None and version.prerelease,
        "variant": tag.variant or None,
    }


def _image_fields(image: TaggedImage, tags: dict[str, ListedTag], repo: ImageReference) -> dict[str, object]:
    descriptor, details = image.descriptor, image.details
    return {
        **_fields(tags[image.tags[0]], repo),
        "digest": None if descriptor is None else descriptor.digest,
        "media_type": None if descriptor is None else descriptor.media_type,
        "created": None if image.created is None else iso_time(image.created),
        "size": None if details is None else details.size,
        "platforms": [] if details is None else [str(platform) for platform in details.platforms],
        "aliases": list(image.tags[1:]),
        "answered_by": image.host,
    }

"""``imgref copy``: an image from one repository to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from imgref.cli import _console
from imgref.cli._overwrite import note_skipped, overwrite_of, overwrite_options, say_changes
from imgref.cli._registry import platform_option, read_repository, with_client
from imgref.cli._transfer import mount_option, transfer_options, watching
from imgref.errors import InvalidReference
from imgref.reference import ImageReference, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imgref.platforms import Platform
    from imgref.registry.client import RegistryClient
    from imgref.registry.transfer.progress import Transferred

__all__ = ["command"]


@click.command()
@click.argument("source", metavar="SRC")
@click.argument("targets", metavar="DST...", nargs=-1)
@platform_option("Copy the image for this platform only; without it, all of them.")
@click.option("--referrers", is_flag=True, help="Copy what refers to the image as well, such as its signatures.")
@mount_option
@overwrite_options
@transfer_options
@with_client
def command(
    client: RegistryClient,
    source: str,
    targets: tuple[str, ...],
    platform: Platform | None,
    referrers: bool,
    mount_from: tuple[str, ...],
    force: bool,
    if_absent: bool,
    dry_run: bool,
    jobs: int,
    style: str,
    quiet: bool,
) -> int:
    """Copy an image to other repositories or registries.

    An index is copied whole, with all its platforms. Nothing is kept here, and on the same registry no layer moves. A
    released version such as 2.1.3 does not move from another image.
    """
    from imgref.registry.transfer.moves import copy

    overwrite = overwrite_of(force=force, if_absent=if_absent)
    places = _places(targets)
    sources = [read_repository(text) for text in mount_from]
    if dry_run:
        digest = client.resolve(parse(source), platform).digest
        return say_changes(client, places, digest, overwrite, style=style)
    with watching(style, quiet=quiet) as watcher:
        done = copy(
            client,
            parse(source),
            places,
            platform=platform,
            referrers=referrers,
            diff_ids=not quiet,
            mount_from=sources,
            jobs=jobs,
            watcher=watcher,
            overwrite=overwrite,
        )
    note_skipped(places, done)
    if referrers:
        _note_referrers(done)
    return 0


def _note_referrers(done: Iterable[Transferred]) -> None:
    for repository, image in {image.reference.repository: image for image in done}.items():
        _console.note(f"{repository}: {len(image.referrers)} referrers copied")


def _places(texts: tuple[str, ...]) -> list[ImageReference]:
    if not texts:
        raise click.UsageError("no DST is given: where should it be copied to? (an unset variable?)")
    return list(dict.fromkeys(map(_target, texts)))


def _target(text: str) -> ImageReference:
    target = parse(text)
    if target.digest is not None:
        raise InvalidReference(text, (text.index("@"), len(text)), "DST must be a tag: the digest is that of SRC")
    return target

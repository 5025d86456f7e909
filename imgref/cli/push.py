"""``imgref push``: an image on disk to a registry."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, BinaryIO, cast

import click

from imgref.cli._help import Command
from imgref.cli._overwrite import note_skipped, overwrite_of, overwrite_options, say_changes
from imgref.cli._registry import read_repository, with_client
from imgref.cli._transfer import mount_option, pushed_blobs, transfer_options, watching
from imgref.errors import InvalidReference
from imgref.reference import ImageReference, parse

if TYPE_CHECKING:
    from imgref.archive.image import Image
    from imgref.archive.reader import Archive
    from imgref.registry.client import RegistryClient

__all__ = ["command", "open_image_archive"]


@click.command(cls=Command)
@click.argument("image")
@click.argument("references", metavar="REF...", nargs=-1)
@click.option(
    "--image", "name", metavar="NAME", help="Image to select if IMAGE has several: a name, tag, digest or image ID"
)
@mount_option
@overwrite_options
@transfer_options
@with_client
def command(
    client: RegistryClient,
    image: str,
    references: tuple[str, ...],
    name: str | None,
    mount_from: tuple[str, ...],
    force: bool,
    if_absent: bool,
    dry_run: bool,
    jobs: int,
    style: str,
    quiet: bool,
) -> int:
    """Push an image from disk to a registry.

    IMAGE is an OCI layout, a directory or a tar, or a tar of docker save; a single - reads a tar from standard
    input. Each REF is a name to push it to; layers that the registry has are not sent. A released version such
    as 2.1.3 does not move from another image.
    """
    from imgref.registry.transfer.moves import push

    overwrite = overwrite_of(force=force, if_absent=if_absent)
    if not references:
        raise click.UsageError("no REF is given: where should it be pushed to? (an unset variable?)")
    targets = list(dict.fromkeys(map(parse, references)))
    sources = [read_repository(text) for text in mount_from]
    with open_image_archive(image) as archive:
        found = archive.image(name)
        _check_digests(found, references, targets)
        if dry_run:
            return say_changes(client, targets, found.manifests()[-1].digest, overwrite, style=style)
        with watching(style, quiet=quiet) as watcher:
            done = push(
                client,
                found,
                targets,
                mount_from=sources,
                pushed=pushed_blobs(),
                jobs=jobs,
                watcher=watcher,
                overwrite=overwrite,
            )
    note_skipped(targets, done)
    return 0


def open_image_archive(path: str) -> Archive:
    """Open an image on disk, or on standard input.

    Raises:
        ArchiveError: it is none.
    """
    from imgref.archive.reader import open_archive

    if path == "-":
        return open_archive("standard input", cast("BinaryIO", sys.stdin.buffer))
    return open_archive(path)


def _check_digests(image: Image, texts: tuple[str, ...], targets: list[ImageReference]) -> None:
    """Refuse a REF with a digest that is not the image's, before anything is sent."""
    for text, target in zip(texts, targets, strict=False):
        if target.digest is not None and target.digest != image.manifests()[-1].digest:
            reason = f"the image's digest is {image.manifests()[-1].digest}"
            raise InvalidReference(text, (text.index("@") + 1, len(text)), reason)

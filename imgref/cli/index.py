"""``imgref index``: one image for several platforms, made of images for one each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from imgref.cli._help import Command
from imgref.cli._image_sources import annotation_option, open_images, read_annotations
from imgref.cli._overwrite import note_skipped, overwrite_of, overwrite_options, say_changes
from imgref.cli._registry import with_client
from imgref.cli._transfer import pushed_blobs, transfer_options, watching
from imgref.errors import InvalidReference
from imgref.reference import parse

if TYPE_CHECKING:
    from imgref.registry.client import RegistryClient

__all__ = ["command"]


def _action(context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    if value == "create":
        return value
    what = "no subcommand is given" if value is None else f"no such subcommand {value!r}"
    raise click.UsageError(f"{what}; the only one is create (imgref index create REF IMAGE...)", context)


@click.command(cls=Command)
@click.argument("action", metavar="create", required=False, callback=_action, is_eager=True)
@click.argument("reference", metavar="REF")
@click.argument("images", metavar="IMAGE...", nargs=-1)
@annotation_option
@overwrite_options
@transfer_options
@with_client
def command(
    client: RegistryClient,
    action: str,
    reference: str,
    images: tuple[str, ...],
    annotations: tuple[str, ...],
    force: bool,
    if_absent: bool,
    dry_run: bool,
    jobs: int,
    style: str,
    quiet: bool,
) -> int:
    """Join images for several platforms into one and push it.

    REF is the tag that the new index gets. Each IMAGE is an OCI layout or a tar on disk, an image on a registry by tag
    or digest, or sha256:... for a digest in the repository of REF. Their manifests do not change, so
    attestations stay valid. Two images for one platform are an error.
    """
    from imgref.registry.transfer.moves import push

    overwrite = overwrite_of(force=force, if_absent=if_absent)
    if not images:
        raise click.UsageError("no IMAGE is given: what should be joined? (an unset variable?)")
    target = parse(reference)
    if target.digest is not None:
        raise InvalidReference(reference, (reference.index("@"), len(reference)), "the index gets a tag, not a digest")
    marks = read_annotations(annotations)
    with open_images(client, images, target) as opened:
        image = opened.joined(marks)
        if dry_run:
            return say_changes(client, [target], image.manifests()[-1].digest, overwrite, style=style)
        with watching(style, quiet=quiet) as watcher:
            done = push(
                client,
                image,
                [target],
                mount_from=opened.repositories,
                pushed=pushed_blobs(),
                jobs=jobs,
                watcher=watcher,
                overwrite=overwrite,
            )
    note_skipped([target], done)
    return 0

"""``imgref tag``: more tags for an image that is on a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from imgref.cli import _console
from imgref.cli._help import Command
from imgref.cli._overwrite import note_skipped, overwrite_of, overwrite_options, say_changes
from imgref.cli._registry import with_client
from imgref.errors import InvalidReference
from imgref.reference import ImageReference, parse

if TYPE_CHECKING:
    from imgref.registry.client import RegistryClient

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("source", metavar="SRC")
@click.argument("new", metavar="NEW...", nargs=-1)
@overwrite_options
@with_client
def command(
    client: RegistryClient, source: str, new: tuple[str, ...], force: bool, if_absent: bool, dry_run: bool
) -> int:
    """Add tags to an image on a registry without pulling it.

    NEW is a tag, or a reference to another repository of the same registry, which mounts the layers. A released
    version such as 2.1.3 does not move from another image.
    """
    from imgref.registry.transfer.retag import retag

    overwrite = overwrite_of(force=force, if_absent=if_absent)

    if not new:
        raise click.UsageError("no new tag is given (an unset variable?)")
    ref = parse(source)
    targets = list(dict.fromkeys(_target(ref, text) for text in new))
    if dry_run:
        return say_changes(client, targets, client.resolve(ref).digest, overwrite)
    for change in retag(client, ref, targets, overwrite=overwrite):
        if change.action == "skipped":
            note_skipped([change.reference])
            continue
        if change.action == "moved":
            _console.note(f"{change.reference}: moved from {change.before}")
        _console.say(f"{change.reference}@{change.after}")
    return 0


def _target(source: ImageReference, text: str) -> ImageReference:
    if not any(mark in text for mark in "/:@"):
        return source.with_tag(text)
    target = parse(text)
    if target.registry != source.registry:
        reason = f"NEW must be on {source.registry}, as SRC is; imgref copy goes to another registry"
        raise InvalidReference(text, (0, len(text)), reason)
    if target.digest is not None:
        raise InvalidReference(text, (text.index("@"), len(text)), "NEW must be a tag: a digest cannot be given away")
    return target

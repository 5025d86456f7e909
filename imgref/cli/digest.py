"""``imgref digest``: the current digests of references."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from imgref.cli import _console
from imgref.cli._each_reference import for_each_reference, read_references
from imgref.cli._help import Command
from imgref.cli._registry import platform_option, with_lookup

if TYPE_CHECKING:
    from imgref.platforms import Platform
    from imgref.reference import ImageReference
    from imgref.registry.lookup import Lookup

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("references", metavar="REF...", nargs=-1)
@click.option("--pin", is_flag=True, help="Print the whole reference with tag and digest")
@platform_option("The digest of this platform's image, where REF is an index.")
@with_lookup
def command(lookup: Lookup, references: tuple[str, ...], pin: bool, platform: Platform | None) -> int:
    """Print the digests of images on a registry.

    imgref sends HEAD requests, which registries do not count as pulls. It prints one line per REF, or an error for one
    that fails; the exit code is the worst of all: 3, then 4, then 0.
    """

    def ask(ref: ImageReference) -> str:
        digest = lookup.resolve(ref, platform).digest
        return str(ref.with_digest(digest)) if pin else digest

    return for_each_reference(read_references(references), ask, _console.say)

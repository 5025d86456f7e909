"""``imgref exists``: whether images exist on their registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from imgref.cli import EXIT_MISSING
from imgref.cli._each_reference import read_references
from imgref.cli._help import Command
from imgref.cli._registry import platform_option, with_lookup
from imgref.errors import NotFound

if TYPE_CHECKING:
    from imgref.platforms import Platform
    from imgref.registry.lookup import Lookup

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("references", metavar="REF...", nargs=-1)
@platform_option("Require an image for this platform.")
@with_lookup
def command(lookup: Lookup, references: tuple[str, ...], platform: Platform | None) -> int:
    """Report by exit code whether images exist.

    The exit code is 0 if every image exists and 4 if one does not. Nothing is printed, except for errors: if imgref
    cannot find out, for example because the registry requires authentication, the exit code is 3.
    """
    code = 0
    for ref in read_references(references):
        try:
            lookup.resolve(ref, platform)
        except NotFound:
            code = EXIT_MISSING
    return code

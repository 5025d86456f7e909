"""``imgref slug``: a tag made of any text."""

from __future__ import annotations

import click

from imgref.cli import _console
from imgref.tags import sanitize_tag

__all__ = ["command"]


@click.command()
@click.argument("text")
def command(text: str) -> int:
    """Turn any text, such as a branch name, into a tag.

    Each run of characters that a tag cannot hold becomes one -; what is too long is cut, and ends in a hash.
    """
    _console.say(sanitize_tag(text))
    return 0

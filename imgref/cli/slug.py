"""``imgref slug``: turns any string into a tag."""

from __future__ import annotations

import click

from imgref.cli import _console
from imgref.cli._help import Command
from imgref.errors import InvalidTag
from imgref.tags import sanitize_tag

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("text")
def command(text: str) -> int:
    """Turn any text, such as a branch name, into a tag.

    Each run of characters that a tag cannot contain becomes one -. Text that is too long is cut and ends in a hash;
    text in another script becomes ref- and a hash. With - as TEXT, each line of standard input becomes a tag.
    """
    _console.say("\n".join(_tags_of_lines()) if text == "-" else sanitize_tag(text))
    return 0


def _tags_of_lines() -> list[str]:
    """Return the tag of each line of standard input.

    Raises:
        UsageError: there are no lines, or one cannot be turned into a tag; the message has its number.
    """
    read = _console.read_stdin()
    lines = read.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n") if read else []
    if not lines:
        raise click.UsageError("standard input has no lines")
    tags = []
    for number, line in enumerate(lines, 1):
        try:
            tags.append(sanitize_tag(line.removesuffix("\r")))
        except InvalidTag as error:
            raise click.UsageError(f"standard input, line {number}: {error}") from error
    return tags

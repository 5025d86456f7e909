"""The values of ``--floating`` and ``--match``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import click

from imgref.errors import InvalidVersion
from imgref.tags import FLOATING, ExistingTags

__all__ = ["check_match", "match_names", "match_version", "read_floating"]


def read_floating(value: Any, origin: str) -> tuple[str, ...]:  # noqa: ANN401 - of the command line or a file
    """Return the words of ``--floating``, which are separated by commas; ``none`` is none of them.

    Raises:
        UsageError: a word is not known.
    """
    words = value.split(",") if isinstance(value, str) else [word for each in value for word in each.split(",")]
    words = [word.strip() for word in words]
    if words == ["none"]:
        return ()
    for word in words:
        if word not in FLOATING:
            raise click.UsageError(f"--floating: {word!r} is not one of {', '.join(FLOATING)} ({origin})")
    return tuple(words)


def check_match(pattern: str, prefix: str, origin: str) -> None:
    """Refuse a pattern that cannot be used.

    Raises:
        UsageError: it is not a regular expression, or there is a prefix too.
    """
    if pattern and prefix:
        raise click.UsageError("--match and --prefix cannot be used together: the pattern matches the whole name")
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise click.UsageError(f"--match: {pattern!r} is not a regular expression: {error} ({origin})") from None


def match_version(name: str, pattern: str) -> str:
    """Return the version that a pattern finds in a name, or the name if there is no pattern.

    Raises:
        InvalidVersion: it finds none.
    """
    if not pattern:
        return name
    from imgref.ci import matched_version

    version = matched_version(name, pattern)
    if not version:
        raise InvalidVersion(name, f"--match {pattern} finds no version in it", None)
    return version


def match_names(sources: Iterable[ExistingTags], pattern: str) -> list[ExistingTags]:
    """Return sources with the versions that a pattern finds in their names; a registry's tags are versions already."""
    if not pattern:
        return list(sources)
    from imgref.ci import matched_version

    return [
        source
        if source.kind == "registry"
        else source._replace(names=tuple(found for name in source.names if (found := matched_version(name, pattern))))
        for source in sources
    ]

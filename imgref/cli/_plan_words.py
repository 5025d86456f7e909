"""The values of options and settings that are not single words: ``--floating``, ``--match``, and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

import click

from imgref.config import Setting
from imgref.errors import ConfigError, InvalidVersion
from imgref.tags import FLOATING, ExistingTags

__all__ = ["check_match", "match_names", "match_version", "read_floating", "read_tables"]


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


def read_tables(settings: Mapping[str, Setting], *names: str) -> dict[str, dict[str, str]]:
    """Return tables of strings of the settings.

    Raises:
        ConfigError: a value is not a string.
    """
    tables = {}
    for name in names:
        if name not in settings:
            continue
        setting = settings[name]
        table = cast("dict[str, object]", setting.value)
        for key, value in table.items():
            if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/:-]*", key, re.ASCII):
                raise ConfigError(f"{name}: {key!r} must be a key with a string", setting.path, setting.line)
        tables[name] = cast("dict[str, str]", table)
    return tables


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

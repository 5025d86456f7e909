"""``imgref schema``: the JSON Schemas of outputs and settings."""

from __future__ import annotations

import click

from imgref.cli import _console
from imgref.cli._help import Command

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("name", metavar="[NAME]", required=False)
def command(name: str | None) -> int:
    """Print the JSON Schema of an output or of the settings.

    Without NAME, list the schemas. They are in JSON Schema, draft 2020-12.

    \b
    Examples:
      imgref schema
      imgref schema check > check.schema.json
    """  # noqa: D301
    from imgref.schemas import names, schema

    known = names()
    if name is None:
        for each in known:
            _console.say(each)
        return 0
    if name not in known:
        from imgref._utils.suggest import did_you_mean

        raise click.UsageError(f"no schema {name!r}{did_you_mean(name, known)}")
    _console.write_json(schema(name))
    return 0

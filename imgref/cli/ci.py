"""``imgref ci``: the build that the CI environment describes."""

from __future__ import annotations

from dataclasses import asdict

import click

from imgref.cli import _console
from imgref.cli._build_options import build_options, read_build
from imgref.cli._help import Command

__all__ = ["command"]


@click.command(cls=Command)
@build_options
@click.option("--format", "style", type=click.Choice(["table", "json"]), default="table", help="Output format")
@click.pass_context
def command(context: click.Context, /, style: str, **_: object) -> int:
    """Show which CI system runs here and what it builds."""
    from imgref.cli._git import default_branch

    build = read_build(context.params, default_branch())
    for note in build.notes:
        _console.note(note)
    facts = asdict(build)
    del facts["notes"]
    told_by = facts["told_by"]
    if style == "json":
        _console.say_json(facts)
        return 0
    rows = [
        (label.replace("_", " "), f"{value} ({told_by[label]})" if label in told_by else str(value))
        for label, value in facts.items()
        if label not in ("about", "told_by") and value is not None
    ]
    _console.say(_console.parts(rows), drawn=True)
    return 0

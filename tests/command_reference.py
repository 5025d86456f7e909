"""Writes docs/commands.md: ``python tests/command_reference.py > docs/commands.md``. A test holds the file to it."""

from __future__ import annotations

import click

from imgref.cli.main import COMMANDS, cli


def command_reference() -> str:
    """Return what ``--help`` says of every command."""
    pages = ["# Commands\n\nEach with what its `--help` says.\n"]
    context = click.Context(cli, info_name="imgref", **cli.context_settings)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        with click.Context(command, info_name=name, parent=context, terminal_width=100) as inner:
            pages.append(f"## imgref {name}\n\n```text\n{command.get_help(inner)}\n```\n")
    return "\n".join(pages)


if __name__ == "__main__":
    print(command_reference(), end="")

"""``imgref completion``: the script that completes imgref's commands and options in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from imgref.cli import _console
from imgref.cli._help import Command

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion script for a shell.

    SHELL is bash, zsh or fish. For example, in ~/.bashrc: eval "$(imgref completion bash)"
    """
    from imgref.cli.main import cli

    complete = get_completion_class(shell)
    assert complete is not None
    _console.say(complete(cli, {}, "imgref", "_IMGREF_COMPLETE").source())
    return 0

"""``imgref``: finds the command, runs it, and turns errors into messages and exit codes."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from importlib import import_module
from typing import Final, NoReturn, TextIO

import click

from imgref import __version__
from imgref.cli import (
    EXIT_BAD_INPUT,
    EXIT_INTERRUPTED,
    ClosedPipe,
    _console,
)
from imgref.errors import ImgrefError

__all__ = ["main"]

COMMANDS: Final = {
    "parse": "Parse image references and print what they mean.",
    "tags": "Plan the tags for a release or any other build.",
    "check": "Check the image references in files against a policy.",
    "images": "List the images that files use, and what is built on what.",
    "pin": "Add digests to the image references in files.",
    "unpin": "Remove digests from the image references in files.",
    "update": "Update the tags and digests in files to newer versions.",
    "outdated": "Show which images have newer tags.",
    "explain": "Explain the rules of imgref check.",
    "ci": "Show which CI system runs here and what it builds.",
    "slug": "Turn any text, such as a branch name, into a tag.",
    "ls": "List the tags of a repository, newest version first.",
    "exists": "Report by exit code whether images exist.",
    "which": "Print the version tag of the image that REF names now.",
    "digest": "Print the digests of images on a registry.",
    "inspect": "Show the platforms, layers and configuration of images.",
    "tag": "Add tags to an image on a registry without pulling it.",
    "push": "Push an image from disk to a registry.",
    "pull": "Pull an image into an OCI layout or a tar archive.",
    "copy": "Copy an image to other repositories or registries.",
    "index": "Join images for several platforms into one and push it.",
    "release": "Publish the tags of a version, never moving a tag backwards.",
    "prune": "Delete old tags and the manifests that nothing else needs.",
    "login": "Log in to a registry.",
    "logout": "Remove the credentials for a registry.",
    "info": "Show how registries are reached and configured.",
    "schema": "Print the JSON Schema of an output or of the settings.",
    "completion": "Print the completion script for a shell.",
}
"""Every command with its one line of help, in the order of ``--help``; the module has the command's name.

Help is printed from here so that ``imgref --help`` imports no command.
"""

_COMPLETION: Final = "_IMGREF_COMPLETE"
"""With this in the environment, click answers a shell that completes a word, and exits."""


class _NoCommand(click.UsageError):
    """There are no arguments after ``imgref``. click has its own error for this only since 8.2."""

    def format_message(self) -> str:
        return "" if self.ctx is None else self.ctx.get_help()


class _Commands(click.Group):
    """A group that imports a command's module when it is run, and not before."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args[:1] == ["help"]:
            args = [*args[1:], "--help"]
        if not args and not ctx.resilient_parsing:
            raise _NoCommand("no command is given", ctx)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> int:
        """Run the command, and return its exit code.

        Errors are handled here, below click's own main, which would end a closed pipe with 1.
        """
        try:
            code = super().invoke(ctx)
        except ImgrefError as error:
            from imgref.cli._exit_codes import exit_code

            _console.show_error(error)
            return exit_code(error)
        except OSError as error:
            return _failed(error)
        except KeyboardInterrupt:
            _console.error("interrupted")
            return EXIT_INTERRUPTED
        return code if isinstance(code, int) else 0

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"imgref.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from imgref._utils.suggest import did_you_mean

            meant = did_you_mean(args[0], COMMANDS, cutoff=0.6)
            raise click.UsageError(f"no such command {args[0]!r}{meant}", ctx) from error


@click.command(
    cls=_Commands,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 success; 1 findings, a refused release or no tags to publish; 2 bad usage or bad input;"
    " 3 registry or network failure; 4 the image, tag, repository, digest or platform does not exist; 130 interrupted.",
)
@click.version_option(__version__, message="imgref %(version)s")
def cli() -> None:
    """Parse, check, pin, update and publish container image references."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit.

    Args:
        arguments: the words after ``imgref``; by default those of this process.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the parent process
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - open until the end
    code = _run(arguments)
    try:
        sys.stdout.flush()
    except OSError as error:
        code = _failed(error) or code
    sys.exit(code)


def _reason(error: click.ClickException) -> str:
    """Return click's message as imgref writes its own: lowercase, without a full stop, with one suggestion."""
    from imgref._utils.suggest import did_you_mean

    if isinstance(error, click.NoSuchOption):
        meant = did_you_mean(error.option_name, error.possibilities or (), cutoff=0.6)
        return f"no such option {error.option_name!r}{meant}"
    # click lists the choices of an argument on separate lines.
    message = error.format_message().replace("\n\t", " ").removesuffix(".")
    if message[:2].istitle():  # not a name such as HOST
        message = message[0].lower() + message[1:]
    if isinstance(error, click.BadParameter) and error.param and isinstance(error.param.type, click.Choice):
        wrong = re.match(r"'(.*)' is not one of ", error.message)
        return message + (did_you_mean(wrong[1], error.param.type.choices, cutoff=0.6) if wrong else "")
    return message


def _run(arguments: list[str] | None) -> int:
    try:
        code = cli.main(arguments, prog_name="imgref", standalone_mode=False)
    except _NoCommand as error:
        _console.show_help(error.format_message())
        return EXIT_BAD_INPUT
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "imgref"
        _console.error(_reason(error), help_text=f"{command} --help shows its usage")
        return EXIT_BAD_INPUT
    except click.ClickException as error:
        _console.error(_reason(error))
        return EXIT_BAD_INPUT
    except click.Abort:
        _console.error("interrupted")
        return EXIT_INTERRUPTED
    except UnicodeEncodeError as error:
        wrong = error.object[error.start : error.end]
        _console.error(f"{wrong!r} cannot be written in {error.encoding}; PYTHONIOENCODING=utf-8 sets another encoding")
        return EXIT_BAD_INPUT
    except OSError as error:
        return _failed(error)
    except SystemExit:
        if _COMPLETION in os.environ:
            raise
        # How click ends when the pipe is closed on --help.
        _forget(sys.stdout)
        return 0
    return code if isinstance(code, int) else 0


def _failed(error: OSError) -> int:
    """Report what the system refused, and return the exit code."""
    if isinstance(error, BrokenPipeError):
        # The reader has closed the pipe, as in `imgref ls … | head -1`: no failure, also under `set -o pipefail`.
        _forget(sys.stdout)
        _forget(sys.stderr)
        return error.exit_code if isinstance(error, ClosedPipe) else 0
    if error.filename is None:
        _forget(sys.stdout)
    _console.error(f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error))
    return EXIT_BAD_INPUT


def _forget(stream: TextIO) -> None:
    """Keep the interpreter from failing once more when it flushes a stream on the way out, if that is broken."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

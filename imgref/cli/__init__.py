"""The command line: one module a command, and :mod:`imgref.cli._console`, which draws.

A command returns its exit code, one of those below; an error that is raised gets its own in :mod:`imgref.cli.main`.
"""

from typing import Final

__all__ = ["EXIT_BAD_INPUT", "EXIT_FINDINGS", "EXIT_INTERRUPTED", "EXIT_REGISTRY", "ClosedPipe"]

EXIT_FINDINGS: Final = 1
"""Findings, a release that is refused, or nothing left to give."""

EXIT_BAD_INPUT: Final = 2
EXIT_REGISTRY: Final = 3
EXIT_INTERRUPTED: Final = 130


class ClosedPipe(BrokenPipeError):
    """The reader has closed the pipe, and that is not all that there is to know.

    Attributes:
        exit_code: the exit code; for any other :class:`BrokenPipeError` it is 0.
    """

    def __init__(self, exit_code: int) -> None:
        super().__init__()
        self.exit_code = exit_code

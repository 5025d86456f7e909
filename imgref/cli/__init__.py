"""The command line: one module a command, and :mod:`imgref.cli._console`, which draws.

A command returns its exit code, one of those below; an error that is raised gets its own in :mod:`imgref.cli.main`.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing takes a moment in which Ctrl-C is not handled yet

if TYPE_CHECKING:
    from typing import Final

__all__ = ["EXIT_BAD_INPUT", "EXIT_FINDINGS", "EXIT_INTERRUPTED", "EXIT_MISSING", "EXIT_REGISTRY", "ClosedPipe"]

EXIT_FINDINGS: Final = 1
"""Findings, a refused release or overwrite, or no tags to publish."""

EXIT_BAD_INPUT: Final = 2
EXIT_REGISTRY: Final = 3
"""A registry or the network failed, so nothing is known about the image."""

EXIT_MISSING: Final = 4
"""The image, tag, repository, digest or platform does not exist."""

EXIT_INTERRUPTED: Final = 130


class ClosedPipe(BrokenPipeError):
    """The reader has closed the pipe, and the output so far is not the whole result.

    Attributes:
        exit_code: the exit code; for any other :class:`BrokenPipeError` it is 0.
    """

    def __init__(self, exit_code: int) -> None:
        super().__init__()
        self.exit_code = exit_code

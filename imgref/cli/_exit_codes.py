"""The exit code of each kind of error."""

from __future__ import annotations

from typing import Final

from imgref.cli import EXIT_BAD_INPUT, EXIT_FINDINGS, EXIT_MISSING, EXIT_REGISTRY
from imgref.errors import ImgrefError, NotFound, RegistryError, TagConflict

__all__ = ["exit_code"]

_CODES: Final = (
    (TagConflict, EXIT_FINDINGS),
    (NotFound, EXIT_MISSING),
    (RegistryError, EXIT_REGISTRY),
    (ImgrefError, EXIT_BAD_INPUT),
)
"""The exit code of each kind of error; the first that matches applies."""


def exit_code(error: ImgrefError) -> int:
    """Return the exit code of an error."""
    return next(code for kind, code in _CODES if isinstance(error, kind))

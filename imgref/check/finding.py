"""Findings: problems at positions in files, as data that is rendered later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from imgref._printable import masked

__all__ = ["Finding", "Severity"]

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem that a rule found at a position in a file. Credentials in it are always masked.

    Attributes:
        path: the file, relative to where the check was started, with ``/``.
        line: 1-based.
        column: 1-based, in characters.
        end_column: the column after the last character that it is about.
        code: the rule, such as ``IMG101``.
        message: one line.
        hint: what to write instead, or None.
        text: the reference that it is about, or None.
        severity: ``error`` or ``warning`` if the policy sets one for the rule; None means that of the rule, which
            :func:`~imgref.check.severity.severity_of` returns.
    """

    path: str
    line: int
    column: int
    end_column: int
    code: str
    message: str
    hint: str | None = None
    text: str | None = None
    severity: Severity | None = None

    def __post_init__(self) -> None:
        for name in ("message", "hint", "text"):
            value = getattr(self, name)
            if value is not None and "@" in value:
                object.__setattr__(self, name, masked(value))

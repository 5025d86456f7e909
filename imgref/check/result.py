"""The result of the check of one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from imgref.check.finding import Finding
from imgref.sources.occurrence import Occurrence, Reading

__all__ = ["Checked", "Status"]

Status = Literal["checked", "nothing", "skipped", "unknown", "unread", "unrecognized", "excluded"]
"""What became of a file.

- ``checked``: it was checked.
- ``nothing``: it is YAML or JSON without references.
- ``skipped``: it was not checked, for the reason in ``reason``.
- ``unknown``: it was passed by name, and its kind is not known.
- ``unread``: it could not be read.
- ``unrecognized``: its kind, or that of a part of it, is not known, but it seems to have images.
- ``excluded``: the policy excludes it.
"""


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of the check of one file.

    Attributes:
        path: as findings name it.
        kind: the kind of file, or None where it is none that is known.
        findings: sorted by position.
        occurrences: the references in it, where they are kept.
        references: how many there are.
        unresolved: how many references could not be resolved.
        lines: the lines that findings are about, by number.
        status: what became of the file.
        reason: why it was not checked, or not to its end; empty where it was.
        complete: whether all of it was read.
        reading: all that was found in it, where occurrences are kept.
        line: the line that the reason is about, or 0 where it is about the file.
        unanswered: the codes of the rules for which a registry did not answer for an image in it.
    """

    path: str
    kind: str | None = None
    findings: tuple[Finding, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    references: int = 0
    unresolved: int = 0
    lines: Mapping[int, str] = field(default_factory=dict)
    status: Status = "checked"
    reason: str = ""
    complete: bool = True
    reading: Reading | None = None
    line: int = 0
    unanswered: frozenset[str] = frozenset()

    @property
    def is_examined(self) -> bool:
        """Whether everything in it was checked that can be: a part of an unknown kind has no findings."""
        return self.status in {"checked", "nothing"} or (self.status == "unrecognized" and self.kind is not None)

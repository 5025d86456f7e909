"""The summary of a check in Markdown, which GitHub shows on the page of a workflow run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from imgref._printable import printable
from imgref.check.finding import Finding
from imgref.check.rules import RULES

__all__ = ["Summary"]

_ROWS: Final = 200
"""How many findings the table lists. GitHub refuses more than 1 MiB for a step."""

_LONGEST: Final = 500
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:@&<>/\"'])")


@dataclass(slots=True)
class Summary:
    """Collects findings, and keeps no more of them than are shown."""

    _first: list[Finding] = field(default_factory=list)
    _codes: Counter[str] = field(default_factory=Counter)

    def add(self, findings: Iterable[Finding]) -> None:
        """Take in some findings."""
        for finding in findings:
            self._codes[finding.code] += 1
            if len(self._first) < _ROWS:
                self._first.append(finding)

    def markdown(self, line: str) -> str:
        """Return the summary.

        Args:
            line: the line that sums up the check.
        """
        parts = ["### imgref check", "", escaped(line), ""]
        if self._codes:
            parts += ["| place | rule | finding |", "|---|---|---|", *map(_row, self._first), ""]
        more = self._codes.total() - len(self._first)
        if more:
            parts += [f"{more} more are in the log of this step.", ""]
        parts += _rules(sorted(self._codes))
        return "\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Escape a string for Markdown, so that nothing in it is markup, a link or a mention.

    >>> escaped("a|b <b> @x")
    'a&#124;b &#60;b&#62; &#64;x'
    """
    text = printable(text)
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", text)


def _row(finding: Finding) -> str:
    rule = RULES[finding.code]
    message = escaped(finding.message) + (f"<br>{escaped(finding.hint)}" if finding.hint is not None else "")
    return f"| {escaped(f'{finding.path}:{finding.line}')} | {rule.code}&nbsp;{escaped(rule.name)} | {message} |"


def _rules(codes: Sequence[str]) -> list[str]:
    return [f"- {code} {escaped(RULES[code].name)}: {escaped(RULES[code].summary)}" for code in codes]

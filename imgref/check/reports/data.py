"""``json``: what a program reads."""

from __future__ import annotations

import json as _json
from collections.abc import Sequence

from imgref.check.finding import Finding
from imgref.check.rules import RULES
from imgref.check.severity import severity_of

__all__ = ["json"]


def json(findings: Sequence[Finding]) -> str:
    """Return one array with an object a finding."""
    return _json.dumps([_fields(finding) for finding in findings], indent=2) + "\n"


def _fields(finding: Finding) -> dict[str, str | int | None]:
    return {
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "end_column": finding.end_column,
        "code": finding.code,
        "name": RULES[finding.code].name,
        "severity": severity_of(finding),
        "message": finding.message,
        "hint": finding.hint,
        "text": finding.text,
    }

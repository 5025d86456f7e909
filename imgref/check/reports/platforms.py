"""``github`` and ``gitlab``: what the two platforms show beside a change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from imgref.check.finding import Finding
from imgref.check.reports._identity import fingerprints, relative
from imgref.check.rules import RULES
from imgref.check.severity import severity_of

__all__ = ["github", "gitlab"]

_SEVERITIES: Final = {"error": "major", "warning": "minor"}
_DATA: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = {**_DATA, ord(":"): "%3A", ord(","): "%2C"}


def github(findings: Sequence[Finding]) -> str:
    """Return a workflow command a finding, which GitHub Actions shows at the line.

    https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
    """
    return "".join(_command(finding) for finding in findings)


def _command(finding: Finding) -> str:
    rule = RULES[finding.code]
    properties = {
        "file": relative(finding.path),
        "line": finding.line,
        "col": finding.column,
        "endColumn": max(finding.end_column - 1, finding.column),
        "title": f"{rule.code} {rule.name}",
    }
    written = ",".join(f"{name}={str(value).translate(_PROPERTY)}" for name, value in properties.items())
    message = finding.message if finding.hint is None else f"{finding.message}\n{finding.hint}"
    return f"::{severity_of(finding)} {written}::{message.translate(_DATA)}\n"


def gitlab(findings: Sequence[Finding]) -> str:
    """Return a report of code quality, which GitLab shows in merge requests.

    https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
    """
    issues = [
        {
            "description": finding.message,
            "check_name": finding.code,
            "fingerprint": fingerprint,
            "severity": _SEVERITIES[severity_of(finding)],
            "location": {"path": relative(finding.path), "lines": {"begin": finding.line}},
        }
        for finding, fingerprint in zip(findings, fingerprints(findings), strict=True)
    ]
    return json.dumps(issues, indent=2) + "\n"

"""``github`` and ``gitlab``: what the two platforms show beside a change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from imgref._utils.workflow_commands import workflow_command
from imgref.check.finding import Finding
from imgref.check.reports._identity import fingerprints, relative
from imgref.check.rules import RULES
from imgref.check.severity import severity_of

__all__ = ["github", "gitlab"]

_SEVERITIES: Final = {"error": "major", "warning": "minor"}


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
    message = finding.message if finding.hint is None else f"{finding.message}\n{finding.hint}"
    return workflow_command(severity_of(finding), properties, message) + "\n"


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

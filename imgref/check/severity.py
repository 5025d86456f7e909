"""The severity of a finding: what the policy sets for its rule, or otherwise that of the rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from imgref.check.finding import Finding, Severity
from imgref.check.rules import RULES

if TYPE_CHECKING:
    from imgref.check.policy import Policy

__all__ = ["failing", "severity_of", "with_severities"]


def severity_of(finding: Finding) -> Severity:
    """Return how grave a finding is.

    >>> severity_of(Finding("Dockerfile", 1, 6, 11, "IMG101", "no tag"))
    'warning'
    """
    return RULES[finding.code].level if finding.severity is None else finding.severity


def with_severities(findings: list[Finding], policy: Policy) -> list[Finding]:
    """Return findings with the severities that a policy sets for their rules."""
    if not policy.severities:
        return findings
    said = dict(policy.severities)
    return [replace(one, severity=said[one.code]) if one.code in said else one for one in findings]


def failing(findings: Iterable[Finding], least: Severity) -> Sequence[Finding]:
    """Return the findings that are at least so grave.

    >>> failing([Finding("Dockerfile", 1, 6, 11, "IMG101", "no tag")], "error")
    []
    """
    return [one for one in findings if least == "warning" or severity_of(one) == "error"]

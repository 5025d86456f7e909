"""Findings grouped by image, rule or file: one entry for each, with its locations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from imgref._printable import printable
from imgref.check.finding import Finding
from imgref.check.rules import RULES
from imgref.errors import InvalidReference
from imgref.reference import parse

__all__ = ["GROUPS", "grouped"]


def grouped(findings: Sequence[Finding], by: str) -> str:
    """Return findings grouped by one of :data:`GROUPS`; the group with the most comes first.

    >>> one = Finding("Dockerfile", 1, 6, 11, "IMG101", "'nginx' has no tag", None, "nginx")
    >>> print(grouped([one], "image"), end="")
    docker.io/library/nginx: 1 finding
      IMG101 'nginx' has no tag
        Dockerfile:1:6
    <BLANKLINE>
    """
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(GROUPS[by](finding), []).append(finding)
    ordered = sorted(groups.items(), key=lambda group: (0 if by == "file" else -len(group[1]), group[0]))
    return "".join(_group(name, found, by) for name, found in ordered)


def _group(name: str, findings: Sequence[Finding], by: str) -> str:
    files = len({finding.path for finding in findings})
    where = f" in {files} files" if files > 1 else ""
    lines = [f"{printable(name)}: {len(findings)} {'finding' if len(findings) == 1 else 'findings'}{where}"]
    entries: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        entries.setdefault((finding.code, finding.message), []).append(finding)
    for (code, message), found in entries.items():
        lines.append(f"  {printable(message)}" if by == "rule" else f"  {code} {printable(message)}")
        lines += [f"    {_place(finding)}" for finding in found]
        hints = dict.fromkeys(finding.hint for finding in found if finding.hint is not None)
        lines += [f"    help: {printable(hint)}" for hint in hints] if by != "file" else []
    return "\n".join(lines) + "\n\n"


def _place(finding: Finding) -> str:
    return f"{printable(finding.path)}:{finding.line}:{finding.column}"


def _image(finding: Finding) -> str:
    """Return what the reference of a finding means, so that two ways to write it are one image."""
    if finding.text is None:
        return "(no image)"
    try:
        return str(parse(finding.text, default_tag=None))
    except InvalidReference:
        return finding.text


def _rule(finding: Finding) -> str:
    return f"{finding.code} {RULES[finding.code].name}"


GROUPS: Final[dict[str, Callable[[Finding], str]]] = {
    "image": _image,
    "rule": _rule,
    "file": lambda finding: finding.path,
}
"""What findings can be grouped by, and what names the group of a finding."""

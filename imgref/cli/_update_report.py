"""How plans of edits are shown: as lines, as a diff, as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from difflib import unified_diff
from typing import Final

from imgref._printable import masked
from imgref.cli import _console
from imgref.sources.decoding import encoding_of
from imgref.update.edits import Edit
from imgref.update.plan import Change, FilePlan, Left, Plan

__all__ = ["diff_of", "plan_as_json", "say_plan", "say_summary"]

_NO_NEWLINE: Final = "\\ No newline at end of file\n"


def say_plan(plan: Plan, refused: Mapping[str, str]) -> None:
    """Write a line for each change to stdout, and one for each reference that is left alone to stderr."""
    for change in plan.changes:
        if change.path not in refused:
            place = f"{change.path}:{change.line}:{change.column}:"
            _console.say(
                _console.shown(f"{place} {masked(change.old, whole=True)} -> {masked(change.new, whole=True)}")
            )
    _say_left(plan)


def _say_left(plan: Plan) -> None:
    for left in plan.left:
        if left.counts and left.why not in {"failed", "bug"}:
            place = f"{left.path}:{left.line}:{left.column}:"
            _console.note(f"{place} left alone: {masked(left.text, whole=True)}: {left.reason}")


def say_summary(plan: Plan, refused: Mapping[str, str], verb: str, *, diff: bool) -> None:
    """Write to stderr how many references changed, are as they should be, and are left alone, by reason."""
    changed = sum(len(file.changes) for file in plan.files if file.source.path not in refused)
    files = sum(file.source.path not in refused for file in plan.files)
    would = f"would be {verb}" if diff else verb
    where = f" in {_count(files, 'file')}" if changed else ""
    parts = [f"{_count(changed, 'reference')} {would}{where}", f"{plan.current} already {_STATE[verb]}"]
    reasons = Counter(left.reason for left in plan.left if left.counts)
    if reasons:
        parts.append(f"{reasons.total()} left alone")
    kept = sum(left.why == "kept" for left in plan.left)
    if kept:
        parts.append(f"{kept} kept by comments")
    _console.note(", ".join(parts))
    for reason, count in reasons.most_common():
        _console.note(f"  {count} {reason}")


_STATE: Final = {"pinned": "pinned", "unpinned": "without digest", "updated": "up to date"}


def _count(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def diff_of(file: FilePlan) -> str:
    """Return a unified diff of one file."""
    encoding, mark = encoding_of(file.source.data)
    before, after = (
        data[mark:].decode(encoding, "surrogateescape").encode("utf-8", "backslashreplace").decode("utf-8")
        for data in (file.source.data, file.result)
    )
    path = file.source.path
    name = path.lstrip("/")
    lines = unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)


def _lines(text: str) -> list[str]:
    parts = text.split("\n")
    return [f"{part}\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def plan_as_json(
    plan: Plan, failures: Mapping[str, str], refused: Mapping[str, str], *, applied: bool
) -> dict[str, object]:
    """Return a plan as it is printed with ``--format json``."""
    return {
        "applied": applied,
        "changes": [_change(change, refused) for change in plan.changes],
        "left": [_left(left) for left in plan.left],
        "current": plan.current,
        "failures": [{"about": about, "reason": reason} for about, reason in {**failures, **refused}.items()],
    }


def _change(change: Change, refused: Mapping[str, str]) -> dict[str, object]:
    return {
        "path": change.path,
        "line": change.line,
        "column": change.column,
        "old": masked(change.old, whole=True),
        "new": masked(change.new, whole=True),
        "failed": refused.get(change.path),
        "edits": [_edit(edit) for edit in change.edits],
    }


def _edit(edit: Edit) -> dict[str, object]:
    return {"start": edit.start, "end": edit.end, "old": edit.old, "new": edit.new}


def _left(left: Left) -> dict[str, object]:
    return {
        "path": left.path,
        "line": left.line,
        "column": left.column,
        "text": masked(left.text, whole=True),
        "reference": left.reference,
        "why": left.why,
        "reason": left.reason,
    }

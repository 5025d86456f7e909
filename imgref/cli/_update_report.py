"""How plans of edits are shown: as lines, as a diff, as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from imgref._printable import masked
from imgref.cli import _console
from imgref.sources.decoding import encoding_of
from imgref.update.consumers import DOTENV
from imgref.update.diff import diff_of
from imgref.update.edits import Edit
from imgref.update.plan import Change, FilePlan, Left, Plan

__all__ = ["plan_as_json", "say_diff", "say_plan", "say_summary"]


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


def say_diff(file: FilePlan) -> None:
    """Write a unified diff of one file to stdout: its very bytes, except on a terminal.

    Lines around a change are omitted if they have credentials. If the changed lines have some, they are masked.
    """
    # What is beside a changed line of an .env file is often a secret.
    diff = diff_of(file, 0) if file.source.reading.kind == DOTENV else diff_of(file)
    if not _is_public(diff, file):
        diff = diff_of(file, 0)
    if _is_public(diff, file):
        _console.write_bytes(diff)
    else:
        _console.warn(f"{file.source.path}: credentials are masked in its diff, which cannot be applied")
        _console.write(_text_of(diff, file))


def _is_public(diff: bytes, file: FilePlan) -> bool:
    text = _text_of(diff, file)
    return masked(text) == text


def _text_of(diff: bytes, file: FilePlan) -> str:
    encoding, _ = encoding_of(file.source.data)
    # In UTF-16 the marks of the diff are single bytes between pairs: without the zeros all of it can be read.
    data = diff if encoding == "utf-8" else diff.replace(b"\0", b"")
    return data.decode("utf-8", "replace")


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

"""The list of files that ``imgref check --show-skipped`` adds: which were not read, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from imgref.check.result import Checked
from imgref.cli import _console

__all__ = ["show_skipped", "with_skipped"]

_WHY: Final = {
    "excluded": "not read",
    "unrecognized": "not read, since its kind is unknown",
    "unknown": "not read, since its kind is unknown",
}

_PART: Final = "not read as a whole, since the kind of a document in it is unknown"


def show_skipped(results: Sequence[Checked]) -> None:
    """List the files that were not reported otherwise, one per line."""
    for result in _sorted(results):
        place = f"{result.path}:{result.line}" if result.line else result.path
        why = _WHY[result.status] if result.kind is None or not result.is_examined else _PART
        _console.note(_console.shown(f"{place}: {why}: {result.reason}"))


def with_skipped(findings: str, results: Sequence[Checked]) -> str:
    """Return JSON with the findings and all files that were not checked, from the JSON array of the findings."""
    skipped = [
        {"path": result.path, "line": result.line or None, "status": result.status, "reason": result.reason}
        for result in _sorted(results)
    ]
    import json

    return json.dumps({"findings": json.loads(findings), "skipped": skipped}, indent=2) + "\n"


def _sorted(results: Sequence[Checked]) -> list[Checked]:
    return sorted(results, key=lambda result: result.path.split("/"))

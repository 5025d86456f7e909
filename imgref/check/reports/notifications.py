"""The notifications of SARIF besides findings: files that were not checked, and registries that did not answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from imgref.check.reports._identity import uri_of
from imgref.check.result import Checked

__all__ = ["DESCRIPTORS", "Notes", "invocation"]

_ROOT: Final = "%SRCROOT%"
_LEVELS: Final = {"unrecognized": "note", "skipped": "warning"}
_NOT_UNDERSTOOD: Final = "not-understood"
_NOT_CHECKED: Final = "not-checked"
_NO_ANSWER: Final = "registry-failed"

DESCRIPTORS: Final = (
    {"id": _NOT_UNDERSTOOD, "shortDescription": {"text": "A file that may use images is of no kind that imgref reads"}},
    {"id": _NOT_CHECKED, "shortDescription": {"text": "A file was not checked, or not to its end"}},
    {"id": _NO_ANSWER, "shortDescription": {"text": "A registry could not be asked"}},
)
"""What notifications refer to."""


@dataclass(frozen=True, slots=True)
class Notes:
    """What is reported about a run besides findings.

    Attributes:
        not_checked: the files that were not checked. Those that a policy excludes are not mentioned.
        failures: what registries could not be asked, each with the reason.
        failed: whether something could not be checked that had to be.
    """

    not_checked: Sequence[Checked] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    failed: bool = False


def invocation(notes: Notes) -> dict[str, object]:
    """Return the ``invocation`` object of a run."""
    files = (_of_file(result) for result in _counted(notes.not_checked))
    told = [*files, *(_of_registry(about, reason) for about, reason in notes.failures.items())]
    successful = not (notes.failed or notes.failures)
    return {"executionSuccessful": successful, **({"toolExecutionNotifications": told} if told else {})}


def _counted(results: Sequence[Checked]) -> Iterator[Checked]:
    named = (result for result in results if result.status != "excluded")
    return iter(sorted(named, key=lambda result: result.path.split("/")))


def _of_file(result: Checked) -> dict[str, object]:
    is_understood = result.status not in {"unrecognized", "unknown"}
    physical: dict[str, object] = {"artifactLocation": {"uri": uri_of(result.path), "uriBaseId": _ROOT}}
    if result.line:
        physical["region"] = {"startLine": result.line}
    return {
        "descriptor": {"id": _NOT_CHECKED if is_understood else _NOT_UNDERSTOOD},
        "level": _LEVELS.get(result.status, "error"),
        "message": {"text": result.reason or "the kind of this file is unknown"},
        "locations": [{"physicalLocation": physical}],
    }


def _of_registry(about: str, reason: str) -> dict[str, object]:
    text = reason if about in reason else f"{about}: {reason}"
    return {"descriptor": {"id": _NO_ANSWER}, "level": "error", "message": {"text": text}}

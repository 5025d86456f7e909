"""From what was found in one file to findings: every rule, then ignore comments, exceptions and per-file ignores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from imgref._printable import masked
from imgref.check.comments import Ignores
from imgref.check.finding import Finding
from imgref.check.online import unanswered
from imgref.check.rules import ONLINE, RULES, Image, Violation, waiting
from imgref.check.rules.images import image_of
from imgref.check.severity import with_severities
from imgref.errors import InvalidReference
from imgref.sources.keeping import Kept, kept_in
from imgref.sources.kinds import lines_of, syntax_of
from imgref.sources.occurrence import Occurrence, Problem, Reading

if TYPE_CHECKING:
    from imgref.check.policy import Policy

__all__ = ["evaluate"]

_OF_IMAGES: Final = [(code, rule.image) for code, rule in RULES.items() if rule.image is not None]
_OF_UNRESOLVED: Final = [(code, rule.unresolved) for code, rule in RULES.items() if rule.unresolved is not None]
_OF_INVALID: Final = [(code, rule.invalid) for code, rule in RULES.items() if rule.invalid is not None]
_NOT_FOUND: Final = "IMG602"
_OF_ANSWERS: Final = [(code, rule.online) for code, rule in RULES.items() if rule.online is not None]
_OF_DECLARATIONS: Final = [(code, rule.declaration) for code, rule in RULES.items() if rule.declaration is not None]


def evaluate(reading: Reading, policy: Policy, *, path: str, inside: str, text: str) -> list[Finding]:
    """Check one file by a policy.

    Args:
        reading: what was found in it.
        policy: the policy.
        path: the file, as findings are to name it.
        inside: the same, relative to the policy's root.
        text: its content.
    """
    has_ignores = bool(reading.comments) and policy.inline_ignores
    asked = policy.answers is not None
    file = _File(path, policy, kept_in(reading, text) if has_ignores and asked else None)
    ignores = Ignores(reading, lines_of(reading.kind, text), syntax_of(reading.kind)) if has_ignores else None
    codes = policy.enabled if ignores is None else policy.enabled | ignores.codes
    found = [*file.occurrences(reading.occurrences, codes), *file.beside(reading)]
    if ignores is not None:
        found = [(finding, passed) for finding, passed in found if not ignores.covers(finding)]
        unknowable = frozenset(waiting(codes, policy)) | unanswered(reading, policy, codes & ONLINE)
        unused = [(file.told(problem), False) for problem in ignores.unused(unknowable)]
        found += [(finding, passed) for finding, passed in unused if not ignores.covers(finding)]
        if policy.require_reason:
            found += [(file.told(problem), False) for problem in ignores.without_reason()]
    quiet = policy.ignored_in(inside) if found and policy.per_file_ignores else frozenset()
    kept = [
        finding
        for finding, passed in found
        if not passed and finding.code in policy.enabled and finding.code not in quiet
    ]
    kept.sort(key=lambda finding: (finding.line, finding.column, finding.code))
    return with_severities(kept, policy)


class _File:
    """Creates the findings of one file. Each comes with whether an exception accepts it."""

    def __init__(self, path: str, policy: Policy, kept: Kept | None = None) -> None:
        self.path = path
        self.policy = policy
        self.kept = kept

    def occurrences(self, occurrences: Sequence[Occurrence], codes: frozenset[str]) -> Iterator[tuple[Finding, bool]]:
        rules_of_images = [(code, rule) for code, rule in _OF_IMAGES if code in codes]
        for occurrence in occurrences:
            if occurrence.role == "unresolved":
                for code, unresolved in _OF_UNRESOLVED:
                    if code in codes and (violation := unresolved(occurrence)) is not None:
                        yield self._finding(occurrence, code, violation), False
                continue
            if occurrence.role not in {"external", "invalid"}:
                continue
            try:
                image = image_of(occurrence)
            except InvalidReference as error:
                yield from self._invalid(occurrence, error)
                continue
            if occurrence.role == "invalid":
                yield from self._invalid(occurrence, None)
                continue
            for code, rule in rules_of_images:
                if (violation := rule(image, self.policy)) is not None:
                    yield self._excepted(image, code, violation)
            if self.policy.answers is not None:
                yield from self._online(image, codes)

    def _online(self, image: Image, codes: frozenset[str]) -> Iterator[tuple[Finding, bool]]:
        """Yield the findings from registries; for a reference that a comment keeps, only if it cannot be pulled."""
        answer = None if self.policy.answers is None else self.policy.answers.get(image.ref)
        if answer is None:
            return
        kept = self.kept is not None and self.kept.reason(image.occurrence) is not None
        for code, rule in _OF_ANSWERS:
            if code in codes and not (kept and code != _NOT_FOUND) and (violation := rule(image, answer)) is not None:
                yield self._excepted(image, code, violation)

    def beside(self, reading: Reading) -> Iterator[tuple[Finding, bool]]:
        """Yield the findings of the reader itself, and the registries that the file configures as insecure."""
        for problem in reading.problems:
            yield self.told(problem), False
        for declaration in reading.declarations:
            end = declaration.column + len(declaration.host)
            place = (self.path, declaration.line, declaration.column, end)
            for code, rule in _OF_DECLARATIONS:
                if (violation := rule(declaration)) is not None:
                    yield Finding(*place, code, violation.message, violation.hint), False

    def told(self, problem: Problem) -> Finding:
        end = problem.column + 1 if problem.end_column is None else problem.end_column
        return Finding(self.path, problem.line, problem.column, end, problem.code, problem.message, problem.hint)

    def _invalid(self, occurrence: Occurrence, error: InvalidReference | None) -> Iterator[tuple[Finding, bool]]:
        for code, rule in _OF_INVALID:
            yield self._finding(occurrence, code, rule(occurrence, error)), False

    def _excepted(self, image: Image, code: str, violation: Violation) -> tuple[Finding, bool]:
        if not self.policy.exceptions:
            return self._finding(image.occurrence, code, violation), False
        entry, expired = self.policy.exemption(code, image.ref)
        if expired is not None and entry is None:
            reason = "" if expired.reason is None else f" ({expired.reason})"
            message = f"{violation.message}; the exception for it{reason} expired on {expired.expires}"
            violation = Violation(message, violation.hint)
        return self._finding(image.occurrence, code, violation), entry is not None

    def _finding(self, occurrence: Occurrence, code: str, violation: Violation) -> Finding:
        end = occurrence.column + len(occurrence.text)
        text = masked(occurrence.text, whole=True) if violation.shown is None else violation.shown
        return Finding(
            self.path, occurrence.line, occurrence.column, end, code, violation.message, violation.hint, text
        )

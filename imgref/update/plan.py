"""Plans: which references of some files change and how, and which are left alone and why.

A plan is data. It is created in steps, so that every image is looked up once: :func:`spots` finds the references, a
command decides what each one is to become, and :func:`make_plan` turns the decisions into edits. The edited file is
read again in memory, and if it does not match the decisions, nothing in it is edited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from imgref.errors import InvalidReference
from imgref.reference import ImageReference, parse
from imgref.sources.occurrence import Occurrence, Reading
from imgref.update.edits import Edit, Refused, Wanted, edited, replaced, texts_for
from imgref.update.source import Source

__all__ = ["Change", "Decision", "FilePlan", "Left", "Plan", "Spot", "Why", "left_alone", "make_plan", "spots"]

Why = Literal["not-needed", "kept", "fixed", "unknown", "failed", "missing", "bug"]
"""Why a reference is left alone: it needs no edit, a comment keeps it, it cannot be edited safely, its value is not
known, a registry failed, the image does not exist, or imgref would have made a mistake."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A reference to an image in a file.

    Attributes:
        source: the file.
        index: the number of its occurrence.
        ref: the image.
    """

    source: Source
    index: int
    ref: ImageReference

    @property
    def occurrence(self) -> Occurrence:
        """What the reader found."""
        return self.source.reading.occurrences[self.index]


@dataclass(frozen=True, slots=True)
class Left:
    """A reference that is left alone.

    Attributes:
        path: the file.
        line: its line.
        column: its column.
        text: the reference as written.
        reference: the image, or None where that is not known.
        why: the kind of reason.
        reason: the reason in words.
    """

    path: str
    line: int
    column: int
    text: str
    reference: str | None
    why: Why
    reason: str

    @property
    def counts(self) -> bool:
        """Whether ``--strict`` fails because of it: not where there was nothing to edit, or a comment keeps it."""
        return self.why not in {"not-needed", "kept"}


@dataclass(frozen=True, slots=True)
class Change:
    """A reference that changes.

    Attributes:
        path: the file.
        line: its line.
        column: its column.
        old: what it resolves to now.
        new: what it resolves to afterwards.
        edits: the edits that it takes.
    """

    path: str
    line: int
    column: int
    old: str
    new: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class FilePlan:
    """The edits of one file, and its bytes after them."""

    source: Source
    changes: tuple[Change, ...]
    edits: tuple[Edit, ...]
    result: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    Attributes:
        files: the files that change.
        left: the references that are left alone.
        current: how many references are as they should be.
        bugs: files that could not be edited by a mistake in imgref, each as a message.
    """

    files: tuple[FilePlan, ...] = ()
    left: tuple[Left, ...] = ()
    current: int = 0
    bugs: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """The references that change, in the order of files and lines."""
        return tuple(change for file in self.files for change in file.changes)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reference is to become: a tag and a digest, or nothing, for a reason.

    Attributes:
        wanted: the tag and the digest, or None to leave it alone.
        why: the kind of reason; None where the reference is as it should be.
        reason: the reason in words.
    """

    wanted: Wanted | None = None
    why: Why | None = None
    reason: str = ""


def spots(
    sources: Iterable[Source], selected: Callable[[ImageReference], bool]
) -> tuple[tuple[Spot, ...], tuple[Left, ...]]:
    """Return the references of some files that may change, and those that cannot.

    Args:
        sources: the files.
        selected: whether the command is to look at an image at all.
    """
    found: list[Spot] = []
    left: list[Left] = []
    for source in sources:
        kept = source.kept()
        for index, occurrence in enumerate(source.reading.occurrences):
            ref = _reference(occurrence)
            if ref is not None and not selected(ref):
                continue
            reason = kept.reason(occurrence)
            if reason is not None:
                left.append(left_alone(source, occurrence, "kept", f"kept by a comment: {reason}".rstrip(": ")))
            elif (passed := _without_image(occurrence)) is not None:
                left.append(left_alone(source, occurrence, *passed))
            elif ref is not None:
                found.append(Spot(source, index, ref))
    return tuple(found), tuple(left)


def _reference(occurrence: Occurrence) -> ImageReference | None:
    if occurrence.role != "external" or occurrence.resolved is None:
        return None
    try:
        return parse(occurrence.resolved)
    except InvalidReference:
        return None


def _without_image(occurrence: Occurrence) -> tuple[Why, str] | None:
    """Return why the image of an occurrence cannot be looked up on a registry, or None."""
    target = occurrence.target
    if target is not None and target.outside is not None and not target.fixed:
        return "not-needed", "edited in the file .env"
    if occurrence.role == "external":
        # A chart's appVersion, or the tag of the resource that a kustomization changes.
        return None if occurrence.reason is None else ("fixed", occurrence.reason)
    if occurrence.role == "unresolved":
        return "unknown", occurrence.reason or "the value of its variable is not known here"
    if occurrence.role == "invalid":
        return "unknown", f"invalid reference: {occurrence.reason}" if occurrence.reason else "invalid reference"
    return "not-needed", {"built-here": "built here", "stage": "a build stage"}.get(occurrence.role, "no image")


def left_alone(source: Source, occurrence: Occurrence, why: Why, reason: str) -> Left:
    """Return an occurrence as one that is left alone."""
    ref = _reference(occurrence)
    return Left(
        source.path,
        occurrence.line,
        occurrence.column,
        occurrence.text,
        None if ref is None else str(ref),
        why,
        reason,
    )


@dataclass(slots=True)
class _File:
    """The edits in one file: the new strings of spans, and for which references."""

    source: Source
    wanted: dict[int, tuple[str, dict[tuple[int, int], str]]] = field(default_factory=dict)


def make_plan(decisions: Iterable[tuple[Spot, Decision]], left: Sequence[Left] = (), *, helm_tag: bool = False) -> Plan:
    """Turn decisions into a plan.

    Args:
        decisions: the references, each with what it is to become.
        left: references that are left alone already.
        helm_tag: whether a digest may go into a Helm map's tag.
    """
    files: dict[str, _File] = {}
    passed = list(left)
    current = 0
    for spot, decision in decisions:
        if decision.wanted is None:
            if decision.why is None:
                current += 1
            else:
                passed.append(left_alone(spot.source, spot.occurrence, decision.why, decision.reason))
            continue
        new = replaced(spot.occurrence.resolved or "", decision.wanted)
        try:
            texts = texts_for(spot.source, spot.index, decision.wanted, helm_tag=helm_tag)
        except Refused as refused:
            passed.append(left_alone(spot.source, spot.occurrence, "fixed", str(refused)))
            continue
        file = files.setdefault(spot.source.path, _File(spot.source))
        file.wanted[spot.index] = (new, {(span.start, span.end): text for span, text in texts.items()})
    plans, bugs = [], []
    for file in files.values():
        passed += _without_conflicts(file)
        planned = _file_plan(file)
        if isinstance(planned, FilePlan):
            plans.append(planned)
        elif planned is not None:
            bugs.append(f"{file.source.path}: left alone because of a bug in imgref: {planned}")
            passed += _all_left(file, planned)
    ordered = sorted(passed, key=lambda one: (one.path.split("/"), one.line, one.column))
    return Plan(tuple(sorted(plans, key=lambda one: one.source.path.split("/"))), tuple(ordered), current, tuple(bugs))


def _without_conflicts(file: _File) -> Iterator[Left]:
    """Take away the references that share a span with another one that stays, or is to become something else."""
    occurrences = file.source.reading.occurrences
    texts: dict[tuple[int, int], set[str]] = {}
    for _, changes in file.wanted.values():
        for span, text in changes.items():
            texts.setdefault(span, set()).add(text)
    staying = {
        span
        for index, occurrence in enumerate(occurrences)
        if index not in file.wanted and occurrence.target is not None
        for span in occurrence.target.spans
    }
    for index, (_, changes) in list(file.wanted.items()):
        target = occurrences[index].target
        shared = target is not None and not staying.isdisjoint(target.spans)
        if shared or any(len(texts[span]) > 1 for span in changes):
            del file.wanted[index]
            reason = "another reference shares it, and must stay or change to something else"
            yield left_alone(file.source, occurrences[index], "fixed", reason)


def _all_left(file: _File, reason: str) -> Iterator[Left]:
    for index in file.wanted:
        yield left_alone(file.source, file.source.reading.occurrences[index], "bug", reason)


def _file_plan(file: _File) -> FilePlan | str | None:
    """Return the plan of a file, why it cannot be carried out, or None if there is nothing to do."""
    source = file.source
    offsets = source.byte_offsets(at for _, texts in file.wanted.values() for span in texts for at in span)
    changes = []
    for index, (new, texts) in sorted(file.wanted.items()):
        occurrence = source.reading.occurrences[index]
        old = occurrence.resolved or ""
        edits = tuple(
            Edit(source.path, offsets[start], offsets[end], source.text[start:end], text, f"{old} -> {new}")
            for (start, end), text in sorted(texts.items())
        )
        changes.append(Change(source.path, occurrence.line, occurrence.column, old, new, edits))
    if not changes:
        return None
    unique = {(edit.start, edit.end): edit for change in changes for edit in change.edits}
    edits = tuple(sorted(unique.values()))
    try:
        result = edited(source, edits)
        reading, _ = source.reread(result)
    except Exception as error:  # noqa: BLE001  any failure to read it again means that it must not be written
        return f"the edited file cannot be read: {error}"
    problem = _difference(source.reading, reading, {index: new for index, (new, _) in file.wanted.items()})
    return FilePlan(source, tuple(changes), edits, result) if problem is None else problem


def _difference(before: Reading, after: Reading | None, wanted: Mapping[int, str]) -> str | None:
    """Return how an edited file reads otherwise than it should, or return None."""
    if after is None or after.kind != before.kind or len(after.occurrences) != len(before.occurrences):
        return "the edited file has other references"
    if len(after.problems) != len(before.problems) or after.incomplete != before.incomplete:
        return "the edited file has other errors"
    if [comment.text for comment in after.comments] != [comment.text for comment in before.comments]:
        return "the edited file has other comments"
    for index, (old, new) in enumerate(zip(before.occurrences, after.occurrences, strict=True)):
        expected = wanted.get(index, old.resolved)
        if new.resolved != expected:
            return f"line {new.line} would be {new.resolved!r} instead of {expected!r}"
        if (new.role, new.construct, new.line, new.final) != (old.role, old.construct, old.line, old.final):
            return f"line {new.line} would have another role"
    return None

"""What must hold of every file, whatever is in it: edits stay inside references, and ``unpin`` undoes ``pin``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from update.fakes import FakeRegistry, result_of, source_of, spots_of

from imgref.sources.dockerfile.instructions import scan
from imgref.sources.yaml.composer import compose
from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence
from imgref.update.pinning import plan_pin, plan_unpin
from imgref.update.plan import FilePlan, Plan
from imgref.update.source import Source

_DIGEST = re.compile(r":latest\b|@sha256:[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class RoundTrip:
    """A file, and what ``pin`` and ``unpin`` make of it.

    Attributes:
        source: the file, or None if nothing in it is a reference.
        before: its bytes.
        plan: what ``pin`` plans.
        pinned: its bytes after that.
    """

    source: Source | None
    before: bytes
    plan: Plan
    pinned: bytes

    @classmethod
    def of(cls, path: str, data: bytes, *, helm_tag: bool = False) -> RoundTrip:
        source = source_of(path, data)
        plan = plan_pin(*spots_of(source), FakeRegistry(), helm_tag=helm_tag)
        return cls(source, data, plan, result_of(plan, data))

    def problems(self, path: str, *, helm_tag: bool = False) -> Iterator[str]:
        """Yield what does not hold."""
        yield from self.plan.bugs
        again = plan_pin(*spots_of(source_of(path, self.pinned)), FakeRegistry(), helm_tag=helm_tag)
        if again.files or again.bugs:
            yield "a second pin changes something"
        expected, restored = unpinned(path, self.before), unpinned(path, self.pinned)
        if restored != expected and not _has_insertions_only(expected, restored, self.source):
            yield "unpin does not restore the bytes"
        for file in self.plan.files:
            yield from _outside_of_references(file)
            yield from _parsed_otherwise(file)


def unpinned(path: str, data: bytes) -> bytes:
    return result_of(plan_unpin(*spots_of(source_of(path, data))), data)


def _has_insertions_only(before: bytes, after: bytes, source: Source | None) -> bool:
    """Return whether nothing but tags that were omitted, and digests that were empty, is written out."""
    assert source is not None
    parts = re.split(rb"(:latest|\"\"|'')", after)
    at = 0
    for number, part in enumerate(parts):
        if before.startswith(part, at):
            at += len(part)
        elif number % 2 == 0:
            return False
    return at == len(before)


def _outside_of_references(file: FilePlan) -> Iterator[str]:
    spans = [span for one in file.source.reading.occurrences if one.target is not None for span in one.target.spans]
    at = file.source.byte_offsets(offset for span in spans for offset in span)
    allowed = [(at[span.start], at[span.end]) for span in spans]
    offset = 0
    for edit in sorted(edit for change in file.changes for edit in change.edits):
        if not any(start <= edit.start and edit.end <= end for start, end in allowed):
            yield f"bytes {edit.start} to {edit.end} are not in a reference"
        offset = edit.end
    if file.result[len(file.result) - (len(file.source.data) - offset) :] != file.source.data[offset:]:
        yield "what follows the last edit is changed"


def _parsed_otherwise(file: FilePlan) -> Iterator[str]:
    before, after = file.source.text, file.source.reread(file.result)[1]
    if file.source.reading.kind == "dockerfile":
        if _instructions(before) != _instructions(after):
            yield "the Dockerfile has other instructions"
    elif file.source.reading.kind not in _NOT_YAML and _nodes(before) != _nodes(after):
        yield "the YAML has other nodes"


_NOT_YAML = frozenset({"devcontainer", "quadlet", "bake", "nomad", "terraform", "jenkins"})


def _instructions(text: str) -> list[tuple[int, str]]:
    return [(one.line.place(0)[0], _without_digests(one.line.text)) for one in scan(text).instructions]


def _without_digests(text: str) -> str:
    return _DIGEST.sub("", text)


def _nodes(text: str) -> list[Any]:
    return [_value(document, {}) for document in compose(text).documents]


def _value(node: Node, seen: dict[int, int]) -> Any:  # noqa: ANN401  lists, tuples and strings, nested
    # An alias can be inside of what it stands for.
    if id(node) in seen:
        return seen[id(node)]
    seen[id(node)] = len(seen)
    if isinstance(node, Scalar):
        # A Helm map has its digest, and Kustomize its new tag, in a value of its own.
        text = _without_digests(node.value)
        return re.sub(r"^sha256:[0-9a-f]{64}$|^null$|^~$", "", text), node.tag
    if isinstance(node, Sequence):
        return [_value(item, seen) for item in node.items]
    assert isinstance(node, Mapping)
    return [_value(one, seen) for one in node.flat]

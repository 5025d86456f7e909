"""A registry that knows every image, and files to edit without a disk."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from imgref.reference import ImageReference, parse
from imgref.sources.recognition import Places
from imgref.update.plan import Left, Plan, Spot, spots
from imgref.update.registry import Failed
from imgref.update.source import Source, read_source


def digest_of(reference: str) -> str:
    """Return the digest that the fake registry has for a reference."""
    return f"sha256:{hashlib.sha256(str(parse(reference)).encode()).hexdigest()}"


def with_digests(text: str) -> str:
    """Replace each ``D(reference)`` by its digest."""
    return re.sub(r"D\(([^)]*)\)", lambda found: digest_of(found[1]), text)


@dataclass
class FakeRegistry:
    """Has every image, and counts the questions."""

    names: tuple[str, ...] = ()
    ages: Mapping[str, datetime | None] = field(default_factory=dict)
    failing: Mapping[str, Failed] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def digests(self, images: Collection[ImageReference]) -> Mapping[ImageReference, str | Failed]:
        self.asked += map(str, images)
        return {ref: self.failing.get(str(ref), digest_of(str(ref))) for ref in images}

    def tags(self, repositories: Collection[str]) -> Mapping[str, tuple[str, ...] | Failed]:
        self.asked += repositories
        return {name: self.failing.get(name, self.names) for name in repositories}

    def created(self, images: Collection[ImageReference]) -> Mapping[ImageReference, datetime | Failed | None]:
        self.asked += [f"age of {ref}" for ref in images]
        return {ref: self.ages.get(ref.tag or "") for ref in images}


def source_of(path: str, data: bytes, places: Places | None = None) -> Source | None:
    """Read bytes as a file."""
    place = (places or Places()).of(path)
    return read_source(path, place, shown=path, named=True, data=data)


def spots_of(source: Source | None) -> tuple[tuple[Spot, ...], tuple[Left, ...]]:
    """Return the references of one file."""
    return spots([] if source is None else [source], lambda ref: True)


def result_of(plan: Plan, before: bytes) -> bytes:
    """Return the bytes of the one file after a plan."""
    assert not plan.bugs
    return plan.files[0].result if plan.files else before

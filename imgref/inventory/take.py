"""From the references in files to an inventory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from imgref.errors import InvalidReference
from imgref.inventory.building import Builder, Reread
from imgref.inventory.model import Inventory, Purpose, Unread, Use, UsedImage, UsedReference
from imgref.reference import ImageReference, left_out, parse
from imgref.sources.occurrence import Occurrence, Reading

__all__ = ["take_inventory", "use_of"]


def take_inventory(
    readings: Iterable[tuple[str, Reading]],
    *,
    reread: Reread | None = None,
    unread: Iterable[Unread] = (),
) -> Inventory:
    r"""Return the inventory of some files.

    Args:
        readings: the path of each file, and what was found in it.
        reread: reads a Dockerfile again with the build arguments that another file sets, or returns None if it
            cannot. Without it, images that depend on such arguments are not known.
        unread: files that could not be read at all.

    >>> from imgref.sources import find_references
    >>> files = {
    ...     "Dockerfile": "FROM golang:1.23 AS build\nFROM alpine:3.21\nCOPY --from=build /app /\n",
    ...     "compose.yaml": "services: {web: {build: ., image: 'acme/web:1'}}",
    ... }
    >>> inventory = take_inventory((path, find_references(text, path=path)) for path, text in files.items())
    >>> [(build.id, build.base.name, build.images) for build in inventory.builds]
    [('Dockerfile', 'docker.io/library/alpine:3.21', ('docker.io/acme/web:1',))]
    """
    read = dict(readings)
    builder = Builder(read, reread)
    builds = builder.builds()
    uses = list(chain(_uses(read), builder.uses))
    groups: dict[ImageReference, list[Use]] = {}
    for use in uses:
        if use.reference is not None:
            groups.setdefault(use.reference, []).append(use)
    images: dict[str, list[UsedReference]] = {}
    for ref in sorted(groups, key=_order):
        images.setdefault(ref.repository, []).append(UsedReference(ref, tuple(groups[ref])))
    return Inventory(
        tuple(UsedImage(name, tuple(references)) for name, references in images.items()),
        builds,
        tuple(use for use in uses if use.reference is None and use.role != "invalid"),
        tuple(use for use in uses if use.role == "invalid"),
        sum(one.role == "scratch" for reading in read.values() for one in reading.occurrences),
        sum(bool(reading.occurrences or reading.builds) for reading in read.values()),
        (*unread, *chain.from_iterable(_gaps(path, reading) for path, reading in read.items())),
    )


def _order(ref: ImageReference) -> tuple[str, str, str]:
    return ref.repository, ref.tag or "", ref.digest or ""


def _uses(read: Mapping[str, Reading]) -> Iterator[Use]:
    for path, reading in read.items():
        for one in reading.occurrences:
            if one.role not in {"stage", "scratch"}:
                yield use_of(one, path, reading.kind)


def use_of(one: Occurrence, path: str, kind: str, by: str = "") -> Use:
    """Return the use that an occurrence is.

    Args:
        one: the occurrence, which is not a stage and not ``scratch``.
        path: its file.
        kind: the kind of the file.
        by: the build whose arguments decide which image this is.
    """
    ref, implicit, reason = _reference(one)
    return Use(
        path, one.line, one.column, one.text, kind, one.construct, one.role, _purpose(one), ref, implicit, reason, by
    )  # fmt: skip


def _reference(one: Occurrence) -> tuple[ImageReference | None, bool, str | None]:
    """Return the image, whether its tag is implicit, and why something about it is not known."""
    if one.role not in {"external", "built-here"} or one.resolved is None:
        return None, False, one.reason or "its name is not known here"
    try:
        untagged = "tag" in left_out(one.resolved)
        # A reason means that the tag comes from elsewhere, such as a chart.
        elsewhere = untagged and one.reason is not None and one.role == "external"
        ref = parse(one.resolved, default_tag=None) if elsewhere else parse(one.resolved)
    except InvalidReference as error:
        return None, False, error.reason
    return ref, untagged and not elsewhere, one.reason


def _purpose(one: Occurrence) -> Purpose:
    if one.role == "built-here":
        return "built"
    if one.is_base:
        return "base" if one.final else "build"
    return "build" if one.may_be_stage or one.construct in {"syntax", "additional_contexts"} else "run"


def _gaps(path: str, reading: Reading) -> Iterator[Unread]:
    """Yield what of a file was not read."""
    for problem in reading.problems:
        if problem.code == "IMG901":
            yield Unread(path, problem.message, problem.line)
    if reading.doubt:
        yield Unread(path, reading.doubt, is_error=False)
    if reading.trace is not None:
        yield Unread(path, f"it has {reading.trace.text!r}", reading.trace.line, is_error=False)

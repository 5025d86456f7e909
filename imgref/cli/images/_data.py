"""``--format json`` and ``--format lines`` of ``imgref images``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgref._printable import masked
from imgref.cli import _console
from imgref.cli.images._summary import counted, summary
from imgref.inventory.graph import Graph, Query

if TYPE_CHECKING:
    from imgref.inventory.model import Build, Inventory, Use, UsedImage, UsedReference

__all__ = ["write_json", "write_lines"]


def write_lines(inventory: Inventory, query: Query | None) -> None:
    """Write each reference that can be pulled on a line, sorted, and count the others on stderr."""
    lines = sorted({str(one.reference) for one in inventory.references if one.is_pullable})
    for line in lines:
        _console.say(line)
    others = [
        (sum(not one.is_pullable and "built" in one.purposes for one in inventory.references), "built here"),
        (
            sum(not one.is_pullable and "built" not in one.purposes for one in inventory.references),
            "with a tag that is not known here",
        ),
        (len(inventory.unresolved), "unresolved"),
        (len(inventory.invalid), "invalid"),
        (inventory.scratch, "scratch"),
    ]
    left = ", ".join(f"{count} {label}" for count, label in others if count)
    _console.note(counted(len(lines), "reference") + (f"; omitted: {left}" if left else ""))


def write_json(inventory: Inventory, query: Query | None) -> None:
    """Write the inventory as one JSON object."""
    fields: dict[str, object] = {
        "images": [_image(image) for image in inventory.images],
        "builds": [_build(build) for build in inventory.builds],
        "unresolved": [_use(use) for use in inventory.unresolved],
        "invalid": [_use(use) for use in inventory.invalid],
        "scratch": inventory.scratch,
        "unread": [
            {"path": gap.path, "line": gap.line, "reason": gap.reason, "level": "error" if gap.is_error else "warning"}
            for gap in inventory.unread
        ],
    }
    if query is not None:
        graph = Graph(inventory)
        names = sorted(query.names(inventory))
        fields["of"] = {
            "images": names,
            "made_by": sorted({build.id for name in names for build in graph.makers(name)}),
            "built_on_it": sorted({build.id for name in names for build in graph.all_built_on(name)}),
            "built_with_it": sorted({build.id for name in names for build in graph.built_with(name)}),
        }
    _console.say_json(fields, indent=2)
    _console.note(summary(inventory))


def _image(image: UsedImage) -> dict[str, object]:
    return {"repository": image.repository, "references": [_reference(one) for one in image.references]}


def _reference(one: UsedReference) -> dict[str, object]:
    ref = one.reference
    return {
        "reference": str(ref),
        "tag": ref.tag,
        "digest": ref.digest,
        "pinned": one.is_pinned,
        "implicit_tag": one.is_implicit,
        "pullable": one.is_pullable,
        "used_as": list(one.purposes),
        "uses": [_use(use) for use in one.uses],
    }


def _use(use: Use) -> dict[str, object]:
    return {
        "path": use.path,
        "line": use.line,
        "column": use.column,
        "text": masked(use.text, whole=True),
        "kind": use.kind,
        "construct": use.construct,
        "role": use.role,
        "used_as": use.purpose,
        "reason": use.reason,
        "build": use.by or None,
    }


def _build(build: Build) -> dict[str, object]:
    base = build.base
    return {
        "id": build.id,
        "dockerfile": build.dockerfile,
        "target": build.target,
        "defined": [{"path": place.path, "line": place.line, "name": place.name} for place in build.definitions],
        "images": list(build.images),
        "base": None if base is None else {"kind": base.kind, "name": masked(base.name, whole=True)},
        "ingredients": [
            {
                "kind": one.kind,
                "name": masked(one.name, whole=True),
                "used_as": one.purpose,
                "line": one.line,
                "reason": one.reason,
            }
            for one in build.ingredients
        ],
        "reason": build.reason,
    }

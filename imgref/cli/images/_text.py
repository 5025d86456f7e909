"""``--format table`` of ``imgref images``: tables of images and builds, or with ``--of`` a tree in both directions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from imgref._printable import masked
from imgref.cli import _console
from imgref.cli.images._summary import pinned_of, short, summary, tag_of, used_as
from imgref.inventory.graph import Graph, Query

if TYPE_CHECKING:
    from imgref.inventory.model import Build, Ingredient, Inventory, Use

__all__ = ["write_table"]

_PLACES: Final = 3
"""How many locations a cell lists."""


def write_table(inventory: Inventory, query: Query | None) -> None:
    """Write tables; or the tree of one image."""
    if query is not None:
        for number, name in enumerate(sorted(query.names(inventory))):
            _console.say(("\n" if number else "") + "\n".join(_tree(name, inventory)))
    else:
        if inventory.images:
            rows = [
                (image.repository, tag_of(one), pinned_of(one), used_as(one), _places(one.uses))
                for image in inventory.images
                for one in image.references
            ]
            _console.table(("image", "tag or digest", "pinned", "used as", "used in"), rows)
        if inventory.builds:
            built = [(build.id, _base(build), ", ".join(build.images)) for build in inventory.builds]
            _console.say("")
            _console.table(("build", "built on", "makes"), built)
    _console.note(summary(inventory))


def _places(uses: Iterable[Use]) -> str:
    places = list(dict.fromkeys(use.place for use in uses))
    more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
    return ", ".join(places[:_PLACES]) + more


def _base(build: Build) -> str:
    if build.base is None:
        return f"- ({build.reason})" if build.reason else "-"
    return _named(build.base)


def _named(one: Ingredient) -> str:
    name = short(masked(one.name, whole=True))
    return f"{name} ({one.reason})" if one.kind == "unknown" else name


def _tree(name: str, inventory: Inventory) -> Iterator[str]:
    """Yield the lines about one image."""
    graph = Graph(inventory)
    yield name
    uses = [use for one in inventory.references if str(one.reference) == name for use in one.uses]
    if uses:
        yield "  used in: " + ", ".join(dict.fromkeys(use.place for use in uses))
    yield "  built on it:" if graph.built_on(name) else "  built on it: nothing here"
    yield from _up(graph.built_on(name), graph, frozenset())
    if beside := graph.built_with(name):
        yield "  needed to build: " + ", ".join(build.id for build in beside)
    makers = graph.makers(name)
    yield "  it is built by:" if makers else "  it is built by: nothing here"
    for build in makers:
        yield from _down(build, graph, frozenset())


def _up(builds: Iterable[Build], graph: Graph, above: frozenset[str]) -> Iterator[str]:
    margin = "    " + "  " * len(above)
    for build in builds:
        makes = f" -> {', '.join(build.images)}" if build.images else ""
        yield f"{margin}{build.id}{makes}" + (" (see above)" if build.id in above else "")
        if build.id not in above:
            found = {other.id: other for name in (build.id, *build.images) for other in graph.built_on(name)}
            yield from _up(found.values(), graph, above | {build.id})


def _down(build: Build, graph: Graph, above: frozenset[str]) -> Iterator[str]:
    margin = "    " + "  " * len(above)
    base = build.base
    yield f"{margin}{build.id} on {_base(build)}" + (" (see above)" if build.id in above else "")
    if base is not None and build.id not in above:
        for maker in graph.makers_of(base.name):
            yield from _down(maker, graph, above | {build.id})

"""Where the nodes of a graph are drawn: in columns, what is used left of what uses it.

The steps are those of Sugiyama's layered drawing: cut circles, choose a column for each node, add a bend in each
column that an arrow passes, order the columns so that few arrows cross, and move nodes towards their neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Box", "Drawn", "Size", "layout"]

_GAP_X: Final = 64.0
_GAP_Y: Final = 14.0
_BEND: Final = 10.0
"""The height that an arrow gets where it passes a column."""

_SWEEPS: Final = 12


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a node."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Box:
    """The position of a node: its top left corner and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """A graph with the positions of its nodes.

    Attributes:
        boxes: the position of each node.
        paths: the points of each arrow, from the right edge of its source to the left edge of its target.
        width: the width of everything.
        height: the height of everything.
    """

    boxes: Mapping[str, Box]
    paths: Mapping[tuple[str, str], tuple[tuple[float, float], ...]]
    width: float
    height: float


def layout(sizes: Mapping[str, Size], edges: Iterable[tuple[str, str]]) -> Drawn:
    """Return where nodes and arrows are drawn.

    Args:
        sizes: the size of each node by its key.
        edges: arrows between keys.

    >>> drawn = layout({"a": Size(10, 10), "b": Size(10, 10)}, [("a", "b")])
    >>> drawn.boxes["a"].x < drawn.boxes["b"].x
    True
    """
    kept = [edge for edge in dict.fromkeys(edges) if edge[0] != edge[1]]
    columns_of = _columns(list(sizes), kept)
    parts = _components(list(sizes), kept)
    widths: dict[int, float] = {}
    for key, size in sizes.items():
        widths[columns_of[key]] = max(widths.get(columns_of[key], 0.0), size.width)
    lefts = _lefts(widths)
    boxes: dict[str, Box] = {}
    paths: dict[tuple[str, str], tuple[tuple[float, float], ...]] = {}
    top = 0.0
    for part in parts:
        layers = _Layers(part, [edge for edge in kept if edge[0] in part], columns_of, sizes)
        height = layers.place(top)
        for key in part:
            boxes[key] = Box(lefts[columns_of[key]], layers.tops[key], sizes[key].width, sizes[key].height)
        for edge, bends in layers.bends.items():
            paths[edge] = _path(edge, bends, boxes, layers, (lefts, widths))
        top += height + 2 * _GAP_Y
    width = max((box.x + box.width for box in boxes.values()), default=0.0)
    return Drawn(boxes, paths, width, max(top - 2 * _GAP_Y, 0.0))


def _lefts(widths: Mapping[int, float]) -> dict[int, float]:
    lefts, x = {}, 0.0
    for column in sorted(widths):
        lefts[column] = x
        x += widths[column] + _GAP_X
    return lefts


def _columns(keys: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the column of each node: right of all that it uses, and as near as possible to what uses it."""
    forward = _without_circles(keys, edges)
    users: dict[str, list[str]] = {key: [] for key in keys}
    used: dict[str, list[str]] = {key: [] for key in keys}
    for source, target in forward:
        users[source].append(target)
        used[target].append(source)
    order = _sorted(keys, users, used)
    columns: dict[str, int] = {}
    for key in order:
        columns[key] = max((columns[one] + 1 for one in used[key]), default=0)
    for key in reversed(order):
        if users[key] and not used[key]:
            columns[key] = min(columns[one] for one in users[key]) - 1
    return columns


def _without_circles(keys: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the arrows without those that close a circle, found by a depth-first search in a loop."""
    following: dict[str, list[str]] = {key: [] for key in keys}
    for source, target in edges:
        following[source].append(target)
    state = dict.fromkeys(keys, 0)
    closing = set()
    for start in keys:
        stack: list[tuple[str, Iterator[str]]] = [(start, iter(following[start]))] if state[start] == 0 else []
        if stack:
            state[start] = 1
        while stack:
            key, rest = stack[-1]
            after = next(rest, None)
            if after is None:
                state[key] = 2
                stack.pop()
            elif state[after] == 1:
                closing.add((key, after))
            elif state[after] == 0:
                state[after] = 1
                stack.append((after, iter(following[after])))
    return [edge for edge in edges if edge not in closing]


def _sorted(keys: Sequence[str], users: Mapping[str, list[str]], used: Mapping[str, list[str]]) -> list[str]:
    waiting = {key: len(used[key]) for key in keys}
    ready = [key for key in keys if not waiting[key]]
    order = []
    while ready:
        key = ready.pop()
        order.append(key)
        for target in users[key]:
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return order


def _components(keys: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[dict[str, None]]:
    """Return the nodes that are connected with each other, the largest group first."""
    near: dict[str, list[str]] = {key: [] for key in keys}
    for source, target in edges:
        near[source].append(target)
        near[target].append(source)
    seen: set[str] = set()
    found = []
    for start in keys:
        if start in seen:
            continue
        part, waiting = dict[str, None](), [start]
        while waiting:
            key = waiting.pop()
            if key not in seen:
                seen.add(key)
                part[key] = None
                waiting += near[key]
        found.append(part)
    return sorted(found, key=len, reverse=True)


@dataclass(slots=True)
class _Layers:
    """One connected group, with a bend for each column that an arrow passes."""

    keys: Mapping[str, None]
    edges: Sequence[tuple[str, str]]
    columns: Mapping[str, int]
    sizes: Mapping[str, Size]
    bends: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    tops: dict[str, float] = field(default_factory=dict)
    heights: dict[str, float] = field(default_factory=dict)

    def place(self, top: float) -> float:
        """Choose the upper edge of each node and bend, below ``top``, and return the height of the group."""
        layers, near = self._layers()
        for sweep in range(_SWEEPS):
            self._order(layers, near, backwards=sweep % 2 == 1)
        for layer in layers.values():
            y = 0.0
            for key in layer:
                self.tops[key] = y
                y += self.heights[key] + _GAP_Y
        for sweep in range(_SWEEPS):
            for layer in list(layers.values())[:: -1 if sweep % 2 else 1]:
                self._settle(layer, near)
        first = min(self.tops.values())
        for key in self.tops:
            self.tops[key] += top - first
        return max(self.tops[key] + self.heights[key] for key in self.tops) - top

    def middle(self, key: str) -> float:
        """Return the middle of a node or bend."""
        return self.tops[key] + self.heights[key] / 2

    def _layers(self) -> tuple[dict[int, list[str]], dict[str, list[str]]]:
        layers: dict[int, list[str]] = {}
        for key in self.keys:
            layers.setdefault(self.columns[key], []).append(key)
            self.heights[key] = self.sizes[key].height
        near: dict[str, list[str]] = {key: [] for key in self.keys}
        for source, target in self.edges:
            chain = []
            for column in range(self.columns[source] + 1, self.columns[target]):
                bend = f"{source}\0{target}\0{column}"
                chain.append(bend)
                layers.setdefault(column, []).append(bend)
                self.heights[bend] = _BEND
                near[bend] = []
            self.bends[source, target] = chain
            for left, right in zip((source, *chain), (*chain, target), strict=True):
                near[left].append(right)
                near[right].append(left)
        return dict(sorted(layers.items())), near

    def _order(self, layers: Mapping[int, list[str]], near: Mapping[str, list[str]], *, backwards: bool) -> None:
        places = {key: number for layer in layers.values() for number, key in enumerate(layer)}
        for layer in list(layers.values())[:: -1 if backwards else 1]:
            inside = set(layer)
            means = {key: _mean([places[one] for one in near[key] if one not in inside], places[key]) for key in layer}
            layer.sort(key=means.__getitem__)
            places.update({key: number for number, key in enumerate(layer)})

    def _settle(self, layer: Sequence[str], near: Mapping[str, list[str]]) -> None:
        """Move the nodes of a column towards their neighbours, in their order and without overlaps."""
        wanted = [
            _mean([self.middle(one) for one in near[key]], self.middle(key)) - self.heights[key] / 2 for key in layer
        ]
        down: list[float] = []
        for y in wanted:
            before = down[-1] + self.heights[layer[len(down) - 1]] + _GAP_Y if down else y
            down.append(max(y, before))
        up: list[float] = []
        for key, y in zip(reversed(layer), reversed(wanted), strict=True):
            up.append(min(y, up[-1] - self.heights[key] - _GAP_Y) if up else y)
        for key, low, high in zip(layer, down, reversed(up), strict=True):
            self.tops[key] = (low + high) / 2


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _path(
    edge: tuple[str, str],
    bends: Sequence[str],
    boxes: Mapping[str, Box],
    layers: _Layers,
    places: tuple[Mapping[int, float], Mapping[int, float]],
) -> tuple[tuple[float, float], ...]:
    """Return the points of an arrow: it crosses each column that it passes at the height of its bend."""
    lefts, widths = places
    source, target = boxes[edge[0]], boxes[edge[1]]
    column, y = layers.columns[edge[0]], source.y + source.height / 2
    # Up to the edge of the column it is straight, since a wider node may be above or below.
    points = [(source.x + source.width, y), (lefts[column] + widths[column], y)]
    for column, bend in enumerate(bends, layers.columns[edge[0]] + 1):
        points += [(lefts[column], layers.middle(bend)), (lefts[column] + widths[column], layers.middle(bend))]
    return (*points, (target.x, target.y + target.height / 2))

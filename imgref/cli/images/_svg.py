"""The drawing of the builds for the HTML page of ``imgref images``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from imgref._printable import masked, printable
from imgref.cli.images._layout import Box, Drawn, Size, layout
from imgref.cli.images._summary import short

if TYPE_CHECKING:
    from imgref.inventory.graph import Edge, Graph, Node

__all__ = ["drawing", "text_of"]

_CHARACTER: Final = 7.3
"""The width of a character, with some room for other fonts."""

_LONGEST: Final = 40
_MARGIN: Final = 16.0
_SENTENCES: Final = {"base": "is the base of", "build": "is needed to build", "makes": "makes"}


@dataclass(frozen=True, slots=True)
class _Label:
    name: str
    sub: str
    whole: str


def text_of(text: str) -> str:
    """Escape a string for HTML, without credentials and without invisible characters.

    >>> text_of('<a href="x">')
    '&lt;a href=&quot;x&quot;&gt;'
    """
    return escaped(printable(masked(text, whole=True)))


def escaped(text: str) -> str:
    """Escape a string without credentials for HTML. An ``@`` is escaped, too, so that the output is not masked.

    >>> escaped("a@b")
    'a&#64;b'
    """
    return escape(text).replace("@", "&#64;")


def drawing(graph: Graph, links: Mapping[str, str], marked: frozenset[str]) -> str:
    """Return the graph as an SVG element, without the nodes that have no arrows.

    Args:
        graph: the graph.
        links: the key of a node, and the anchor on the page that it links to.
        marked: the names of images to emphasize.
    """
    joined = {key for edge in graph.edges for key in (edge.source, edge.target)}
    nodes = {key: node for key, node in graph.nodes.items() if key in joined}
    labels = {key: _label(node) for key, node in nodes.items()}
    sizes = {
        key: Size(max(len(one.name), len(one.sub), 8) * _CHARACTER + 26, 46 if one.sub else 32)
        for key, one in labels.items()
    }
    drawn = layout(sizes, [(edge.source, edge.target) for edge in graph.edges])
    width, height = drawn.width + 2 * _MARGIN, drawn.height + 2 * _MARGIN
    shapes = [
        (
            key,
            _node(node, drawn.boxes[key], labels[key], asked=node.kind == "image" and node.id in marked),
            _title(node, labels[key]),
        )
        for key, node in nodes.items()
    ]
    numbers = {key: str(number) for number, key in enumerate(labels)}
    box = f"{-_MARGIN:.0f} {-_MARGIN:.0f} {width:.0f} {height:.0f}"
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="{box}"'
    parts = [
        f'<svg id="graph" role="group" aria-label="What is built on what" {size}>',
        *(_arrow(edge, drawn, numbers, labels) for edge in graph.edges),
        *(f'<g data-node="{numbers[key]}">{_linked(node, title, links.get(key))}</g>' for key, node, title in shapes),
        "</svg>",
    ]
    return "\n".join(parts)


def _label(node: Node) -> _Label:
    whole = printable(masked(node.id, whole=True))
    if node.kind == "image":
        name, tag = _split(short(whole))
        return _Label(_cut(name), _cut(tag), whole)
    if node.kind == "build":
        name, _, service = whole.partition(": ")
        return _Label(_end(name), _cut(service or "build"), whole)
    sub = {"scratch": "", "context": "build context"}.get(node.kind, "not known")
    return _Label(_cut(whole), sub, whole)


def _split(name: str) -> tuple[str, str]:
    """Return the repository, as Docker shortens it, and what comes behind it."""
    before, at, digest = name.partition("@")
    slash = before.rfind("/")
    colon = before.find(":", slash + 1)
    repository, tag = (before, "") if colon < 0 else (before[:colon], before[colon + 1 :])
    return repository.removeprefix("docker.io/library/").removeprefix("docker.io/"), tag + at + digest


def _end(path: str) -> str:
    """Return the end of a path, which is more informative than its beginning."""
    return path if len(path) <= _LONGEST else f"…{path[1 - _LONGEST :]}"


def _cut(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    half = (_LONGEST - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def _node(node: Node, box: Box, label: _Label, *, asked: bool) -> str:
    kind = f"{node.kind} asked" if asked else node.kind
    x = box.x + 13
    first = box.y + (20 if label.sub else box.height / 2 + 4)
    sub = f'<text class="sub" x="{x:.1f}" y="{box.y + 36:.1f}">{escaped(label.sub)}</text>' if label.sub else ""
    return (
        f'<g class="node {kind}"><title>{escaped(_title(node, label))}</title>'
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="8"></rect>'
        f'<text x="{x:.1f}" y="{first:.1f}">{escaped(label.name)}</text>{sub}</g>'
    )


def _title(node: Node, label: _Label) -> str:
    return f"{node.kind} {label.whole}" + (f": {printable(node.reason)}" if node.reason else "")


def _linked(drawn: str, title: str, link: str | None) -> str:
    return drawn if link is None else f'<a href="#{link}" aria-label="{escaped(title)}">{drawn}</a>'


def _arrow(edge: Edge, drawn: Drawn, numbers: Mapping[str, str], labels: Mapping[str, _Label]) -> str:
    points = drawn.paths.get((edge.source, edge.target))
    if points is None:
        return ""
    steps = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x1, y1), (x2, y2) in pairwise(points):
        bend = max(abs(x2 - x1) / 2, 24)
        straight = f"L{x2:.1f} {y2:.1f}"
        steps.append(
            straight
            if y1 == y2 and x1 <= x2
            else f"C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
        )
    x, y = points[-1]
    title = f"{labels[edge.source].whole} {_SENTENCES[edge.label]} {labels[edge.target].whole}"
    head = f'<path class="head {edge.label}" d="M{x:.1f} {y:.1f}l-8 -4v8z"></path>'
    return (
        f'<g data-from="{numbers[edge.source]}" data-to="{numbers[edge.target]}"><title>{escaped(title)}</title>'
        f'<path class="arrow {edge.label}" d="{"".join(steps)}"></path>{head}</g>'
    )

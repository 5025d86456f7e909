"""``--format mermaid`` of ``imgref images``: the builds as a flowchart that GitHub and GitLab draw.

https://mermaid.js.org/syntax/flowchart.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgref._printable import masked, printable
from imgref.cli import _console
from imgref.cli.images._summary import short, summary
from imgref.inventory.graph import Graph, Node, Query

if TYPE_CHECKING:
    from imgref.inventory.model import Inventory

__all__ = ["flowchart", "write_mermaid"]

_SHAPES: Final = {"image": ('["', '"]'), "build": ('(["', '"])')}
_OTHER: Final = ('{{"', '"}}')
_ARROWS: Final = {"base": "-->", "build": "-.->", "makes": "==>"}
_PLAIN: Final = frozenset(" _./:+-…")
_MOST: Final = 500
"""How many arrows Mermaid draws by default."""


def write_mermaid(inventory: Inventory, query: Query | None) -> None:
    """Write the graph of builds as a Mermaid flowchart."""
    graph = Graph(inventory)
    _console.write(flowchart(graph, frozenset() if query is None else frozenset(query.names(inventory))))
    if len(graph.edges) > _MOST:
        _console.warn(f"Mermaid draws {_MOST} arrows at most, and this has {len(graph.edges)}; --of selects a part")
    _console.note(summary(inventory))


def flowchart(graph: Graph, marked: frozenset[str] = frozenset()) -> str:
    """Return a flowchart.

    Args:
        graph: the graph.
        marked: the names of images to emphasize.
    """
    names = {key: f"n{number}" for number, key in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for key, node in graph.nodes.items():
        opening, closing = _SHAPES.get(node.kind, _OTHER)
        lines.append(f"    {names[key]}{opening}{label(node)}{closing}")
    lines += [f"    {names[edge.source]} {_ARROWS[edge.label]} {names[edge.target]}" for edge in graph.edges]
    if not names:
        lines.append('    n0["nothing is built here"]')
    strong = [names[key] for key, node in graph.nodes.items() if node.kind == "image" and node.id in marked]
    if strong:
        lines += ["    classDef asked stroke-width:4px", f"    class {','.join(strong)} asked"]
    return "\n".join([*lines, ""])


def label(node: Node) -> str:
    """Return the label of a node, without Mermaid syntax and without credentials.

    >>> label(Node('a"]; click', "build"))
    'a#34;#93;#59; click'
    """
    text = printable(short(masked(node.id, whole=True)))
    text = f"{text} (not known)" if node.kind == "unknown" else text
    return "".join(one if one.isalnum() or one in _PLAIN else f"#{ord(one)};" for one in text)

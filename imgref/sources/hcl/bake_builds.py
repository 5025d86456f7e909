"""The builds of a bake file: which Dockerfile a target is built from, with what, and what the result is called.

https://docs.docker.com/build/bake/reference/#target
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final, NamedTuple

from imgref.sources.builds import BuildTarget
from imgref.sources.hcl.json_syntax import blocks
from imgref.sources.hcl.nodes import Group, Node, Object, Template
from imgref.sources.hcl.values import Lookup, Values

__all__ = ["bake_builds"]

_PARENTS: Final = 32
"""How many targets one target may inherit from; real files never have more."""

_COMBINATIONS: Final = 256
"""How many targets a matrix may expand to."""

_EFFORT: Final = 200_000
"""How many entries of all targets and their parents are looked at. Of builds beyond that, the context is not known."""

_TABLES: Final = ("args", "contexts")
_TARGET: Final = "target:"


class _Target(NamedTuple):
    """A target with all that it inherits: for each attribute, the bodies that may set it, its own first."""

    name: str
    start: int
    bodies: list[Object]
    values: Values

    @property
    def size(self) -> int:
        """How many entries it has with all that it inherits."""
        nodes = (value for body in self.bodies for key in _TABLES if isinstance(value := body.get(key), Object))
        return sum(len(node.entries) for node in nodes) + len(self.bodies)

    def get(self, key: str) -> Node | None:
        return next((value for body in self.bodies if (value := body.get(key)) is not None), None)

    def string(self, key: str, default: str | None) -> str | None:
        """Return an attribute, or None if it is not known."""
        node = self.get(key)
        return default if node is None else self.values.string(node)

    def strings(self, key: str) -> tuple[str, ...]:
        node = self.get(key)
        items = node.items if isinstance(node, Group) else []
        return tuple(filter(None, map(self.values.string, items)))

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """Return the entries of an object, to which each parent adds its own. What is not known stays as written."""
        found: dict[str, str] = {}
        for body in self.bodies:
            node = body.get(key)
            for entry in node.entries if isinstance(node, Object) else ():
                if entry.key is not None and entry.key not in found:
                    written = self.values.written(entry.value)
                    found[entry.key] = written.text if written.resolved is None else written.resolved
        return tuple(sorted(found.items()))


def bake_builds(root: Object, text: str, lookup: Lookup) -> Iterator[tuple[int, BuildTarget]]:
    """Yield the builds of a bake file, each with the offset of its block.

    A target that only others inherit from, and that nothing names, is not a build.

    Args:
        root: the file.
        text: its content.
        lookup: finds the variables of the file.
    """
    bodies: dict[str, list[Object]] = {}
    for labels, body in blocks(root, "target", 1):
        if labels:
            bodies.setdefault(labels[0], []).append(body)
    for same in bodies.values():
        same.reverse()  # the last one counts
    parts = {name: _inherited(name, bodies, Values(text, lookup)) for name in bodies}
    targets = [one for name in bodies for one in _expanded(name, parts[name], text, lookup)]
    named = set(_named(root, targets, Values(text, lookup)))
    parents = {parent for one in targets for parent in one.strings("inherits")}
    effort = 0
    for one in targets:
        if one.name in named or one.name not in parents:
            effort += one.size
            build = BuildTarget(one.name, 0, None) if effort > _EFFORT else _build(one)
            yield one.start, build


def _named(root: Object, targets: Sequence[_Target], values: Values) -> Iterator[str]:
    """Yield the targets that groups and contexts name."""
    for _, body in blocks(root, "group", 1):
        members = body.get("targets")
        yield from filter(None, map(values.string, members.items if isinstance(members, Group) else []))
    for one in targets:
        contexts = one.bodies[0].get("contexts")
        for entry in contexts.entries if isinstance(contexts, Object) else ():
            if (value := one.values.string(entry.value)) is not None and value.startswith(_TARGET):
                yield value.removeprefix(_TARGET)


def _inherited(name: str, bodies: dict[str, list[Object]], values: Values) -> list[Object]:
    """Return the bodies of a target and of those that it inherits from; of several parents, the last one counts."""
    found: dict[str, list[Object]] = {}
    waiting = [name]
    while waiting and len(found) < _PARENTS:
        current = waiting.pop()
        if current in found or current not in bodies:
            continue
        found[current] = bodies[current]
        parents = next((node for body in bodies[current] if (node := body.get("inherits")) is not None), None)
        waiting += filter(None, map(values.string, parents.items if isinstance(parents, Group) else []))
    return [body for one in found.values() for body in one]


def _expanded(name: str, bodies: list[Object], text: str, lookup: Lookup) -> Iterator[_Target]:
    """Yield a target, or one for each combination of the values of its matrix."""
    own = bodies[0]
    matrix = own.get("matrix")
    axes = {
        entry.key: entry.value.items
        for entry in (matrix.entries if isinstance(matrix, Object) else ())
        if entry.key is not None and isinstance(entry.value, Group)
    }
    if not axes:
        yield _Target(name, own.start, bodies, Values(text, lookup))
        return
    for number, combination in enumerate(product(*axes.values())):
        if number == _COMBINATIONS:
            return
        values = Values(text, _with(dict(zip(axes, combination, strict=True)), lookup))
        node = own.get("name")
        made = values.string(node) if node is not None else None
        yield _Target(made or name, own.start, bodies, values)


def _with(values: dict[str, Node], lookup: Lookup) -> Lookup:
    def both(parts: Sequence[str]) -> tuple[Node | None, Sequence[str]]:
        return (values[parts[0]], parts[1:]) if parts[0] in values else lookup(parts)

    return both


def _build(one: _Target) -> BuildTarget:
    inline = one.get("dockerfile-inline")
    dockerfile = one.string("dockerfile", "Dockerfile")
    context = one.string("context", ".")
    text = one.values.string(inline) if inline is not None else None
    if isinstance(inline, Template) and inline.is_heredoc and text is None:
        context = None
    return BuildTarget(
        one.name,
        0,
        None if dockerfile is None else context,
        dockerfile or "Dockerfile",
        text,
        one.string("target", None),
        one.pairs("args"),
        one.pairs("contexts"),
        one.strings("tags"),
    )

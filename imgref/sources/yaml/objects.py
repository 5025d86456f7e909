"""Objects of Kubernetes: ``apiVersion`` and ``kind`` of a mapping, and the objects in a list of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence

__all__ = ["Type", "members", "text_of", "type_of"]


class Type(NamedTuple):
    """The type of an object.

    Attributes:
        group: the API group, which is empty for the core.
        kind: the kind.
    """

    group: str
    kind: str

    def is_in(self, *groups: str) -> bool:
        """Return whether the group is one of some, or a part of one.

        >>> Type("a.knative.dev", "Service").is_in("knative.dev"), Type("notknative.dev", "A").is_in("knative.dev")
        (True, False)
        """
        return any(self.group == group or self.group.endswith(f".{group}") for group in groups)


def text_of(node: Node | None, key: str) -> str:
    """Return the string that a mapping itself has for a key, or an empty one."""
    value = node.own(key) if isinstance(node, Mapping) else None
    return value.value if isinstance(value, Scalar) else ""


def type_of(node: Node | None) -> Type | None:
    """Return the type of an object, or None for anything else."""
    version = text_of(node, "apiVersion")
    kind = text_of(node, "kind") if version else ""
    if not kind:
        return None
    group, slash, _ = version.rpartition("/")
    return Type(group if slash else "", kind)


def members(documents: Iterable[Node]) -> Iterator[Node]:
    """Yield the objects in documents: those of a list, which may be of several kinds, one by one."""
    for document in documents:
        kind = type_of(document)
        items = document.get("items") if isinstance(document, Mapping) and kind == Type("", "List") else None
        if isinstance(items, Sequence) and all(type_of(item) is not None for item in items.items):
            yield from {id(item): item for item in items.items}.values()
        else:
            yield document

"""Kyverno policies: the images that they put into objects. What they compare images with are patterns.

https://kyverno.io/docs/policy-types/cluster-policy/mutate/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence, walk
from imgref.sources.yaml.objects import type_of

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found

__all__ = ["is_policy", "read"]

_CHANGES: Final = frozenset({"generate", "mutate"})
_CONDITIONS: Final = frozenset({"conditions", "context", "exclude", "match", "preconditions"})


def is_policy(document: Node) -> bool:
    """Return whether this is an object of Kyverno."""
    kind = type_of(document)
    return kind is not None and kind.is_in("kyverno.io")


def read(document: Node, found: Found) -> None:
    """Find the images in the ``mutate`` and ``generate`` of all rules."""
    spec = document.get("spec") if isinstance(document, Mapping) else None
    if not isinstance(spec, Mapping):
        return
    for rule in walk(spec):
        for key in _CHANGES:
            for change in rule.every(key):
                _change(change, found)


def _change(change: Node, found: Found) -> None:
    waiting = [change]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Scalar) or not found.once(node, "kyverno"):
            continue
        if isinstance(node, Sequence):
            waiting += reversed(node.items)
            continue
        for name, value in node.pairs:
            if not isinstance(name, Scalar) or name.value not in _CONDITIONS:
                waiting.append(value)
        for image in node.every("image"):
            if isinstance(image, Scalar) and "*" not in image.value:
                found.image(image, "mutate.image")

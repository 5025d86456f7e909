"""Kustomizations: the ``images`` field, which replaces images of the resources.

https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/
https://kubectl.docs.kubernetes.io/references/kustomize/builtins/#_helmchartinflationgenerator_
"""

from __future__ import annotations

from typing import Final

from imgref.sources.yaml.collector import Found, is_empty, role_of, unknown_variables
from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence
from imgref.sources.yaml.helm import read_values

__all__ = ["KEPT_TAG", "is_kustomization", "read", "read_images"]

KEPT_TAG: Final = "its tag is that of the resource"
"""The reason that an external occurrence carries where only the name is replaced: it is not an implicit ``latest``."""

_KINDS: Final = frozenset({"Kustomization", "Component"})


def is_kustomization(document: Node) -> bool:
    """Whether this is a kustomization by its content."""
    if not isinstance(document, Mapping):
        return False
    version, kind = document.get("apiVersion"), document.get("kind")
    if not isinstance(version, Scalar) or not isinstance(kind, Scalar):
        return False
    return version.value.startswith("kustomize.config.k8s.io/") and kind.value in _KINDS


def read(document: Node, found: Found) -> None:
    """Find the resulting images, at the position of the new name if there is one, otherwise of the matched name."""
    if not isinstance(document, Mapping):
        return
    read_images(document, found)
    for charts in document.every("helmCharts"):
        for chart in charts.items if isinstance(charts, Sequence) else ():
            for values in chart.every("valuesInline") if isinstance(chart, Mapping) else ():
                read_values(values, found, elsewhere=True)


def read_images(parent: Mapping, found: Found) -> None:
    """Find what the images in the ``images`` of a mapping become."""
    for images in parent.every("images"):
        for image in images.items if isinstance(images, Sequence) and found.once(images) else ():
            if isinstance(image, Mapping):
                _image(image, found)


def _image(image: Mapping, found: Found) -> None:
    name, new_name = image.get("name"), image.get("newName")
    tag, digest = _value(image.get("newTag")), _value(image.get("digest"))
    node = name if is_empty(new_name) else new_name
    if not isinstance(node, Scalar) or is_empty(node) or (node is name and not (tag or digest)):
        return
    whole = node.value + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
    resolved = unknown_variables(whole)
    if node.is_block or resolved.text is None:
        found.add(node, "images", None, "unresolved", resolved.reason or "it is in a block scalar")
        return
    role = role_of(whole)
    kept = KEPT_TAG if role == "external" and not (tag or digest) else None
    target = found.editing.parts(image, ("newTag",), in_tag=True, why="")
    found.add(node, "images", whole, role, kept, target=target)


def _value(node: Node | None) -> str:
    return node.value if isinstance(node, Scalar) and not is_empty(node) else ""

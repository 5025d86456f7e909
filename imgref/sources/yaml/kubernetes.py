"""Kubernetes objects: the images of containers and volumes wherever a pod is described, and those of custom resources.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence
from imgref.sources.yaml.objects import Type, text_of, type_of
from imgref.sources.yaml.resources import LABELS, has_images, read_bundle, read_fields
from imgref.sources.yaml.tekton import read as read_tekton

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found

__all__ = ["is_manifest", "read"]

_POD: Final = frozenset({"containers", "initContainers", "ephemeralContainers"})
_ARGO: Final = frozenset({"container", "script", "sidecars"})
"""https://argo-workflows.readthedocs.io/en/latest/fields/"""

_NOT_SPECIFIED: Final = frozenset({"status", "metadata"})
"""What an object has beside its specification: what was observed, and annotations."""


class _Rules(NamedTuple):
    """What is an image in an object.

    Attributes:
        containers: the keys of containers.
        fields: whether any ``image`` is one.
        kind: the type of the object.
    """

    containers: frozenset[str] = _POD
    fields: bool = False
    kind: Type = Type("", "")


_UNKNOWN: Final = _Rules()


def is_manifest(document: Node) -> bool:
    """Whether this is a Kubernetes object by its content: ``apiVersion`` and ``kind``."""
    return isinstance(document, Mapping) and all(
        isinstance(value := document.get(key), Scalar) and bool(value.value) for key in ("apiVersion", "kind")
    )


def read(document: Node, found: Found) -> None:
    """Find the images of an object and of those in it, at any depth: custom resources carry pods too."""
    waiting: list[tuple[Node, _Rules]] = [(document, _UNKNOWN)]
    while waiting:
        node, rules = waiting.pop()
        if isinstance(node, Scalar) or not found.once(node, "kubernetes"):
            continue
        if isinstance(node, Sequence):
            waiting += ((item, rules) for item in reversed(node.items))
            continue
        kind = type_of(node)
        if kind is not None and kind.is_in("tekton.dev"):
            read_tekton(node, found)
            continue
        if kind is not None and kind.kind == "ClusterServiceVersion":
            read_bundle(node, found)
        rules = rules if kind is None else _rules(kind)
        for name, value in node.pairs:
            if not isinstance(name, Scalar) or name.value in LABELS:
                continue
            if kind is None or name.value not in _NOT_SPECIFIED:
                waiting.append((value, rules))
                _pod(name.value, value, rules, found)
        if rules.fields:
            read_fields(node, rules.kind, found)


def _rules(kind: Type) -> _Rules:
    if kind.group == "argoproj.io" and kind.kind.endswith(("Workflow", "WorkflowTemplate")):
        return _Rules(_POD | _ARGO, kind=kind)
    return _Rules(_POD, has_images(kind), kind)


def _pod(name: str, value: Node, rules: _Rules, found: Found) -> None:
    if name in rules.containers:
        _containers(value, f"{name}.image", found)
    elif name == "volumes" and isinstance(value, Sequence):
        _volumes(value, found)
    elif name == "from" and text_of(value, "kind") == "DockerImage" and isinstance(value, Mapping):
        # Builds and image streams of OpenShift: https://docs.okd.io/latest/rest_api/objects/index.html
        found.image(value.get("name"), "from.name", unsure=True)


def _containers(value: Node | None, construct: str, found: Found) -> None:
    if value is None or not found.once(value):
        return
    containers = [item for item in value.items if found.once(item)] if isinstance(value, Sequence) else [value]
    for container in containers:
        for image in container.every("image") if isinstance(container, Mapping) else ():
            found.image(image, construct)


def _volumes(volumes: Sequence, found: Found) -> None:
    """Image volumes: https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/."""
    for volume in volumes.items if found.once(volumes) else ():
        image = volume.get("image") if isinstance(volume, Mapping) else None
        if isinstance(image, Mapping):
            found.image(image.get("reference"), "volumes.image.reference")

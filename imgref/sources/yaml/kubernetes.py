"""Kubernetes manifests: the images of containers and volumes wherever a pod is described, and Tekton's steps.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence, walk

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found

__all__ = ["is_manifest", "read"]

_POD: Final = frozenset({"containers", "initContainers", "ephemeralContainers"})
_TEKTON: Final = frozenset({"steps", "sidecars", "stepTemplate"})
"""https://tekton.dev/docs/pipelines/tasks/"""
_ARGO: Final = frozenset({"container", "script", "sidecars"})
"""https://argo-workflows.readthedocs.io/en/latest/fields/"""


def is_manifest(document: Node) -> bool:
    """Whether this is a Kubernetes object by its content: ``apiVersion`` and ``kind``."""
    return isinstance(document, Mapping) and all(
        isinstance(value := document.get(key), Scalar) and bool(value.value) for key in ("apiVersion", "kind")
    )


def read(document: Node, found: Found) -> None:
    """Find the images of an object, or of all in a list, at any depth: custom resources carry pods too."""
    groups: set[str] = set()
    if found.mentions("tekton.dev", "argoproj.io"):
        groups = {_text(mapping, "apiVersion").partition("/")[0] for mapping in walk(document)}
    tekton = any(group == "tekton.dev" or group.endswith(".tekton.dev") for group in groups)
    keys = _POD | (_TEKTON if tekton else set()) | (_ARGO if "argoproj.io" in groups else set())
    for mapping in walk(document):
        for name, value in mapping.pairs:
            if not isinstance(name, Scalar):
                continue
            if name.value in keys:
                _containers(value, f"{name.value}.image", found)
            elif name.value == "volumes" and isinstance(value, Sequence):
                _volumes(value, found)
        if tekton and _text(mapping, "kind") == "StepAction":
            _containers(mapping.get("spec"), "spec.image", found)


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


def _text(node: Node, key: str) -> str:
    value = node.own(key) if isinstance(node, Mapping) else None
    return value.value if isinstance(value, Scalar) else ""

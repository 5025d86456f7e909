"""Custom resources: the fields that have images, wherever they are in an object.

The operator of a resource may combine parts of an image with its own values. Where the parts in the
file are not certainly the whole image, the reference is unresolved.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from imgref.sources.target import Target
from imgref.sources.yaml.collector import is_empty, is_template, role_of, unknown_variables
from imgref.sources.yaml.document import Mapping, Node, Scalar, walk
from imgref.sources.yaml.objects import Type, text_of

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found

__all__ = ["DATA", "LABELS", "NO_IMAGE", "NO_IMAGE_OF_CHART", "has_images", "read_bundle", "read_fields"]

DATA: Final = frozenset({"ConfigMap", "CustomResourceDefinition", "Secret"})
"""Kinds whose fields are text or schemas."""

LABELS: Final = frozenset({"annotations", "labels", "matchLabels", "nodeSelector", "podAnnotations", "podLabels"})
"""Mappings whose keys anybody chooses, also in the templates of pods."""

_MACHINES: Final = (
    "cluster.x-k8s.io", "cnrm.cloud.google.com", "crossplane.io", "kops.k8s.io", "machine.openshift.io", "metal3.io",
    "upbound.io",
)  # fmt: skip
"""API groups in which an ``image`` is one of a virtual machine."""

_OTHER: Final = ("tekton.dev", "toolkit.fluxcd.io")
"""API groups whose images have special fields."""

_ISTIO: Final = ("install.istio.io", "sailoperator.io")
"""API groups that have their own default registry: https://istio.io/latest/docs/reference/config/."""

_POSTGRESQL: Final = ("postgresql.cnpg.io", "postgresql.k8s.enterprisedb.io")
"""https://cloudnative-pg.io/documentation/current/cloudnative-pg.v1/"""

_ACCEPTING: Final = frozenset({"kind.x-k8s.io", "monitoring.coreos.com"})
"""API groups whose ``image`` certainly may have both a tag and a digest."""

_DOCKER: Final = "docker://"
_ADDRESS: Final = r"(?:https?|oci|file|ftp|s3|data|ko):"
_MEDIA: Final = r"(?i:.*\.(?:avif|bmp|gif|ico|img|iso|jpe?g|png|qcow2|svg|tiff?|vhdx?|vmdk|webp)\Z)"
NO_IMAGE: Final = re.compile(rf"[./~]|{_ADDRESS}|.*[*\s]|{_MEDIA}")
"""Paths, addresses, patterns, sentences, pictures and disks, which are not images in spite of their keys."""

NO_IMAGE_OF_CHART: Final = re.compile(rf"{_ADDRESS}|{_MEDIA}")
"""The same if any other value counts as an image."""

_HOST: Final = re.compile(r"(?:localhost|[^/]*[.:][^/]*)/")
_COMPLETED: Final = "the operator may complete it"
_SEPARATE: Final = "its parts are separate"


def has_images(kind: Type) -> bool:
    """Return whether an ``image`` in an object is an image for containers.

    >>> has_images(Type("monitoring.coreos.com", "Prometheus")), has_images(Type("", "ConfigMap"))
    (True, False)
    """
    is_custom = "." in kind.group
    return is_custom and kind.kind not in DATA and not kind.is_in(*_MACHINES, *_OTHER)


def read_fields(mapping: Mapping, kind: Type, found: Found) -> None:
    """Find the images that one mapping in a custom resource has."""
    is_ceph = mapping.get("monitors") is not None
    for image in mapping.every("image") if not is_ceph else ():
        if isinstance(image, Mapping):
            if found.text.startswith("{{", image.start):
                found.image(image, "image")
            else:
                _map(image, found)
        elif isinstance(image, Scalar):
            _text(mapping, image, kind, found)
    if kind.is_in(*_POSTGRESQL):
        for image in mapping.every("imageName"):
            found.image(image, "imageName")
    registry = mapping.get("registry")
    if isinstance(registry, Mapping):
        url = registry.get("url")
        if isinstance(url, Scalar) and url.value.startswith(_DOCKER):
            found.image(url, "registry.url", scheme=_DOCKER, unsure=True)
    build = mapping.get("build")
    if kind.is_in("kafka.strimzi.io") and isinstance(build, Mapping):
        _output(build.get("output"), found)


def _text(mapping: Mapping, image: Scalar, kind: Type, found: Found) -> None:
    """Add an image that is a string; its registry and tag may be beside it."""
    if is_empty(image) or not image.is_text or NO_IMAGE.match(image.value):
        return
    parent = text_of(mapping, "registry") or text_of(mapping, "repository") or text_of(mapping, "repo")
    keys = ("tag", "digest", "version") if parent or kind.kind == "ArgoCD" else ("tag", "digest")
    tag = next((value for key in keys if (value := text_of(mapping, key))), "")
    named = "@" in image.value or ":" in image.value.rpartition("/")[2]
    joined = bool(parent) and _HOST.match(image.value) is None
    if kind.is_in(*_ISTIO) and "/" not in image.value and not joined:
        _put(image, image.value, "image", found, complete=False)
        return
    if not joined and (named or not tag):
        found.image(image, "image", unsure=kind.group not in _ACCEPTING)
        return
    text = f"{parent.strip('/')}/{image.value}" if joined else image.value
    _put(image, text if named else _tagged(text, tag), "image", found, complete=named or bool(tag))


def _map(image: Mapping, found: Found) -> None:
    """Add an image whose parts are a mapping: registry, repository, name, tag and digest."""
    reference = image.get("reference")
    if isinstance(reference, Scalar):
        found.image(reference, "image.reference", unsure=True)
        return
    registry = text_of(image, "registry")
    repository = next((node for key in ("repository", "repo") if not is_empty(node := image.get(key))), None)
    name = image.get("name")
    node = name if repository is None else repository
    if not isinstance(node, Scalar) or is_empty(node) or NO_IMAGE.match(node.value):
        return
    tag = next((value for key in ("tag", "version", "digest") if (value := text_of(image, key))), "")
    named = ":" in node.value.rpartition("/")[2] or "@" in node.value
    if node is name and not (registry or tag or named or "/" in node.value):
        return
    parts = [registry.strip("/"), node.value]
    if node is not name and isinstance(name, Scalar) and not is_empty(name):
        parts.append(name.value)
    text = "/".join(part for part in parts if part)
    digest = text_of(image, "digest")
    whole = text if named else _tagged(text, tag, digest)
    whole_name = node is not name or bool(registry) or "/" in node.value
    _put(node, whole, "image.repository", found, complete=named or (bool(tag) and whole_name))


def _tagged(text: str, tag: str, digest: str = "") -> str:
    if tag:
        text += f"@{tag}" if tag.startswith("sha256:") else f":{tag}"
    return f"{text}@{digest}" if digest and digest != tag else text


def _put(node: Scalar, whole: str, construct: str, found: Found, *, complete: bool) -> None:
    resolved = unknown_variables(whole)
    if node.is_block:
        found.add(node, construct, None, "unresolved", "it is in a block scalar")
    elif is_template(whole):
        found.add(node, construct, None, "unresolved", "it is made by a template")
    elif not complete or resolved.text is None:
        found.add(node, construct, None, "unresolved", resolved.reason or _COMPLETED)
    else:
        found.add(node, construct, whole, role_of(whole), target=Target(fixed=_SEPARATE))


def read_bundle(version: Mapping, found: Found) -> None:
    """Find what a ClusterServiceVersion of OLM names in an annotation and in variables of its operator.

    https://olm.operatorframework.io/docs/best-practices/common/
    """
    metadata = version.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    if isinstance(annotations, Mapping):
        found.image(annotations.get("containerImage"), "annotations.containerImage", unsure=True)
    spec = version.get("spec")
    for mapping in walk(spec) if spec is not None and found.once(spec, "bundle") else ():
        if text_of(mapping, "name").startswith("RELATED_IMAGE_"):
            found.image(mapping.get("value"), "env.RELATED_IMAGE", unsure=True)


def _output(output: Node | None, found: Found) -> None:
    """Add what Strimzi builds: https://strimzi.io/docs/operators/latest/configuring.html#type-DockerOutput-reference."""
    for image in output.every("image") if isinstance(output, Mapping) else ():
        found.image(image, "build.output.image", built=True)
        if isinstance(image, Scalar) and not is_empty(image):
            found.made_here(image.value)

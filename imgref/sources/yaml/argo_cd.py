"""Argo CD: the images that Applications and ApplicationSets set for charts and kustomizations.

https://argo-cd.readthedocs.io/en/stable/user-guide/helm/
https://argo-cd.readthedocs.io/en/stable/user-guide/kustomize/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgref.sources.target import Target
from imgref.sources.yaml.blocks import nodes_in
from imgref.sources.yaml.collector import is_empty, is_template, role_of
from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence, walk
from imgref.sources.yaml.helm import ELSEWHERE, read_values
from imgref.sources.yaml.kustomize import KEPT_TAG
from imgref.sources.yaml.objects import text_of, type_of

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found

__all__ = ["is_application", "read"]

_PARTS: Final = ("registry", "tag", "digest")
_KINDS: Final = frozenset({"Application", "ApplicationSet"})


def is_application(document: Node) -> bool:
    """Return whether this is an Application or an ApplicationSet of Argo CD."""
    kind = type_of(document)
    return kind is not None and kind.group == "argoproj.io" and kind.kind in _KINDS


def read(document: Node, found: Found) -> None:
    """Find the images in the sources of an application; what its status lists is only what was seen."""
    parts = [value for name, value in document.entries() if name != "status"] if isinstance(document, Mapping) else []
    for mapping in (mapping for part in parts for mapping in walk(part)):
        if not found.once(mapping):
            continue
        for helm in mapping.every("helm"):
            if isinstance(helm, Mapping):
                _helm(helm, found)
        for kustomize in mapping.every("kustomize"):
            for images in kustomize.every("images") if isinstance(kustomize, Mapping) else ():
                _images(images, found)


def _helm(helm: Mapping, found: Found) -> None:
    for values in helm.every("valuesObject"):
        read_values(values, found, elsewhere=True)
    for text in helm.every("values"):
        if isinstance(text, Scalar) and text.is_block:
            block = nodes_in(text, found.text)
            if block is None:
                found.add(text, "helm.values", None, "unresolved", "imgref cannot read the YAML in this text")
                continue
            found.blocks[text.start] = block.quoted
            for document in block.documents:
                read_values(document, found, elsewhere=True)
    for parameters in helm.every("parameters"):
        if isinstance(parameters, Sequence):
            _parameters(parameters, found)


def _parameters(parameters: Sequence, found: Found) -> None:
    """Add parameters that are an image, or the repository of one whose tag is another parameter."""
    table = {
        text_of(item, "name"): value
        for item in parameters.items
        if isinstance(item, Mapping) and isinstance(value := item.own("value"), Scalar) and not is_empty(value)
    }
    for name, value in table.items():
        if name.lower().endswith("image"):
            found.image(value, "helm.parameters", unsure=True)
        elif name.lower().endswith("image.repository"):
            _repository(value, {key: table.get(f"{name[: -len('repository')]}{key}") for key in _PARTS}, found)


def _repository(repository: Scalar, parts: dict[str, Scalar | None], found: Found) -> None:
    registry, tag, digest = (part.value if part is not None else "" for part in parts.values())
    whole = f"{registry.strip('/')}/{repository.value}" if registry else repository.value
    whole += (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
    if is_template(whole):
        found.add(repository, "helm.parameters", None, "unresolved", "it is made by a template")
    elif not (tag or digest):
        found.add(repository, "helm.parameters", None, "unresolved", ELSEWHERE)
    else:
        target = Target(fixed="its parts are separate parameters")
        found.add(repository, "helm.parameters", whole, role_of(whole), target=target)


def _images(images: Node, found: Found) -> None:
    """Add what the images of resources become: ``name:tag``, or ``old=new:tag``."""
    for image in images.items if isinstance(images, Sequence) and found.once(images) else ():
        if not isinstance(image, Scalar) or is_empty(image):
            continue
        offset = image.value.find("=") + 1
        text = image.value[offset:]
        has_version = "@" in text or ":" in text.rpartition("/")[2]
        if offset or has_version or is_template(text):
            found.image(image, "kustomize.images", offset=offset, kept="" if has_version else KEPT_TAG, unsure=True)

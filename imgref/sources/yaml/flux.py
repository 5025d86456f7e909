"""Flux: the values of HelmReleases, and the images that Flux replaces.

https://fluxcd.io/flux/components/helm/helmreleases/
https://fluxcd.io/flux/components/kustomize/kustomizations/#images
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgref.sources.yaml.document import Mapping, Node, Sequence
from imgref.sources.yaml.helm import read_values
from imgref.sources.yaml.kustomize import read_images
from imgref.sources.yaml.objects import type_of

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found

__all__ = ["is_flux", "read"]

_GROUP: Final = "toolkit.fluxcd.io"


def is_flux(document: Node) -> bool:
    """Return whether this is an object of Flux. Those that are sources of charts and manifests have no images."""
    kind = type_of(document)
    return kind is not None and kind.is_in(_GROUP)


def read(document: Node, found: Found) -> None:
    """Find the images that a HelmRelease or a Kustomization sets; the objects in a chart are not in the file."""
    for spec in document.every("spec") if isinstance(document, Mapping) else ():
        if not isinstance(spec, Mapping) or not found.once(spec):
            continue
        kind = type_of(document)
        if kind is not None and kind.kind == "HelmRelease":
            for values in spec.every("values"):
                read_values(values, found, elsewhere=True)
        else:
            read_images(spec, found)
        for renderers in spec.every("postRenderers"):
            for renderer in renderers.items if isinstance(renderers, Sequence) else ():
                kustomize = renderer.get("kustomize") if isinstance(renderer, Mapping) else None
                if isinstance(kustomize, Mapping):
                    read_images(kustomize, found)

"""Catalogs of OLM: the image of each bundle, and those that its operator runs.

https://olm.operatorframework.io/docs/reference/file-based-catalogs/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgref.sources.yaml.document import Mapping, Node, Sequence
from imgref.sources.yaml.objects import text_of

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found

__all__ = ["is_bundle", "read"]


def is_bundle(document: Node) -> bool:
    """Return whether this is a bundle in a catalog of OLM."""
    return text_of(document, "schema") == "olm.bundle" and not text_of(document, "apiVersion")


def read(document: Node, found: Found) -> None:
    """Find the images of a bundle."""
    if not isinstance(document, Mapping):
        return
    for image in document.every("image"):
        found.image(image, "bundle.image", unsure=True)
    for related in document.every("relatedImages"):
        for item in related.items if isinstance(related, Sequence) and found.once(related) else ():
            for image in item.every("image") if isinstance(item, Mapping) else ():
                found.image(image, "relatedImages.image", unsure=True)

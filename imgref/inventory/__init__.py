r"""The images that files use, and what is built on what.

- :func:`take_inventory`: from the references in files to an inventory
- :class:`Inventory`: images, builds, and what is not known
- :class:`UsedImage`, :class:`UsedReference`, :class:`Use`: an image, its tags and digests, and each location
- :class:`Build`, :class:`Ingredient`, :class:`Definition`: what is built here, and on which images

>>> from imgref.inventory import take_inventory
>>> from imgref.sources import find_references
>>> inventory = take_inventory([("Dockerfile", find_references("FROM nginx:1.27.3\n", path="Dockerfile"))])
>>> [image.repository for image in inventory.images]
['docker.io/library/nginx']
"""

from __future__ import annotations

from imgref import _lazily

TYPE_CHECKING = False

if TYPE_CHECKING:
    from imgref.inventory.model import (
        Build,
        Definition,
        Ingredient,
        Inventory,
        Unread,
        Use,
        UsedImage,
        UsedReference,
    )
    from imgref.inventory.take import take_inventory

__all__ = [
    "Build",
    "Definition",
    "Ingredient",
    "Inventory",
    "Unread",
    "Use",
    "UsedImage",
    "UsedReference",
    "take_inventory",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = _lazily(
        __name__,
        {
            "model": (
                "Build", "Definition", "Ingredient", "Inventory", "Unread", "Use", "UsedImage", "UsedReference",
            ),
            "take": ("take_inventory",),
        },
    )  # fmt: skip

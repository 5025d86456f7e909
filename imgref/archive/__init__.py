"""Images on disk: OCI layouts, as directories and as tars, and the tars of ``docker save``.

Nothing is unpacked: a tar is read in place, by the offsets of its members, and written in place, so an image of
any size takes no more memory than a small one.

- :mod:`imgref.archive.manifest`: manifests, on disk and on a registry
- :mod:`imgref.archive.image`: an image as it moves, wherever it comes from
- :mod:`imgref.archive.reader`: :func:`~imgref.archive.reader.open_archive`
- :mod:`imgref.archive.writer`: :class:`~imgref.archive.writer.LayoutWriter`
"""

from __future__ import annotations

from imgref import _lazily

TYPE_CHECKING = False

if TYPE_CHECKING:
    from imgref.archive.image import Blob, Image
    from imgref.archive.manifest import Descriptor, Manifest
    from imgref.archive.reader import Archive, open_archive
    from imgref.archive.writer import LayoutWriter, layout_writer

__all__ = ["Archive", "Blob", "Descriptor", "Image", "LayoutWriter", "Manifest", "layout_writer", "open_archive"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = _lazily(
        __name__,
        {
            "image": ("Blob", "Image"),
            "manifest": ("Descriptor", "Manifest"),
            "reader": ("Archive", "open_archive"),
            "writer": ("LayoutWriter", "layout_writer"),
        },
    )

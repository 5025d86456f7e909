"""Writing OCI layouts, as directories and as tars: whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from imgref.archive._directory_writer import DirectoryWriter, refuse_other_directory
from imgref.archive._layout_writer import LayoutWriter
from imgref.archive._tar_writer import TarWriter
from imgref.archive.image import Image
from imgref.errors import ArchiveError
from imgref.reference import ImageReference

__all__ = ["LayoutWriter", "layout_writer"]

_COMPRESSED: Final = (".gz", ".tgz", ".zst", ".xz", ".bz2")


def layout_writer(path: str, image: Image, reference: ImageReference) -> LayoutWriter:
    """Begin to write an image to an OCI layout that ``docker load``, skopeo and podman read too.

    Use it with ``with``; :meth:`LayoutWriter.finish` creates the layout, and without it nothing remains.

    Args:
        path: a directory that is an OCI layout, or empty, or not there yet: the image is added to those in it.
            A file, or a name that ends in ``.tar``: the tar is replaced when the new one is whole.
        image: what to write; the caller adds its blobs.
        reference: the name that it gets there.

    Raises:
        ArchiveError: something else lies at ``path``, or it cannot be written.
    """
    target = Path(path)
    if path.endswith(_COMPRESSED):
        raise ArchiveError("the layers are compressed already: name a directory or a .tar", path)
    if target.is_dir():
        refuse_other_directory(target, path)
        return DirectoryWriter(path, image, reference)
    if target.exists() and not target.is_file():
        raise ArchiveError("is neither a file nor a directory", path)
    if target.exists() or (path.endswith(".tar")):
        return TarWriter(path, image, reference)
    return DirectoryWriter(path, image, reference)

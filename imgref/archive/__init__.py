"""Images on disk: OCI layouts, as directories and as tars, and the tars of ``docker save``.

Nothing is unpacked: a tar is read in place, by the offsets of its members, and written in place alike, so an image of
any size takes no more memory than a small one.

- :mod:`imgref.archive.manifest`: what manifests say, on disk and on a registry alike
- :mod:`imgref.archive.image`: an image as it moves, wherever it comes from
- :mod:`imgref.archive.reader`: :func:`~imgref.archive.reader.open_archive`
- :mod:`imgref.archive.writer`: :class:`~imgref.archive.writer.LayoutWriter`
"""

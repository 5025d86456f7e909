r"""Image references in files, with their exact positions.

- :func:`find_references`: the references in one file
- :data:`KINDS`: every kind of file, one row for each (:mod:`imgref.sources.kinds`)
- :class:`Reading`, :class:`Occurrence`, :class:`Comment`, :class:`Problem`: what is found
- :mod:`imgref.sources.contract`: what a reader of a further kind must do
- :mod:`imgref.sources.walk`: lists the files of a directory

>>> from imgref.sources import find_references
>>> reading = find_references("FROM nginx:1.27.3\n", path="Dockerfile")
>>> reading.kind, reading.occurrences[0].text, reading.occurrences[0].column
('dockerfile', 'nginx:1.27.3', 6)
"""

from __future__ import annotations

from imgref import _lazily

TYPE_CHECKING = False

if TYPE_CHECKING:
    from imgref.sources.find import find_references
    from imgref.sources.kinds import KINDS, Kind
    from imgref.sources.occurrence import Comment, Occurrence, Problem, Reading

__all__ = ["KINDS", "Comment", "Kind", "Occurrence", "Problem", "Reading", "find_references"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = _lazily(
        __name__,
        {
            "find": ("find_references",),
            "kinds": ("KINDS", "Kind"),
            "occurrence": ("Comment", "Occurrence", "Problem", "Reading"),
        },
    )

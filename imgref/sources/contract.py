"""The contract of readers: what a module that reads one kind of file receives, and what it must return.

A kind is one row of :data:`imgref.sources.kinds.KINDS` and one module with its reader. For every input, whatever is in
it, a reader

- never raises: what it cannot read is a :class:`~imgref.sources.occurrence.Problem` with code ``IMG901`` where the
  consumer of the file would fail too, and everything else in the file is still found;
- takes linear time;
- returns the position of the first character of each value, without quotes: line and column are 1-based, columns count
  characters, and lines end as the kind's :class:`~imgref.sources.syntax.Syntax` defines. ``text`` is what is written
  there, ``resolved`` the same with variables substituted, and never a guess: a value that is not in the file has the
  role ``unresolved`` and a reason;
- returns each position once, in the order of the file;
- chooses the role: ``external`` for an image that is pulled, ``built-here`` for one that the same file builds,
  ``stage`` and ``scratch`` in Dockerfiles, ``unresolved`` as above, ``invalid`` for a value that is not a valid
  reference. What is not an image for a container engine (VM images, charts, cache references, patterns) is not
  returned at all;
- names the ``construct``, which rules go by: ``from``, ``copy-from`` and ``mount-from`` belong to Dockerfiles, and
  ``final`` is set for the one ``from`` that the final stage is built on;
- returns the comments that begin with ``imgref:``, and in ``continued`` the lines of statements of several lines, which
  a comment above covers as a whole.

Readers of YAML receive one document at a time and add to :class:`~imgref.sources.yaml.collector.Found`, which keeps
positions, order and comments right for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from imgref.sources.occurrence import Reading

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found
    from imgref.sources.yaml.document import Node

__all__ = ["Beside", "Context", "DocumentReader", "DocumentTest", "Probe", "Reader"]


Beside: TypeAlias = Callable[[str], str | None]
"""Returns the content of a file in the same directory by its name, or None if it does not exist.

It raises :class:`~imgref.sources.decoding.Unreadable` for one that is there and cannot be read.
"""


def _nothing_beside(_: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Context:
    """What a reader knows besides the content.

    Attributes:
        build_args: variables of a Dockerfile, as ``docker build --build-arg`` sets them.
        platform: the platform that the platform variables of a Dockerfile have.
        variables: variables from outside of the file, for the kinds that substitute them (Compose).
        beside: reads the files beside it, for the kinds whose consumers do so (Compose, ``.env``).
    """

    build_args: Mapping[str, str] = field(default_factory=dict)
    platform: str = "linux/amd64"
    variables: Mapping[str, str] = field(default_factory=dict)
    beside: Beside = _nothing_beside


Reader: TypeAlias = Callable[[str, Context], Reading]
"""Returns the references in the content of a file, without a byte order mark."""

Probe: TypeAlias = Callable[[str], bool]
"""Returns whether content is certainly of a kind, whatever the name of the file. Called often, so it must be cheap."""

DocumentReader: TypeAlias = "Callable[[Node, Found], None]"
"""Adds the references in one YAML document to those found so far."""

DocumentTest: TypeAlias = "Callable[[Node], bool]"
"""Returns whether a YAML document is certainly of a kind, whatever the name of the file."""

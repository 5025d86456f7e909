"""Where a reference can be edited: its spans in the file, or why it cannot be edited."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["UNSURE", "Outside", "Target", "TextSpan"]

UNSURE: Final = "the consumer may reject a tag with a digest"
"""Why no digest is added to a reference whose consumer is not certain to accept it beside a tag."""


class TextSpan(NamedTuple):
    """A span of a file, in characters; a byte order mark is not counted."""

    start: int
    end: int


class Outside(NamedTuple):
    """A variable whose value is in the file ``.env``.

    Attributes:
        name: the variable.
        repository: what is before it, if its value is the tag alone; None if its value is the whole reference.
    """

    name: str
    repository: str | None


class Target(NamedTuple):
    """Where an occurrence can be edited.

    A reference is either one literal (``whole``), or its parts are separate (``tag``, ``digest``).

    Attributes:
        whole: the literal that is the whole reference.
        tag: the tag alone, which may have a digest behind it where ``in_tag`` is set.
        digest: the digest alone; an empty span where a key without a value waits for one.
        in_tag: whether a digest can be written behind the tag.
        unpinnable: why no digest is added although the tag can be changed, or an empty string.
        fixed: why nothing can be edited, or an empty string.
        outside: the variable that has the reference or its tag, if an edit belongs into the file that sets it.
    """

    whole: TextSpan | None = None
    tag: TextSpan | None = None
    digest: TextSpan | None = None
    in_tag: bool = False
    unpinnable: str = ""
    fixed: str = ""
    outside: Outside | None = None

    @property
    def spans(self) -> tuple[TextSpan, ...]:
        """The spans that an edit may change."""
        return tuple(span for span in (self.whole, self.tag, self.digest) if span is not None)

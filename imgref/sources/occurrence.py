"""The values of a reading: the image references in a file and their positions, comments, and what was not readable."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from imgref.sources.builds import BuildTarget, Stage
    from imgref.sources.target import Target
    from imgref.sources.traces import Trace

__all__ = ["Comment", "Declaration", "Occurrence", "Problem", "Reading", "Role"]

Role = Literal["external", "stage", "scratch", "built-here", "unresolved", "invalid"]
"""What an occurrence refers to: an image that is pulled, an earlier stage of the same Dockerfile, nothing at all
(``scratch``), an image that the same file builds, a string with unknown variables, or an invalid reference."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One image reference in a file.

    Attributes:
        line: 1-based line of its first character.
        column: 1-based column of its first character, counted in characters; a byte order mark is not counted.
        text: the reference as written there.
        resolved: ``text`` with variables substituted, not normalized; None if they are not known.
        role: what it refers to.
        construct: the kind of location, such as ``from``, ``copy-from``, ``syntax`` or ``services.image``.
        final: whether this is what the final stage of a Dockerfile is built on, followed through its stages.
        reason: for an unresolved occurrence, why; for an invalid one, the file's own rule; for an external
            one, what names its tag elsewhere (a chart's appVersion), so that the missing tag is not ``latest``.
        hint: a suggestion, or None.
        target: where an external occurrence can be edited, or None if the reader does not know.
    """

    line: int
    column: int
    text: str
    resolved: str | None
    role: Role
    construct: str
    final: bool = False
    reason: str | None = None
    hint: str | None = None
    target: Target | None = field(default=None, compare=False, repr=False)

    def with_target(self, target: Target) -> Occurrence:
        """Return the same occurrence with a target; files have many, and :func:`dataclasses.replace` takes longer."""
        return Occurrence(
            self.line, self.column, self.text, self.resolved, self.role, self.construct, self.final, self.reason,
            self.hint, target,
        )  # fmt: skip

    @property
    def is_base(self) -> bool:
        """Whether this is what a stage of a Dockerfile is built on: an image even where a variable hides which one."""
        return self.construct == "from"

    @property
    def may_be_stage(self) -> bool:
        """Whether the name of a stage can be here, so that an image with a plain name may be a typing error."""
        return self.construct in {"copy-from", "mount-from"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A position that a reader could not read, or for which it reports a rule's code and message."""

    line: int
    column: int
    code: str
    message: str
    end_column: int | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment that begins with ``imgref:``; ``text`` is what follows that. ``trailing``: it is after code."""

    line: int
    column: int
    text: str
    trailing: bool


@dataclass(frozen=True, slots=True)
class Declaration:
    """A registry that a container configuration lists as insecure."""

    line: int
    column: int
    host: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that was found in one file; a bad line does not hide the rest.

    Attributes:
        kind: the name of the kind; ``yaml`` or that of a template where none is certain.
        occurrences: in the order of the file.
        problems: what could not be read.
        comments: those addressed to imgref.
        declarations: registries that the file declares insecure.
        incomplete: whether a part of the file was not read at all, as one of the problems explains.
        doubt: why a file without any sign of images may have some that were not found; or empty.
        continued: the lines of statements that have more than one line, in order, if there are comments.
        stages: the stages of a Dockerfile, in order.
        builds: the builds that the file defines.
        trace: the first trace of an image in a document of the file that is of no known kind, beside others that are.
    """

    kind: str
    occurrences: tuple[Occurrence, ...] = ()
    problems: tuple[Problem, ...] = ()
    comments: tuple[Comment, ...] = ()
    declarations: tuple[Declaration, ...] = field(default=())
    incomplete: bool = False
    doubt: str = ""
    continued: tuple[range, ...] = ()
    stages: tuple[Stage, ...] = ()
    builds: tuple[BuildTarget, ...] = ()
    trace: Trace | None = None

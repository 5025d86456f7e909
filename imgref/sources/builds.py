"""The values of a reading that describe builds: stages of a Dockerfile, and images that another file builds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BuildTarget", "Stage"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a Dockerfile. What is between its line and that of the next stage belongs to it.

    Attributes:
        name: its name in lowercase, or an empty string.
        line: the 1-based line of its ``FROM``.
    """

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class BuildTarget:
    """A build that is defined in a file other than a Dockerfile, such as a service of a Compose file.

    Attributes:
        name: its name in that file.
        line: the 1-based line that names it, or the first line of its build settings.
        context: the build context, relative to the file; None if it is not known.
        dockerfile: the Dockerfile, relative to the context.
        inline: the content of a Dockerfile in the file itself, or None.
        target: the stage to build, or None for the last one.
        args: the build arguments that the file sets, sorted.
        contexts: names that the Dockerfile uses as images, each with what replaces it, such as
            ``docker-image://alpine:3`` or ``service:base``.
        images: the names of the result, as far as they are known.
    """

    name: str
    line: int
    context: str | None = "."
    dockerfile: str = "Dockerfile"
    inline: str | None = None
    target: str | None = None
    args: tuple[tuple[str, str], ...] = ()
    contexts: tuple[tuple[str, str], ...] = ()
    images: tuple[str, ...] = ()

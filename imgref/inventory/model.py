"""The values of an inventory: the images that files use, what is built here, and what is not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from imgref.reference import ImageReference
from imgref.sources.occurrence import Role

__all__ = ["Build", "Definition", "Ingredient", "Inventory", "Purpose", "Unread", "Use", "UsedImage", "UsedReference"]

Purpose = Literal["base", "build", "run", "built"]
"""What an image is used for: as the base of a final stage, only while something is built, to run containers, or
because the file builds it."""


@dataclass(frozen=True, slots=True)
class Use:
    """A location where a file refers to an image.

    Attributes:
        path: the file.
        line: the 1-based line.
        column: the 1-based column.
        text: the reference as written.
        kind: the kind of file, such as ``dockerfile``.
        construct: the position in the file's own terms, such as ``from``.
        role: the role of the occurrence.
        purpose: what the image is used for.
        reference: the image, or None if it is not known. It has no tag if the tag is named elsewhere.
        implicit: whether the tag is ``latest`` because the reference has neither tag nor digest.
        reason: why the image or its tag is not known, or None.
        by: the build whose arguments decide which image this is, or an empty string.
    """

    path: str
    line: int
    column: int
    text: str
    kind: str
    construct: str
    role: Role
    purpose: Purpose
    reference: ImageReference | None = None
    implicit: bool = False
    reason: str | None = None
    by: str = ""

    @property
    def place(self) -> str:
        """The location, as ``path:line``."""
        return f"{self.path}:{self.line}"

    @property
    def is_pullable(self) -> bool:
        """Whether exactly this image can be requested from a registry, and is not built by the file itself."""
        ref = self.reference
        return self.role == "external" and ref is not None and (ref.tag is not None or ref.is_pinned)


@dataclass(frozen=True, slots=True)
class UsedReference:
    """A tag or digest of an image in use.

    Attributes:
        reference: the image with its tag and digest.
        uses: each location, in the order of the files.
    """

    reference: ImageReference
    uses: tuple[Use, ...]

    @property
    def is_pinned(self) -> bool:
        """Whether a digest fixes the content."""
        return self.reference.is_pinned

    @property
    def is_implicit(self) -> bool:
        """Whether the tag ``latest`` of this reference is written nowhere."""
        return all(use.implicit for use in self.uses)

    @property
    def is_pullable(self) -> bool:
        """Whether this can be requested from a registry, and a file pulls it."""
        return any(use.is_pullable for use in self.uses)

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        """What this is used for, each once."""
        found = {use.purpose for use in self.uses}
        order: tuple[Purpose, ...] = ("base", "build", "run", "built")
        return tuple(purpose for purpose in order if purpose in found)


@dataclass(frozen=True, slots=True)
class UsedImage:
    """An image in use, by its repository.

    Attributes:
        repository: registry and path, such as ``docker.io/library/nginx``.
        references: its tags and digests in use, sorted.
    """

    repository: str
    references: tuple[UsedReference, ...]

    @property
    def uses(self) -> tuple[Use, ...]:
        """Each location where any tag or digest is used."""
        return tuple(use for reference in self.references for use in reference.uses)


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition of a build, such as a service of a Compose file."""

    path: str
    line: int
    name: str


@dataclass(frozen=True, slots=True)
class Ingredient:
    """What a build is made from.

    Attributes:
        kind: ``image``; ``build`` for the result of another build; ``scratch``; ``context`` for a build context that
            is not an image; or ``unknown``.
        name: the canonical reference, the identity of the other build, or the reference as written.
        purpose: ``base`` for what the result is built on, ``build`` for what is only needed to build it.
        line: the line in the Dockerfile.
        reason: why it is not known, or None.
    """

    kind: Literal["image", "build", "scratch", "context", "unknown"]
    name: str
    purpose: Literal["base", "build"]
    line: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """Something that is built from a Dockerfile.

    Attributes:
        id: its identity, for messages too, such as ``web/Dockerfile`` or ``compose.yaml: web``.
        dockerfile: the Dockerfile, or None if it is inline or not known.
        target: the stage that is built, or None for the last one.
        definitions: the locations in other files that define how to build it.
        images: the canonical names of the result.
        ingredients: what it is made from, in the order of the Dockerfile.
        reason: why the ingredients are not known, or None.
    """

    id: str
    dockerfile: str | None
    target: str | None = None
    definitions: tuple[Definition, ...] = ()
    images: tuple[str, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()
    reason: str | None = None

    @property
    def base(self) -> Ingredient | None:
        """What the result is built on, or None if the Dockerfile was not read."""
        return next((one for one in self.ingredients if one.purpose == "base"), None)


@dataclass(frozen=True, slots=True)
class Unread:
    """A file, or a part of it, that could not be read, so that images can be missing.

    Attributes:
        path: the file.
        reason: why.
        line: the 1-based line of what could not be read, or None for the whole file.
        is_error: whether it had to be readable; otherwise it is outside of the tree, or perhaps has no images.
    """

    path: str
    reason: str
    line: int | None = None
    is_error: bool = True

    @property
    def place(self) -> str:
        """The location, as ``path:line`` or ``path``."""
        return self.path if self.line is None else f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """The images that files use, and what is built on what.

    Attributes:
        images: the images, by repository.
        builds: what is built here.
        unresolved: references whose image is not known.
        invalid: values that are not valid references.
        scratch: how many stages and copies use ``scratch``.
        files: how many files have references or builds.
        unread: what could not be read.
    """

    images: tuple[UsedImage, ...] = ()
    builds: tuple[Build, ...] = ()
    unresolved: tuple[Use, ...] = ()
    invalid: tuple[Use, ...] = ()
    scratch: int = 0
    files: int = 0
    unread: tuple[Unread, ...] = ()

    @property
    def references(self) -> tuple[UsedReference, ...]:
        """Every tag and digest in use."""
        return tuple(reference for image in self.images for reference in image.references)

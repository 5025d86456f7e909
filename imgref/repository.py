"""Repositories: a registry and a path, which tags and digests are in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from imgref.errors import InvalidReference
from imgref.reference import ImageReference, parse
from imgref.reference._image_reference import DEFAULT_REGISTRY, from_parts

__all__ = ["Repository"]


@final
@dataclass(frozen=True, order=True, slots=True)
class Repository:
    """A repository on a registry; immutable, hashable, ordered, and validated however it is made.

    Attributes:
        registry: host and optional port; Docker Hub is ``docker.io``.
        path: namespace and name, as in ``library/ubuntu``.

    Raises:
        InvalidReference: ``registry`` or ``path`` is not valid.

    >>> repository = Repository("ghcr.io", "acme/app")
    >>> str(repository), str(repository.tag("1"))
    ('ghcr.io/acme/app', 'ghcr.io/acme/app:1')
    """

    registry: str
    path: str

    def __post_init__(self) -> None:
        ref = from_parts(self.registry, self.path, None, None)
        object.__setattr__(self, "registry", ref.registry)
        object.__setattr__(self, "path", ref.path)

    @staticmethod
    def parse(text: str, *, default_registry: str = DEFAULT_REGISTRY) -> Repository:
        """Parse the name of a repository.

        Args:
            text: the name, without a tag and a digest.
            default_registry: the registry of a name that has none.

        Raises:
            InvalidReference: ``text`` is not valid, or has a tag or a digest.

        >>> str(Repository.parse("ubuntu"))
        'docker.io/library/ubuntu'
        """
        ref = parse(text, default_registry=default_registry, default_tag=None)
        if ref.tag is None and ref.digest is None:
            return Repository.of(ref)
        start = len(text) - len(str(ref)) + len(ref.repository)
        raise InvalidReference(text, (start, len(text)), "a repository has no tag and no digest", ref.repository)

    @staticmethod
    def of(ref: ImageReference | Repository) -> Repository:
        """Return the repository of an image; a repository is its own.

        >>> Repository.of(parse("ghcr.io/acme/app:1")) == Repository.parse("ghcr.io/acme/app")
        True
        """
        return ref if isinstance(ref, Repository) else Repository(ref.registry, ref.path)

    @property
    def namespace(self) -> str | None:
        """The path before the last slash, or None."""
        return self.path.rpartition("/")[0] or None

    @property
    def name(self) -> str:
        """The last component of the path."""
        return self.path.rpartition("/")[2]

    @property
    def reference(self) -> ImageReference:
        """The repository as a reference without a tag and a digest."""
        return from_parts(self.registry, self.path, None, None)

    def tag(self, tag: str) -> ImageReference:
        """Return the image with this tag.

        Raises:
            InvalidReference: ``tag`` is not a valid tag.
        """
        return from_parts(self.registry, self.path, tag, None)

    def digest(self, digest: str) -> ImageReference:
        """Return the image with this digest.

        Raises:
            InvalidReference: ``digest`` is not a valid digest.
        """
        return from_parts(self.registry, self.path, None, digest)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> object:
        """Validate, describe and serialize a field of a pydantic model as the string."""
        from imgref.reference._forms import pydantic_schema

        return pydantic_schema(cls, cls.parse)

    def __str__(self) -> str:
        return f"{self.registry}/{self.path}"

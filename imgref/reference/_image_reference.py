"""The value :class:`ImageReference`: its parts, validated however it is made, and its views."""

from __future__ import annotations

from functools import total_ordering
from typing import TYPE_CHECKING, Final, NoReturn, final

from imgref._grammar import DIGEST, IMAGE_ID, PATH, PATH_MAX, QUALIFIED, REGISTRY, TAG, is_a
from imgref.errors import InvalidReference

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ALIAS",
    "DEFAULT_REGISTRY",
    "DEFAULT_TAG",
    "OFFICIAL",
    "ImageReference",
    "check_registry",
    "explain_part",
    "from_parts",
    "new",
    "set_parts",
    "written",
]

DEFAULT_REGISTRY: Final = "docker.io"
DEFAULT_TAG: Final = "latest"

OFFICIAL: Final = "library/"
ALIAS: Final = "index.docker.io"


@final
@total_ordering
class ImageReference:
    """One image, on one registry, by tag or digest or both; immutable, hashable, ordered, equal by value.

    ::

        registry.local:5001/gallery/ui:v1@sha256:9f86d0…
        └──────┬──────────┘ └──┬──┘ └┤ └┤ └─────┬──────┘
           registry       account name tag    digest
                            └───┬──┘
                               path

    ``account`` is everything in the path before the last slash, or None. :func:`parse` reads a string; this
    constructor takes the parts, normalises and validates them alike, but adds no tag.

    Args:
        registry: host and optional port; must look like a registry (``localhost``, or with a dot, a colon or
            an uppercase letter), since it could not be read back otherwise.
        account: the components before the name, joined by slashes. On ``docker.io``, None becomes ``library``.
        name: the last component of the path.
        tag: at most 128 characters, or None.
        digest: ``sha256:`` with 64, ``sha384:`` with 96 or ``sha512:`` with 128 lowercase hex digits, or None.

    Raises:
        InvalidReference: a part is not what the grammar of distribution/reference admits.

    >>> ref = ImageReference(registry="registry.local:5001", account="gallery", name="ui", tag="v1")
    >>> str(ref), ref.path, ref.with_tag("v2").tag
    ('registry.local:5001/gallery/ui:v1', 'gallery/ui', 'v2')
    """

    __slots__ = ("_parts",)
    __match_args__ = ("registry", "account", "name", "tag", "digest")

    _parts: tuple[str, str, str | None, str | None]

    def __new__(
        cls,
        *,
        registry: str = DEFAULT_REGISTRY,
        account: str | None = None,
        name: str,
        tag: str | None = None,
        digest: str | None = None,
    ) -> ImageReference:
        """Put a reference together from its parts."""
        _check_name(name)
        return from_parts(registry, name if account is None else f"{account}/{name}", tag, digest)

    @staticmethod
    def parse(
        text: str, *, default_registry: str = DEFAULT_REGISTRY, default_tag: str | None = DEFAULT_TAG
    ) -> ImageReference:
        """Read a reference; the same as :func:`imgref.parse`.

        >>> ImageReference.parse("diamol/golang").registry
        'docker.io'
        """
        from imgref.reference import parse

        return parse(text, default_registry=default_registry, default_tag=default_tag)

    @staticmethod
    def from_dict(parts: Mapping[str, object]) -> ImageReference:
        """Return the reference that :meth:`to_dict` describes, also with what ``imgref parse --format json`` adds.

        Args:
            parts: ``registry`` and ``name`` are required; every other key may be missing, but must agree with these.

        Raises:
            InvalidReference: a key is missing, unknown or contradicts the others, or a part is not valid.

        >>> str(ImageReference.from_dict({"registry": "ghcr.io", "account": "acme", "name": "app", "tag": "1"}))
        'ghcr.io/acme/app:1'
        """
        from imgref.reference._forms import from_dict

        return from_dict(parts)

    @property
    def registry(self) -> str:
        """Host and optional port."""
        return self._parts[0]

    @property
    def path(self) -> str:
        """Account and name, as in ``library/ubuntu``."""
        return self._parts[1]

    @property
    def tag(self) -> str | None:
        """The tag, or None."""
        return self._parts[2]

    @property
    def digest(self) -> str | None:
        """The digest, with its algorithm, or None."""
        return self._parts[3]

    @property
    def account(self) -> str | None:
        """Everything in the path before the last slash, or None."""
        return self.path.rpartition("/")[0] or None

    @property
    def namespace(self) -> str | None:
        """The same as :attr:`account`, by its usual name."""
        return self.account

    @property
    def name(self) -> str:
        """The last component of the path."""
        return self.path.rpartition("/")[2]

    @property
    def repository(self) -> str:
        """Registry and path, as in ``docker.io/library/ubuntu``."""
        return f"{self.registry}/{self.path}"

    @property
    def identifier(self) -> str:
        """What is requested from the registry: the digest, otherwise the tag, otherwise ``latest``."""
        return self.digest or self.tag or DEFAULT_TAG

    @property
    def is_pinned(self) -> bool:
        """Whether a digest fixes the content."""
        return self.digest is not None

    @property
    def is_official(self) -> bool:
        """Whether this is one of Docker's official images, ``docker.io/library/*``."""
        return self.registry == DEFAULT_REGISTRY and self.path.startswith(OFFICIAL) and self.path.count("/") == 1

    @property
    def familiar(self) -> str:
        """The short form that Docker prints, wherever it reads back as the same image.

        >>> ImageReference(name="ubuntu", tag="22.04").familiar
        'ubuntu:22.04'
        >>> ImageReference.parse("docker.io/foo.bar/baz:1").familiar
        'docker.io/foo.bar/baz:1'
        """
        if self.registry != DEFAULT_REGISTRY:
            return str(self)
        short = (self.name if self.is_official else self.path) + self._suffix()
        return str(self) if is_a(IMAGE_ID, short) or is_a(f"{QUALIFIED}.*", short) else short

    def with_tag(self, tag: str | None) -> ImageReference:
        """Return this repository's image with another tag, without the digest, since a new tag is another image.

        Args:
            tag: the tag; None removes both the tag and the digest. :meth:`without_tag` keeps the digest.

        Raises:
            InvalidReference: ``tag`` is not a valid tag.
        """
        return from_parts(self.registry, self.path, tag, None)

    def without_tag(self) -> ImageReference:
        """Return the reference without its tag; a digest stays.

        >>> str(ImageReference.parse("ghcr.io/acme/app:1").without_tag())
        'ghcr.io/acme/app'
        """
        return from_parts(self.registry, self.path, None, self.digest)

    def with_digest(self, digest: str) -> ImageReference:
        """Return the image pinned to a digest; the tag stays, as in ``name:tag@digest``.

        Raises:
            InvalidReference: ``digest`` is not a valid digest, or its algorithm is unknown.
        """
        return from_parts(self.registry, self.path, self.tag, digest)

    def without_digest(self) -> ImageReference:
        """Return the reference without its digest; a tag stays, and none is added."""
        return from_parts(self.registry, self.path, self.tag, None)

    def with_registry(self, host: str) -> ImageReference:
        """Return the same path, tag and digest on another registry, such as a mirror.

        Raises:
            InvalidReference: ``host`` is not a valid registry.
        """
        return from_parts(host, self.path, self.tag, self.digest)

    def with_path(self, path: str) -> ImageReference:
        """Return another repository on the same registry, with the same tag and digest.

        Raises:
            InvalidReference: ``path`` is not a valid repository path.

        >>> str(ImageReference.parse("ghcr.io/acme/app:1").with_path("other/team/app"))
        'ghcr.io/other/team/app:1'
        """
        return from_parts(self.registry, path, self.tag, self.digest)

    def with_name(self, name: str) -> ImageReference:
        """Return the reference with another last component of its path; registry, namespace, tag and digest stay.

        Raises:
            InvalidReference: ``name`` is not a single valid component.

        >>> str(ImageReference.parse("ghcr.io/acme/app:1").with_name("web"))
        'ghcr.io/acme/web:1'
        """
        _check_name(name)
        return from_parts(self.registry, name if self.account is None else f"{self.account}/{name}", *self._parts[2:])

    def to_dict(self) -> dict[str, str | bool | None]:
        """Return every part by its name, as ``imgref parse --format json`` prints them.

        The command adds ``input`` and ``defaulted``, which belong to the input and not to the value.
        :meth:`from_dict` reads all of them. Where a string is enough, ``json.dumps(str(ref))`` is shorter.

        >>> ImageReference.parse("diamol/golang").to_dict()["repository"]
        'docker.io/diamol/golang'
        """
        return {
            "reference": str(self),
            "registry": self.registry,
            "account": self.account,
            "name": self.name,
            "tag": self.tag,
            "digest": self.digest,
            "path": self.path,
            "repository": self.repository,
            "familiar": self.familiar,
            "official": self.is_official,
        }

    def _suffix(self) -> str:
        tag = "" if self.tag is None else f":{self.tag}"
        return tag if self.digest is None else f"{tag}@{self.digest}"

    def __str__(self) -> str:
        return written(*self._parts)

    def __repr__(self) -> str:
        parts = ", ".join(f"{field}={value!r}" for field in self.__match_args__ if (value := getattr(self, field)))
        return f"ImageReference({parts})"

    def __format__(self, spec: str) -> str:
        """Return the reference, or a part of it, in a width.

        Args:
            spec: what a string takes, as in ``f"{ref:<60}"``; or the name of a part or view, as in ``f"{ref:tag}"``;
                or both, as in ``f"{ref:familiar:<40}"``. The names are ``registry``, ``path``, ``account``,
                ``namespace``, ``name``, ``tag``, ``digest``, ``repository`` and ``familiar``; a part that is missing
                is empty.

        Raises:
            ValueError: ``spec`` is none of these.
        """
        if not spec:
            return str(self)
        from imgref.reference._forms import formatted

        return formatted(self, spec)

    def __lt__(self, other: ImageReference) -> bool:
        """Compare by registry, path and tag, versions as numbers: ``app:1.9`` is before ``app:1.10``.

        In a repository, the reference without a tag comes first, then tags that are not versions, then versions.
        """
        if not isinstance(other, ImageReference):
            return NotImplemented
        from imgref.reference._forms import order_key

        return order_key(self) < order_key(other)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> object:
        """Validate, describe and serialize a field of a pydantic model as the string."""
        from imgref.reference._forms import pydantic_schema

        return pydantic_schema(cls, cls.parse)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ImageReference):
            return NotImplemented
        return self._parts == other._parts

    def __hash__(self) -> int:
        return hash(self._parts)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"an ImageReference is immutable: use a with_* method instead of setting {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"an ImageReference is immutable: {name!r} cannot be deleted")

    def __reduce__(self) -> tuple[object, ...]:
        return from_parts, self._parts


def written(registry: str, path: str, tag: str | None, digest: str | None) -> str:
    """Return the canonical string of a reference with these parts."""
    if digest is None:
        return f"{registry}/{path}" if tag is None else f"{registry}/{path}:{tag}"
    return f"{registry}/{path}@{digest}" if tag is None else f"{registry}/{path}:{tag}@{digest}"


def explain_part(kind: str, text: str, start: int, end: int) -> InvalidReference:
    """Return why a part is not valid; what can explain it is loaded only where something is wrong."""
    from imgref.reference._explain import explain_part as explained

    return explained(kind, text, start, end)


new = object.__new__
# The slot's own setter goes around __setattr__. One slot holds all parts, since parsing is mostly this.
set_parts = ImageReference.__dict__["_parts"].__set__


def from_parts(registry: str, path: str, tag: str | None, digest: str | None) -> ImageReference:
    """Validate each part by its own pattern: put together first, a ``:`` in one could pass for a separator."""
    if registry == ALIAS:
        registry = DEFAULT_REGISTRY
    if registry == DEFAULT_REGISTRY and "/" not in path:
        path = OFFICIAL + path
    ref = new(ImageReference)
    set_parts(ref, (registry, path, tag, digest))
    text = str(ref)
    check_registry(registry, text)
    start = len(registry) + 1
    if len(path) > PATH_MAX or not is_a(PATH, path):
        raise explain_part("path", text, start, start + len(path))
    start += len(path) + 1
    if tag is not None:
        if not is_a(TAG, tag):
            raise explain_part("tag", text, start, start + len(tag))
        start += len(tag) + 1
    if digest is not None and not is_a(DIGEST, digest):
        raise explain_part("digest", text, start, start + len(digest))
    return ref


def _check_name(name: str) -> None:
    slash = name.find("/")
    if slash >= 0:
        reason = "a name has no '/'; what comes before it is the namespace, which account= and with_path() accept"
        raise InvalidReference(name, (slash, slash + 1), reason)


def check_registry(registry: str, text: str) -> None:
    if not is_a(REGISTRY, registry) or not is_a(QUALIFIED, registry + "/"):
        raise explain_part("registry", text, 0, len(registry))

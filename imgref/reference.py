"""Image references: a text becomes a registry, a path, a tag and a digest, as Docker would read it."""

from __future__ import annotations

from typing import Final, NoReturn, final

from imgref._grammar import DIGEST, IMAGE_ID, PATH, PATH_MAX, QUALIFIED, REFERENCE, REGISTRY, TAG, is_a
from imgref.errors import InvalidReference

__all__ = ["DEFAULT_REGISTRY", "DEFAULT_TAG", "ImageReference", "left_out", "parse"]

DEFAULT_REGISTRY: Final = "docker.io"
DEFAULT_TAG: Final = "latest"

_OFFICIAL: Final = "library/"
_ALIAS: Final = "index.docker.io"

# Fleets repeat themselves: the same few images in hundreds of manifests. Both bounds keep a stream of distinct
# or of huge texts from growing the process.
_CACHE_ENTRIES: Final = 4096
_CACHE_TEXT: Final = 512
_cache: dict[str, ImageReference] = {}

_match = REFERENCE.fullmatch


@final
class ImageReference:
    """One image, on one registry, by tag or digest or both; immutable, hashable, equal by value.

    ::

        registry.local:5001/gallery/ui:v1@sha256:9f86d0…
        └──────┬──────────┘ └──┬──┘ └┤ └┤ └─────┬──────┘
           registry       account name tag    digest
                            └───┬──┘
                               path

    ``account`` is everything in the path before the last slash, or None. :func:`parse` reads a text; this
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
        if "/" in name:
            slash = name.index("/")
            raise InvalidReference(
                name, (slash, slash + 1), "the name has no '/': what stands before it is the account"
            )
        return _from_parts(registry, name if account is None else f"{account}/{name}", tag, digest)

    @staticmethod
    def parse(
        text: str, *, default_registry: str = DEFAULT_REGISTRY, default_tag: str | None = DEFAULT_TAG
    ) -> ImageReference:
        """Read a reference; the same as :func:`imgref.parse`.

        >>> ImageReference.parse("diamol/golang").registry
        'docker.io'
        """
        return parse(text, default_registry=default_registry, default_tag=default_tag)

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
    def name(self) -> str:
        """The last component of the path."""
        return self.path.rpartition("/")[2]

    @property
    def repository(self) -> str:
        """Registry and path, as in ``docker.io/library/ubuntu``."""
        return f"{self.registry}/{self.path}"

    @property
    def is_official(self) -> bool:
        """Whether this is one of Docker's official images, ``docker.io/library/*``."""
        return self.registry == DEFAULT_REGISTRY and self.path.startswith(_OFFICIAL) and self.path.count("/") == 1

    @property
    def familiar(self) -> str:
        """The short form that Docker prints, wherever it reads back as the same image.

        >>> parse("docker.io/library/ubuntu:22.04").familiar, parse("docker.io/foo.bar/baz:1").familiar
        ('ubuntu:22.04', 'docker.io/foo.bar/baz:1')
        """
        if self.registry != DEFAULT_REGISTRY:
            return str(self)
        short = (self.name if self.is_official else self.path) + self._suffix()
        return str(self) if is_a(IMAGE_ID, short) or is_a(f"{QUALIFIED}.*", short) else short

    def with_tag(self, tag: str) -> ImageReference:
        """Give the same image under another tag, without the digest: a new tag names something else.

        Raises:
            InvalidReference: ``tag`` cannot stand as a tag.
        """
        return _from_parts(self.registry, self.path, tag, None)

    def with_digest(self, digest: str) -> ImageReference:
        """Give the same image pinned to a digest; the tag stays, as ``name:tag@digest``.

        Raises:
            InvalidReference: ``digest`` is none, or of an unknown algorithm.
        """
        return _from_parts(self.registry, self.path, self.tag, digest)

    def with_registry(self, host: str) -> ImageReference:
        """Give the same path, tag and digest on another registry: a mirror of it.

        Raises:
            InvalidReference: ``host`` is no registry.
        """
        return _from_parts(host, self.path, self.tag, self.digest)

    def with_name(self, path: str) -> ImageReference:
        """Give another path, which may have an account, on the same registry; tag and digest stay.

        Raises:
            InvalidReference: ``path`` is no repository path.
        """
        return _from_parts(self.registry, path, self.tag, self.digest)

    def to_dict(self) -> dict[str, str | bool | None]:
        """Give every part by its name, as ``imgref parse --format json`` prints them.

        The command adds ``input`` and ``defaulted``, which belong to the text and not to the value.

        >>> parse("diamol/golang").to_dict()["repository"]
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
        registry, path, tag, digest = self._parts
        if digest is None and tag is not None:
            return f"{registry}/{path}:{tag}"
        return f"{registry}/{path}{self._suffix()}"

    def __repr__(self) -> str:
        parts = ", ".join(f"{field}={value!r}" for field in self.__match_args__ if (value := getattr(self, field)))
        return f"ImageReference({parts})"

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
        return _from_parts, self._parts


def _explain(text: str, default_registry: str = DEFAULT_REGISTRY) -> InvalidReference:
    """Say why a text is no reference; what can say so is loaded only where something is wrong."""
    from imgref._explain import explain

    return explain(text, default_registry)


def _explain_part(kind: str, text: str, start: int, end: int) -> InvalidReference:
    """Say why a part of a reference that was put together cannot stand there."""
    from imgref._explain import explain_part

    return explain_part(kind, text, start, end)


_new = object.__new__
# The slot's own setter goes around __setattr__. One slot holds all parts, since parsing is mostly this.
_set_parts = ImageReference.__dict__["_parts"].__set__


def parse(
    text: str, *, default_registry: str = DEFAULT_REGISTRY, default_tag: str | None = DEFAULT_TAG
) -> ImageReference:
    """Read an image reference and fill in what it leaves out.

    Args:
        text: the reference, as one would write it after ``docker pull``.
        default_registry: the registry of a text that names none. ``library/`` belongs to ``docker.io`` only.
        default_tag: the tag of a text that has neither tag nor digest; None adds none.

    Raises:
        InvalidReference: the text is no reference, or a default is no registry or no tag; with the place, the
            reason, and a text that was probably meant.

    Follows https://pkg.go.dev/github.com/distribution/reference, as Docker does.

    >>> str(parse("diamol/golang"))
    'docker.io/diamol/golang:latest'
    >>> parse("registry.local:5001/gallery/ui:v1").account
    'gallery'
    """
    if default_registry == DEFAULT_REGISTRY and default_tag == DEFAULT_TAG:
        known = _cache.get(text)
        if known is not None:
            return known
        ref = _parse(text, default_registry, default_tag)
        if len(_cache) >= _CACHE_ENTRIES:
            _cache.clear()
        if len(text) <= _CACHE_TEXT:
            _cache[text] = ref
        return ref
    if default_registry == _ALIAS:
        default_registry = DEFAULT_REGISTRY
    _check_registry(default_registry, default_registry)
    if default_tag is not None and not is_a(TAG, default_tag):
        raise _explain_part("tag", default_tag, 0, len(default_tag))
    return _parse(text, default_registry, default_tag)


def left_out(text: str) -> tuple[str, ...]:
    """Tell which of ``registry`` and ``tag`` a valid reference leaves to a default; a digest stands for a tag.

    >>> left_out("diamol/golang"), left_out("localhost/app@sha256:" + 64 * "0")
    (('registry', 'tag'), ())
    """
    found = _match(text)
    if found is None:
        raise _explain(text)
    registry, _, tag, digest = found.groups()
    return ("registry",) * (registry is None) + ("tag",) * (tag is None and digest is None)


def _parse(text: str, default_registry: str, default_tag: str | None) -> ImageReference:
    found = _match(text)
    if found is None:
        raise _explain(text, default_registry)
    registry, path, tag, digest = found.groups()
    if registry is None:
        registry = default_registry
    elif registry == _ALIAS:
        registry = DEFAULT_REGISTRY
    if registry == DEFAULT_REGISTRY and "/" not in path:
        path = _OFFICIAL + path
    if len(path) > PATH_MAX:
        raise _explain(text, default_registry)
    if tag is None and digest is None:
        if len(text) == 64 and is_a(IMAGE_ID, text):
            raise _explain(text, default_registry)
        tag = default_tag
    ref = _new(ImageReference)
    _set_parts(ref, (registry, path, tag, digest))
    return ref


def _from_parts(registry: str, path: str, tag: str | None, digest: str | None) -> ImageReference:
    """Validate each part by its own pattern: put together first, a ``:`` in one could pass for a separator."""
    if registry == _ALIAS:
        registry = DEFAULT_REGISTRY
    if registry == DEFAULT_REGISTRY and "/" not in path:
        path = _OFFICIAL + path
    ref = _new(ImageReference)
    _set_parts(ref, (registry, path, tag, digest))
    text = str(ref)
    _check_registry(registry, text)
    start = len(registry) + 1
    if len(path) > PATH_MAX or not is_a(PATH, path):
        raise _explain_part("path", text, start, start + len(path))
    start += len(path) + 1
    if tag is not None:
        if not is_a(TAG, tag):
            raise _explain_part("tag", text, start, start + len(tag))
        start += len(tag) + 1
    if digest is not None and not is_a(DIGEST, digest):
        raise _explain_part("digest", text, start, start + len(digest))
    return ref


def _check_registry(registry: str, text: str) -> None:
    if not is_a(REGISTRY, registry) or not is_a(QUALIFIED, registry + "/"):
        raise _explain_part("registry", text, 0, len(registry))

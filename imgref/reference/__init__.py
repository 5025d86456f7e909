"""Image references: parses a string into a registry, a path, a tag and a digest, as Docker does."""

from __future__ import annotations

from typing import Final

from imgref._grammar import IMAGE_ID, PATH_MAX, REFERENCE, TAG, is_a
from imgref.errors import InvalidReference
from imgref.reference._image_reference import (
    ALIAS,
    DEFAULT_REGISTRY,
    DEFAULT_TAG,
    OFFICIAL,
    ImageReference,
    check_registry,
    explain_part,
    new,
    set_parts,
    written,
)

__all__ = ["DEFAULT_REGISTRY", "DEFAULT_TAG", "ImageReference", "canonical", "left_out", "mirrored", "parse"]

# Fleets repeat themselves: the same few images in hundreds of manifests. Both bounds keep a stream of distinct
# or of huge strings from growing the process.
_CACHE_ENTRIES: Final = 4096
_CACHE_TEXT: Final = 512
_cache: dict[str, ImageReference] = {}

_match = REFERENCE.fullmatch


def _explained(text: str, default_registry: str = DEFAULT_REGISTRY) -> InvalidReference:
    """Return why a string is not a valid reference; the explanation is loaded only if it is needed."""
    from imgref.reference._explain import explain

    return explain(text, default_registry)


def parse(
    text: str, *, default_registry: str = DEFAULT_REGISTRY, default_tag: str | None = DEFAULT_TAG
) -> ImageReference:
    """Read an image reference and fill in what it leaves out.

    Args:
        text: the reference, as one would write it after ``docker pull``.
        default_registry: the registry of a reference without one. ``library/`` belongs to ``docker.io`` only.
        default_tag: the tag of a reference with neither tag nor digest; None adds none.

    Raises:
        InvalidReference: the reference, or a default, is not valid; with the position, the
            reason, and a suggestion.

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
        ref = new(ImageReference)
        set_parts(ref, _parts(text, DEFAULT_REGISTRY, DEFAULT_TAG))
        if len(_cache) >= _CACHE_ENTRIES:
            _cache.clear()
        if len(text) <= _CACHE_TEXT:
            _cache[text] = ref
        return ref
    if default_registry == ALIAS:
        default_registry = DEFAULT_REGISTRY
    check_registry(default_registry, default_registry)
    if default_tag is not None and not is_a(TAG, default_tag):
        raise explain_part("tag", default_tag, 0, len(default_tag))
    ref = new(ImageReference)
    set_parts(ref, _parts(text, default_registry, default_tag))
    return ref


def canonical(text: str) -> str:
    """Return ``str(parse(text))`` if nothing else is needed: it creates no value, and caches none.

    Raises:
        InvalidReference: as :func:`parse`.

    >>> canonical("diamol/golang")
    'docker.io/diamol/golang:latest'
    """
    return written(*_parts(text, DEFAULT_REGISTRY, DEFAULT_TAG))


def left_out(text: str) -> tuple[str, ...]:
    """Return which of ``registry`` and ``tag`` a valid reference omits; a digest counts as a tag.

    >>> left_out("diamol/golang"), left_out("localhost/app@sha256:" + 64 * "0")
    (('registry', 'tag'), ())
    """
    found = _match(text)
    if found is None:
        raise _explained(text)
    registry, _, tag, digest = found.groups()
    return ("registry",) * (registry is None) + ("tag",) * (tag is None and digest is None)


def _parts(text: str, default_registry: str, default_tag: str | None) -> tuple[str, str, str | None, str | None]:
    """Return registry, path, tag and digest of a reference."""
    found = _match(text)
    if found is None:
        raise _explained(text, default_registry)
    registry, path, tag, digest = found.groups()
    if registry is None:
        registry = default_registry
    elif registry == ALIAS:
        registry = DEFAULT_REGISTRY
    if registry == DEFAULT_REGISTRY and "/" not in path:
        path = OFFICIAL + path
    if len(path) > PATH_MAX:
        raise _explained(text, default_registry)
    if tag is None and digest is None:
        if len(text) == 64 and is_a(IMAGE_ID, text):
            raise _explained(text, default_registry)
        tag = default_tag
    return registry, path, tag, digest


def mirrored(ref: ImageReference, place: str) -> ImageReference:
    """Return the same image on another registry, below a prefix if there is one.

    Args:
        ref: the image.
        place: a registry, or a registry and a prefix: ``HOST`` or ``HOST/PREFIX``.

    Raises:
        InvalidReference: ``place`` is not valid, or the result is too long.

    >>> str(mirrored(parse("ubuntu"), "registry.local:5001/mirror"))
    'registry.local:5001/mirror/library/ubuntu:latest'
    """
    host, slash, prefix = place.partition("/")
    moved = ref.with_registry(host)
    return moved.with_path(f"{prefix}/{ref.path}") if slash else moved

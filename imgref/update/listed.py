"""The tags of a repository, each with the version and the variant that it names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from imgref.update.choose import version_of
from imgref.update.tag_parts import variant_of
from imgref.versions import Version, read_names

__all__ = ["ListedTag", "read_tags"]


class ListedTag(NamedTuple):
    """A tag of a repository.

    Attributes:
        name: the tag.
        version: the version that it names, without the variant, or None.
        variant: the variant that it names, empty for a plain version, or None.
    """

    name: str
    version: Version | None = None
    variant: str | None = None


def read_tags(names: Iterable[str], scheme: str = "semver") -> list[ListedTag]:
    """Return tags with the version and the variant that each names.

    Args:
        names: the tags.
        scheme: how versions are read: ``semver``, ``pep440`` or ``numeric``.

    >>> [(tag.name, tag.version and tag.version.text, tag.variant) for tag in read_tags(["1.2.3-alpine", "main"])]
    [('1.2.3-alpine', '1.2.3', 'alpine'), ('main', None, None)]
    """
    variants = {name: variant_of(name) for name in names}
    texts = {name: _without_variant(name) if variant else name for name, variant in variants.items()}
    read = read_names(dict.fromkeys(texts.values()), scheme)
    return [ListedTag(name, read.get(texts[name]), variant) for name, variant in variants.items()]


def _without_variant(name: str) -> str:
    version = version_of(name)
    return name if version is None else version.text

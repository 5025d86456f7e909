"""What an image reference offers besides its parts: its order, its formats, and reading it from other forms.

All of this is loaded when it is first used: parsing, which is most of what programs do, needs none of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from imgref.errors import InvalidReference
from imgref.reference._image_reference import ImageReference

__all__ = ["formatted", "from_dict", "order_key", "pydantic_schema", "tag_key"]

_FORMATS: Final = (
    "registry", "path", "account", "namespace", "name", "tag", "digest", "repository", "familiar",
)  # fmt: skip

_PRE: Final = r"[-_.]?(?:(?:dev|alpha|beta|rc|pre|preview|snapshot|nightly)(?![a-z])|[ab](?=\d+$))"
_PRERELEASE: Final = re.compile(_PRE, re.ASCII | re.IGNORECASE)
_VERSION: Final = re.compile(rf"v?(\d+(?:\.\d+)*)((?:{_PRE}|[-_.]).*)?", re.ASCII | re.IGNORECASE)
_PIECE: Final = re.compile(r"\d+|[^\d._-]+", re.ASCII)

_Key = tuple[object, ...]


def order_key(ref: ImageReference) -> tuple[str, str, _Key, str]:
    """Return what references are sorted by."""
    return ref.registry, ref.path, tag_key(ref.tag), ref.digest or ""


def tag_key(tag: str | None) -> _Key:
    """Return what the tags of a repository are sorted by: None, names, then versions in their order.

    Any tag that begins with a version counts as one. Pre-releases come before the version, variants after it.

    >>> sorted(["1.10", "1.9", "1.9-alpine", "1.9-rc.1", "latest"], key=tag_key)
    ['latest', '1.9-rc.1', '1.9', '1.9-alpine', '1.10']
    """
    if tag is None:
        return (0,)
    found = _VERSION.fullmatch(tag)
    if found is None:
        return (1, _pieces(tag), tag)
    rest = found[2] or ""
    stage = 1 if not rest else 0 if _PRERELEASE.match(rest) else 2
    return (2, tuple(map(int, found[1].split("."))), stage, _pieces(rest), tag)


def _pieces(text: str) -> tuple[tuple[int, int | str], ...]:
    """Split a string into words and numbers, so that ``rc.2`` comes before ``rc.10``."""
    return tuple((0, int(piece)) if piece.isdigit() else (1, piece) for piece in _PIECE.findall(text))


def formatted(ref: ImageReference, spec: str) -> str:
    """Return a reference as :meth:`ImageReference.__format__` documents."""
    form, _, rest = spec.partition(":")
    value, rest = (getattr(ref, form) or "", rest) if form in _FORMATS else (str(ref), spec)
    try:
        return format(value, rest)
    except ValueError as error:
        names = ", ".join(_FORMATS)
        reason = f"invalid format {spec!r} of an ImageReference: use a width, as in '<60', or one of {names}"
        raise ValueError(reason) from error


_PARTS: Final = ("registry", "account", "name", "tag", "digest")
_OF_THE_TEXT: Final = frozenset({"input", "defaulted"})
"""What the command adds, about the string that it has read."""


def from_dict(parts: Mapping[str, object]) -> ImageReference:
    """Return a reference as :meth:`ImageReference.from_dict` documents."""
    text = str(parts.get("reference", ""))
    values: dict[str, str | None] = {}
    for key in _PARTS:
        value = parts.get(key)
        if not isinstance(value, str) and (value is not None or key in {"registry", "name"}):
            what = f"must be a string, not {type(value).__name__}" if key in parts else "is missing"
            raise _refused(text, f"the key {key!r} {what}")
        values[key] = value
    ref = ImageReference(**values)  # type: ignore[arg-type]  # neither of the two is None
    known = ref.to_dict()
    for key, value in parts.items():
        if key in known and known[key] != value:
            raise _refused(text, f"the key {key!r} contradicts the other keys, which mean {known[key]!r}")
        if key not in known and key not in _OF_THE_TEXT:
            raise _refused(text, f"the key {key!r} is unknown; the keys are {', '.join(known)}")
    return ref


def _refused(text: str, reason: str) -> InvalidReference:
    return InvalidReference(text, (0, len(text)), reason)


def pydantic_schema(cls: type, read: Callable[[str], object]) -> object:
    """Return the schema of a value that pydantic reads from a string, and writes as one."""
    from pydantic_core import core_schema

    from_text = core_schema.no_info_after_validator_function(read, core_schema.str_schema(strict=True))
    return core_schema.json_or_python_schema(
        json_schema=from_text,
        python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), from_text]),
        serialization=core_schema.to_string_ser_schema(),
    )

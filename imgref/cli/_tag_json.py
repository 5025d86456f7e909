"""Reads a list of tags that is JSON: of the tags API, of other tools that are known, or a plain array."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from imgref._grammar import TAG, is_a
from imgref.errors import InvalidReference, quote
from imgref.reference import ImageReference, parse

__all__ = ["NotAList", "json_names"]

_SHAPES: Final = (
    (("tags", "name"), {"tags", "name", "child", "manifest"}),
    (("Tags", "Repository"), {"Tags", "Repository"}),
)
"""The key of the list and that of the repository, and all keys that there may be: of the tags API (with what
Google's registries add to it) and of ``skopeo list-tags``."""


class NotAList(ValueError):
    """JSON that is not a list of the tags of the repository, with the reason and, if it is not valid, the line."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason, line)
        self.reason = reason
        self.line = line


def json_names(text: str, images: Sequence[ImageReference]) -> tuple[list[str], bool]:
    """Read the tags in a JSON document.

    Args:
        text: the document.
        images: the repositories whose tags are listed, if they are known.

    Returns:
        the tags, and whether they are certainly those of a registry.

    Raises:
        NotAList: it is not JSON, not a list of tags, or that of another repository.
    """
    try:
        document = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise NotAList(f"not valid JSON ({error.msg})", error.lineno) from None
    except NotAList:
        raise
    except (ValueError, RecursionError):
        raise NotAList("JSON with a number that is too long, or nested too deeply") from None
    if isinstance(document, dict):
        return _of_object(document, images), True
    if document and all(isinstance(item, dict) for item in document):
        return [tag for item in document for tag in _of_listed(item, images)], True
    return _tags(document), False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotAList("JSON with a key that occurs twice")
    return found


def _of_object(document: dict[str, Any], images: Sequence[ImageReference]) -> list[str]:
    for (listed, named), allowed in _SHAPES:
        if listed in document and document.keys() <= allowed:
            name = document.get(named)
            if not (name is None or isinstance(name, str)):
                raise NotAList(f"JSON in which {named!r} is not a string")
            if name is not None and images and not any(_is_of(name, image) for image in images):
                raise NotAList(f"the tags of {quote(name)}, which is not the repository of --image")
            return [] if document[listed] is None else _tags(document[listed])
    keys = ", ".join(map(quote, list(document)[:5])) or "none"
    raise NotAList(f"JSON of another kind than the tags API (its keys: {keys})")


def _is_of(name: str, image: ImageReference) -> bool:
    """Whether a registry may call a repository so; pull-through caches add to the path, or omit its beginning."""
    try:
        full = parse(name, default_tag=None).repository
    except InvalidReference:
        full = ""
    if full == image.repository:
        return True
    return f"/{name}".endswith(f"/{image.path}") or f"/{image.path}".endswith(f"/{name}")


def _of_listed(item: dict[str, Any], images: Sequence[ImageReference]) -> list[str]:
    """Read an entry of ``imgref ls --format json``; with ``--long``, it has further tags of the same image."""
    tag, reference = item.get("tag"), item.get("reference")
    if not isinstance(tag, str) or not isinstance(reference, str):
        raise NotAList("JSON of another kind than that of imgref ls")
    try:
        ref = parse(reference, default_tag=None)
    except InvalidReference as error:
        raise NotAList(f"{error}") from None
    if ref.tag != tag or (images and ref.repository not in {image.repository for image in images}):
        raise NotAList(f"{quote(reference)} is a reference of another repository than --image")
    return [tag, *_tags(item.get("aliases", []))]


def _tags(listed: object) -> list[str]:
    if not isinstance(listed, list):
        raise NotAList("JSON in which the tags are not a list")
    for tag in listed:
        if not isinstance(tag, str) or not is_a(TAG, tag):
            raise NotAList(f"{quote(tag) if isinstance(tag, str) else repr(tag)[:80]} in the JSON is not a valid tag")
    return listed

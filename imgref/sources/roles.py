"""Classifies strings: whether one is a reference, or a template that is not rendered yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgref.errors import InvalidReference
from imgref.reference import parse

if TYPE_CHECKING:
    from imgref.sources.occurrence import Role

__all__ = ["is_source", "is_template", "role_of"]


def is_source(text: str) -> bool:
    """Return whether a string names a package of Go that ko builds, instead of an image: https://ko.build."""
    return text.startswith("ko://")


def is_template(text: str) -> bool:
    """Return whether a string is a template that is not rendered yet."""
    return "{{" in text or "{%" in text


def role_of(text: str) -> Role:
    """Return whether a string is a reference.

    >>> role_of("nginx"), role_of("NGINX")
    ('external', 'invalid')
    """
    try:
        parse(text)
    except InvalidReference:
        return "invalid"
    return "external"

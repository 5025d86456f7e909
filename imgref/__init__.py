"""What a container image reference means, which tags a release should carry, and whether images can be trusted.

>>> import imgref
>>> str(imgref.parse("diamol/golang"))
'docker.io/diamol/golang:latest'

The modules, in the order in which to read them:

- :mod:`imgref.errors`: every error, and what it carries
- :mod:`imgref.reference`: :func:`parse` and :class:`ImageReference`

The public names below are loaded when they are first used, so that ``import imgref`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

__version__ = "0.1.0"

if TYPE_CHECKING:
    from imgref.errors import (
        ArchiveError,
        AuthenticationError,
        ConfigError,
        ImgrefError,
        InvalidReference,
        InvalidTag,
        InvalidVersion,
        NotFound,
        RateLimited,
        RegistryError,
        RegistryUnavailable,
        TagConflict,
    )
    from imgref.reference import ImageReference, parse

__all__ = [
    "ArchiveError",
    "AuthenticationError",
    "ConfigError",
    "ImageReference",
    "ImgrefError",
    "InvalidReference",
    "InvalidTag",
    "InvalidVersion",
    "NotFound",
    "RateLimited",
    "RegistryError",
    "RegistryUnavailable",
    "TagConflict",
    "parse",
]

_HOMES: Final = {
    "reference": ("ImageReference", "parse"),
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'imgref' has no attribute {name!r}")
    from importlib import import_module

    home = next((module for module, names in _HOMES.items() if name in names), "errors")
    value: object = getattr(import_module(f"imgref.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""What a container image reference means, which tags a release should carry, and whether images can be trusted.

>>> import imgref
>>> str(imgref.parse("diamol/golang"))
'docker.io/diamol/golang:latest'
>>> imgref.derive_tags("1.9.1", existing=["2.0.1", "1.9.0"])
('1.9.1', '1.9', '1')

The modules, in the order in which to read them:

- :mod:`imgref.errors`: every error, and what it carries
- :mod:`imgref.reference`: :func:`parse` and :class:`ImageReference`
- :mod:`imgref.versions`: the version schemes: SemVer, PEP 440, numeric
- :mod:`imgref.tags`: :func:`plan_tags`, which tags to push, which are held back, and why
- :mod:`imgref.ci`: what the CI environment says of this build, and the tags that it should have
- :mod:`imgref.config`: settings files
- :mod:`imgref.check`: image references in files, judged by a policy
- :mod:`imgref.archive`: images on disk
- :mod:`imgref.registry`: a client for registries, moving images, releases
- :mod:`imgref.cli`: the commands, one a module, and what draws
- :mod:`imgref.archive`: images on disk: OCI layouts and ``docker save``
- :mod:`imgref.registry`: registries: looking, retagging, moving images, releasing versions

The public names below are loaded when they are first used, so that ``import imgref`` costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing takes longer than everything else here

__version__ = "0.1.0"

if TYPE_CHECKING:
    from typing import Final

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
        UnknownBuild,
        UnreliableTagList,
    )
    from imgref.reference import ImageReference, parse
    from imgref.tags import ExistingTags, HeldTag, TagPlan, TagPolicy, derive_tags, plan_tags, sanitize_tag

__all__ = [
    "ArchiveError",
    "AuthenticationError",
    "ConfigError",
    "ExistingTags",
    "HeldTag",
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
    "TagPlan",
    "TagPolicy",
    "UnknownBuild",
    "UnreliableTagList",
    "derive_tags",
    "parse",
    "plan_tags",
    "sanitize_tag",
]

_HOMES: Final = {
    "reference": ("ImageReference", "parse"),
    "tags": ("ExistingTags", "HeldTag", "TagPlan", "TagPolicy", "derive_tags", "plan_tags", "sanitize_tag"),
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

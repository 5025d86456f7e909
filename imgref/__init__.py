"""What a container image reference means, which tags a release should carry, and whether images can be trusted.

>>> import imgref
>>> str(imgref.parse("diamol/golang"))
'docker.io/diamol/golang:latest'
>>> imgref.derive_tags("1.9.1", existing=["2.0.1", "1.9.0"])
('1.9.1', '1.9', '1')

Everything public can be imported from one of these:

- :mod:`imgref`: references, repositories, versions, tag plans, and every error
- :mod:`imgref.sources`: image references in files, with their exact positions
- :mod:`imgref.inventory`: the images that files use, and what is built on what
- :mod:`imgref.check`: checks image references in files by a policy
- :mod:`imgref.registry`: a client for registries; moves images, and releases versions
- :mod:`imgref.archive`: images on disk
- :mod:`imgref.ci`: what the CI environment reports about this build, and the tags for it

The public names below are loaded when they are first used, so that ``import imgref`` costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing takes longer than everything else here

__version__ = "0.1.0"

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
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
    from imgref.platforms import Platform
    from imgref.reference import ImageReference, parse
    from imgref.repository import Repository
    from imgref.tags import ExistingTags, HeldTag, TagPlan, TagPolicy, derive_tags, plan_tags, sanitize_tag
    from imgref.versions import Version, VersionRange, read_version

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
    "Platform",
    "RateLimited",
    "RegistryError",
    "RegistryUnavailable",
    "Repository",
    "TagConflict",
    "TagPlan",
    "TagPolicy",
    "UnknownBuild",
    "UnreliableTagList",
    "Version",
    "VersionRange",
    "derive_tags",
    "parse",
    "plan_tags",
    "read_version",
    "sanitize_tag",
]

_MODULES: Final = {
    "errors": (
        "ArchiveError", "AuthenticationError", "ConfigError", "ImgrefError", "InvalidReference", "InvalidTag",
        "InvalidVersion", "NotFound", "RateLimited", "RegistryError", "RegistryUnavailable", "TagConflict",
        "UnknownBuild", "UnreliableTagList",
    ),
    "platforms": ("Platform",),
    "reference": ("ImageReference", "parse"),
    "repository": ("Repository",),
    "tags": ("ExistingTags", "HeldTag", "TagPlan", "TagPolicy", "derive_tags", "plan_tags", "sanitize_tag"),
    "versions": ("Version", "VersionRange", "read_version"),
}  # fmt: skip


def _lazily(
    package: str, modules: Mapping[str, tuple[str, ...]]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package that loads its public names when they are first used.

    Type checkers must not see them, so that a name that does not exist is an error there, too.

    Args:
        package: the name of the package.
        modules: its modules, each with the public names that it defines.
    """
    homes = {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module

        module = import_module(package)
        value: object = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(module, name, value)
        return value

    def names() -> list[str]:
        from importlib import import_module

        return sorted({*vars(import_module(package)), *homes})

    return load, names


if not TYPE_CHECKING:
    __getattr__, __dir__ = _lazily(__name__, _MODULES)

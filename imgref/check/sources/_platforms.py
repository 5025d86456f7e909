"""The ARGs that BuildKit predefines: https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope."""

from __future__ import annotations

from typing import Final

__all__ = ["platform_variables"]

_ARCHITECTURES: Final = {
    "aarch64": ("arm64", ""),
    "armel": ("arm", "v6"),
    "armhf": ("arm", "v7"),
    "i386": ("386", ""),
    "x86-64": ("amd64", ""),
    "x86_64": ("amd64", ""),
}
_DEFAULT_VARIANTS: Final = {("amd64", "v1"): "", ("arm64", "v8"): "", ("arm", ""): "v7"}


def platform_variables(platform: str) -> dict[str, str]:
    """Give the values that the platform ARGs have for ``platform``; the builder's are the same.

    >>> values = platform_variables("linux/arm")
    >>> values["TARGETPLATFORM"], values["TARGETVARIANT"], platform_variables("linux/amd64")["TARGETVARIANT"]
    ('linux/arm/v7', 'v7', '')
    """
    system, _, rest = platform.lower().partition("/")
    if not rest:
        system, rest = "linux", system
    architecture, _, variant = rest.partition("/")
    architecture, implied = _ARCHITECTURES.get(architecture, (architecture, ""))
    variant = variant or implied
    if variant[:1].isdigit():
        variant = f"v{variant}"
    variant = _DEFAULT_VARIANTS.get((architecture, variant), variant)
    parts = {
        "PLATFORM": "/".join(part for part in (system, architecture, variant) if part),
        "OS": system,
        "OSVERSION": "",
        "ARCH": architecture,
        "VARIANT": variant,
    }
    return {side + part: value for side in ("TARGET", "BUILD") for part, value in parts.items()}

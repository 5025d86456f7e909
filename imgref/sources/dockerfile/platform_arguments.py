"""The ARGs that BuildKit predefines: https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope."""

from __future__ import annotations

from imgref.platforms import Platform

__all__ = ["platform_variables"]


def platform_variables(platform: str) -> dict[str, str]:
    """Return the values that the platform ARGs have for ``platform``; the builder's are the same.

    >>> values = platform_variables("linux/arm")
    >>> values["TARGETPLATFORM"], values["TARGETVARIANT"], platform_variables("linux/amd64")["TARGETVARIANT"]
    ('linux/arm/v7', 'v7', '')
    """
    normalized = Platform.parse(platform).normalized
    parts = {
        "PLATFORM": str(normalized),
        "OS": normalized.os,
        "OSVERSION": normalized.os_version,
        "ARCH": normalized.architecture,
        "VARIANT": normalized.variant,
    }
    return {side + part: value for side in ("TARGET", "BUILD") for part, value in parts.items()}

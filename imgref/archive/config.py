"""The configuration of an image: how it runs, what it was built for, and when.

https://github.com/opencontainers/image-spec/blob/main/config.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from imgref.platforms import Platform

__all__ = ["ImageConfig", "read_time"]

_FIRST_YEAR: Final = 2000
"""Reproducible builds write a time long before the first image, such as 1970 or 1980."""


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The configuration of an image; what it lacks is empty or None.

    Attributes:
        platform: the platform that the image is for.
        created: when it was built, according to its publisher; None if that is missing, or before 2000.
        user: the user that runs in it.
        working_dir: the directory that commands start in.
        env: the environment, each variable as ``NAME=value``.
        entrypoint: the program, with its first arguments.
        command: the default arguments, or the program if there is no entrypoint.
        exposed_ports: the ports that it listens on, such as ``80/tcp``.
        volumes: the directories that are volumes.
        stop_signal: the signal that ends it.
        labels: its labels.

    >>> ImageConfig.read({"os": "linux", "architecture": "arm64", "config": {"Cmd": ["sh"]}}).command
    ('sh',)
    """

    platform: Platform | None = None
    created: datetime | None = None
    user: str = ""
    working_dir: str = ""
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def read(cls, data: Mapping[str, object]) -> ImageConfig:
        """Read a configuration; values of another type than the specification's count as missing.

        Args:
            data: the document, which is empty for an index and for artifacts that are not images.
        """
        found = data.get("config")
        settings: Mapping[str, object] = found if isinstance(found, dict) else {}
        labels = settings.get("Labels")
        return cls(
            _platform(data),
            read_time(data.get("created")),
            _string(settings.get("User")),
            _string(settings.get("WorkingDir")),
            _strings(settings.get("Env")),
            _strings(settings.get("Entrypoint")),
            _strings(settings.get("Cmd")),
            _keys(settings.get("ExposedPorts")),
            _keys(settings.get("Volumes")),
            _string(settings.get("StopSignal")),
            {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {},
        )


def read_time(value: object) -> datetime | None:
    """Return a time of :rfc:`3339` in UTC, or None if it is not one, or before 2000.

    >>> print(read_time("2024-01-31T12:00:00.123456789+02:00"))
    2024-01-31 10:00:00.123456+00:00
    >>> print(read_time("1970-01-01T00:00:00Z"), read_time("yesterday"), read_time(None))
    None None None
    """
    if not isinstance(value, str) or "T" not in value.upper():
        return None
    try:
        time = datetime.fromisoformat(value)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return time if time.year >= _FIRST_YEAR else None


def _platform(data: Mapping[str, object]) -> Platform | None:
    system, architecture, variant = (_string(data.get(key)) for key in ("os", "architecture", "variant"))
    return Platform(system, architecture, variant, _string(data.get("os.version"))) if system and architecture else None


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _strings(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _keys(value: object) -> tuple[str, ...]:
    return tuple(sorted(map(str, value))) if isinstance(value, dict) else ()

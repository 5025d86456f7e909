"""Where Docker and the tools of containers keep their settings."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from imgref._utils.directories import config_home

__all__ = ["containers_files", "docker_files", "is_readable"]


def docker_files(environ: Mapping[str, str], root: Path) -> tuple[Path, Path]:
    """Return the settings of the Docker daemon: the system's, and the user's own in rootless mode."""
    return root / "etc/docker/daemon.json", config_home(environ) / "docker/daemon.json"


def containers_files(environ: Mapping[str, str], root: Path) -> Iterator[Path]:
    """Yield the files in which containers' tools look: one main file, and every file beside it.

    https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md
    """
    named = environ.get("CONTAINERS_REGISTRIES_CONF") or environ.get("REGISTRIES_CONFIG_PATH")
    if named:
        yield Path(named)
        return
    system, own = root / "etc/containers", config_home(environ) / "containers"
    main = own / "registries.conf"
    yield main if is_readable(main) else system / "registries.conf"
    for base in (system, own):
        yield from sorted((base / "registries.conf.d").glob("*.conf"))


def is_readable(path: Path) -> bool:
    """Return whether a container engine's file can be read; a file that only root may read is skipped."""
    return os.access(path, os.R_OK) and path.is_file()

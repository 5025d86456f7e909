"""Where a user's files are: https://specifications.freedesktop.org/basedir-spec/latest/.

A path that is not absolute would be in the working directory, where others may write; the specification requires to
ignore it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["cache_home", "config_home", "home_of"]


def home_of(environ: Mapping[str, str]) -> Path:
    """Return the home directory, absolute in any case."""
    home = Path(environ.get("HOME", ""))
    if home.is_absolute():
        return home
    try:
        return Path.home().absolute()
    except RuntimeError:
        return Path("/")


def config_home(environ: Mapping[str, str]) -> Path:
    """Return the directory for settings.

    >>> config_home({"HOME": "/home/ada", "XDG_CONFIG_HOME": "relative"})
    PosixPath('/home/ada/.config')
    """
    return _directory(environ, "XDG_CONFIG_HOME", ".config")


def cache_home(environ: Mapping[str, str]) -> Path:
    """Return the directory for what can be made again.

    >>> cache_home({"XDG_CACHE_HOME": "/var/cache/ada"})
    PosixPath('/var/cache/ada')
    """
    return _directory(environ, "XDG_CACHE_HOME", ".cache")


def _directory(environ: Mapping[str, str], name: str, usual: str) -> Path:
    named = Path(environ.get(name, ""))
    return named if named.is_absolute() else home_of(environ) / usual

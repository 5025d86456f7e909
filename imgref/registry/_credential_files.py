"""The credentials in Docker's ``config.json`` and containers' ``auth.json``."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, cast

from imgref.errors import ConfigError
from imgref.hosts import DOCKER_HUB, is_docker_hub
from imgref.registry._settings_files import line_of
from imgref.registry.credential import Credential

__all__ = [
    "DOCKER_HUB_KEY",
    "TOKEN_USER",
    "auths_of",
    "find_entry",
    "helper_for",
    "helpers_of",
    "registry_of",
    "server_key",
]

DOCKER_HUB_KEY: Final = "https://index.docker.io/v1/"
"""What Docker calls its own registry in its settings and to its helpers."""

TOKEN_USER: Final = "<token>"  # noqa: S105 - the user name with which helpers mark an identity token


def server_key(registry: str) -> str:
    """Return the key of a registry in the files and for helpers."""
    return DOCKER_HUB_KEY if registry == DOCKER_HUB else registry


def registry_of(key: str) -> str:
    """Return the registry, or the namespace, that a key means: without scheme and version of the API.

    >>> [registry_of(key) for key in ("https://index.docker.io/v1/", "http://r.example:5000/v2/", "r.example/team")]
    ['docker.io', 'r.example:5000', 'r.example/team']
    """
    plain = re.sub("https?://", "", key, count=1).rstrip("/")
    if (versioned := re.fullmatch("([^/]+)/v[12]", plain)) is not None:
        plain = versioned[1]
    host, slash, path = plain.partition("/")
    return (DOCKER_HUB if is_docker_hub(host) else host) + slash + path


def auths_of(settings: Mapping[str, object], path: Path) -> dict[str, dict[str, object]]:
    """Return the entries of ``auths``."""
    auths = settings.get("auths")
    if auths is None:
        return {}
    if not isinstance(auths, dict):
        raise ConfigError("auths must be an object", str(path), line_of(path, '"auths"'))
    for key, entry in auths.items():
        if not isinstance(entry, dict):
            raise ConfigError(f"the entry of auths for {key!r} must be an object", str(path), line_of(path, f'"{key}"'))
    return cast("dict[str, dict[str, object]]", auths)


def find_entry(auths: Mapping[str, dict[str, object]], registry: str, path: str, file: Path) -> Credential | None:
    """Find the entry with the longest path that applies to the repository."""
    plain = {registry_of(key): key for key in reversed(list(auths))}
    place = f"{registry}/{path}".rstrip("/")
    while place:
        if place in plain and (found := _entry(plain[place], auths[plain[place]], file)):
            return found
        place = place.rpartition("/")[0]
    return None


def _entry(key: str, entry: Mapping[str, object], file: Path) -> Credential | None:
    def value(name: str) -> str:
        said = entry.get(name)
        return said if isinstance(said, str) else ""

    username, password = value("username"), value("password")
    if value("auth"):
        try:
            username, colon, password = base64.b64decode(value("auth"), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            colon = ""
        if not colon:
            reason = f"auth of {key!r} must be user:password in base64; log in again, or take it out"
            raise ConfigError(reason, str(file), line_of(file, f'"{key}"'))
        password = password.rstrip("\0")
    if token := value("identitytoken"):
        return Credential(username or TOKEN_USER, token, "identity-token", str(file))
    if token := value("registrytoken"):
        return Credential(username or TOKEN_USER, token, "registry-token", str(file))
    return Credential(username, password, source=str(file)) if username and password else None


def helpers_of(settings: Mapping[str, object], path: Path) -> Iterator[tuple[str | None, str]]:
    """Yield each helper with the host that it is for; None for the one that keeps all others."""
    helpers = settings.get("credHelpers") or {}
    if not isinstance(helpers, dict):
        raise ConfigError("credHelpers must be an object", str(path), line_of(path, '"credHelpers"'))
    store = settings.get("credsStore")
    for host, name in (*helpers.items(), *([(None, store)] if store else [])):
        # The name becomes part of a program's name, so it must not contain a path.
        if not isinstance(name, str) or not re.fullmatch(r"[\w.-]*", name, re.ASCII):
            raise ConfigError(f"{name!r} is not a credential helper", str(path), line_of(path, str(name)))
        yield host, name


def helper_for(settings: Mapping[str, object], registry: str, path: Path) -> str:
    """Return the helper for a registry; empty where none is configured, or where this host is excepted by ``""``."""
    kept = ""
    for host, name in helpers_of(settings, path):
        if host is None:
            kept = name
        elif registry_of(host) == registry:
            return name
    return kept

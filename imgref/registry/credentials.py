"""Credentials: from the environment, Docker's settings, its credential helpers, and those of containers' tools.

They are read where other tools keep them, in a fixed order, and stored where Docker would store them. A secret is in
no ``repr``, and in no error.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path
from threading import RLock
from typing import Final

from imgref._utils.directories import config_home, home_of
from imgref.archive.manifest import read_json as read_json_object
from imgref.errors import ConfigError
from imgref.registry._credential_files import (
    TOKEN_USER,
    auths_of,
    find_entry,
    helper_for,
    helpers_of,
    registry_of,
    server_key,
)
from imgref.registry._settings_files import line_of, read_json, settings_lock, write_private
from imgref.registry.credential import Credential, Kind, refused

__all__ = ["Credential", "Credentials", "refused"]

_HELPER_SECONDS: Final = 120.0


class Credentials:
    """Finds, stores and erases credentials.

    The first source that knows the registry wins: ``IMGREF_USERNAME`` and ``IMGREF_PASSWORD`` for the registry in
    ``IMGREF_REGISTRY``; Docker's ``config.json``; the file that ``REGISTRY_AUTH_FILE`` names; containers'
    ``auth.json``. Nothing is read before it is needed.

    Args:
        environ: the environment.

    >>> Credentials({"HOME": "/nowhere", "IMGREF_REGISTRY": "r.example", "IMGREF_USERNAME": "ada",
    ...     "IMGREF_PASSWORD": "s3cret"}).find("r.example")
    Credential(username='ada', kind='password', source='IMGREF_USERNAME')
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._found: dict[tuple[str, str], Credential | None] = {}
        self._lock = RLock()
        self.docker_config = Path(environ.get("DOCKER_CONFIG") or home_of(environ) / ".docker") / "config.json"
        """The file in which Docker keeps credentials, and so does :meth:`store`."""
        named, runtime = environ.get("REGISTRY_AUTH_FILE"), environ.get("XDG_RUNTIME_DIR")
        self._auth_files = [
            *([Path(named)] if named else []),
            *([Path(runtime) / "containers/auth.json"] if runtime else []),
            config_home(environ) / "containers/auth.json",
        ]

    @property
    def files(self) -> list[Path]:
        """The files that are there to be read."""
        return [path for path in (self.docker_config, *self._auth_files) if os.path.isfile(path)]

    def find(self, registry: str, path: str = "") -> Credential | None:
        """Return the credential for a registry, or None.

        Args:
            registry: host, with its port where it has one; a credential for another port is for another registry.
            path: the repository; a credential that is kept for it, or for its namespace, comes before the host's.

        Raises:
            ConfigError: a file is corrupt, or a credential helper is missing or fails.
        """
        with self._lock:
            key = (registry, path)
            if key not in self._found:
                self._found[key] = self._find(registry, path)
            return self._found[key]

    def known(self) -> list[tuple[str, str]]:
        """Return every registry (or namespace) for which there is a credential, with its source; never a secret.

        Raises:
            ConfigError: a file is corrupt, or a credential helper is missing or fails.
        """
        known = [(registry_of(self._environ["IMGREF_REGISTRY"]), "IMGREF_USERNAME")] if self._from_environment() else []
        for path in self.files:
            settings = read_json(path) or {}
            # A helper's hosts are in `auths` as well, with nothing in them.
            known += [(registry_of(key), str(path)) for key, entry in auths_of(settings, path).items() if entry]
            for host, helper in helpers_of(settings, path):
                if host is not None:
                    known.append((registry_of(host), f"docker-credential-{helper}"))
                else:
                    known += [
                        (registry_of(key), f"docker-credential-{helper}") for key in self._ask(helper, "list", "", path)
                    ]
        return list(dict.fromkeys(known))

    def store(self, registry: str, username: str, password: str) -> str:
        """Keep a credential as Docker does: with the helper that is configured, else in ``auths``.

        Returns:
            where it is kept now.

        Raises:
            ConfigError: the settings are corrupt (and stay as they are) or cannot be written, or the helper fails.
        """
        path = self.docker_config
        settings = read_json(path) or {}
        auths_of(settings, path)
        key = server_key(registry)
        helper = helper_for(settings, registry, path)
        if helper:
            self._ask(helper, "store", json.dumps({"ServerURL": key, "Username": username, "Secret": password}), path)
            entry: dict[str, object] = {}
        else:
            entry = {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}
        with settings_lock(path):
            # Read again: another login may have written meanwhile, for example while the helper asked for a passphrase.
            settings = read_json(path) or {}
            auths = auths_of(settings, path)
            if auths.get(key) != entry:
                settings["auths"] = {**auths, key: entry}
                _write(path, settings)
        self._found.clear()
        return f"docker-credential-{helper}" if helper else str(path)

    def erase(self, registry: str) -> list[str]:
        """Forget what :meth:`store`, or ``docker login``, keeps for a registry.

        Returns:
            from where something was erased; empty where there was nothing.

        Raises:
            ConfigError: the settings are corrupt (and stay as they are) or cannot be written, or the helper fails.
        """
        path = self.docker_config
        settings = read_json(path)
        if settings is None:
            return []
        erased = []
        helper = helper_for(settings, registry, path)
        if helper and self._get(helper, registry, path):
            self._ask(helper, "erase", server_key(registry), path)
            erased.append(f"docker-credential-{helper}")
        if any(registry_of(key) == registry for key in auths_of(settings, path)):
            erased += self._erase_entry(registry, path)
        self._found.clear()
        return erased

    def _erase_entry(self, registry: str, path: Path) -> list[str]:
        with settings_lock(path):
            settings = read_json(path) or {}
            auths = auths_of(settings, path)
            kept = {key: entry for key, entry in auths.items() if registry_of(key) != registry}
            settings["auths"] = kept
            _write(path, settings)
        return [str(path)] if any(auths[key] for key in auths.keys() - kept.keys()) else []

    def _find(self, registry: str, path: str) -> Credential | None:
        given = self._from_environment()
        if given is not None and registry_of(self._environ["IMGREF_REGISTRY"]) == registry:
            return given
        for file in (self.docker_config, *self._auth_files):
            settings = read_json(file)
            if settings is None:
                continue
            helper = helper_for(settings, registry, file)
            found = self._get(helper, registry, file) if helper else None
            found = found or find_entry(auths_of(settings, file), registry, path, file)
            if found is not None:
                return found
        return None

    def _from_environment(self) -> Credential | None:
        username, password = self._environ.get("IMGREF_USERNAME"), self._environ.get("IMGREF_PASSWORD")
        if not username or not password:
            return None
        if not self._environ.get("IMGREF_REGISTRY"):
            reason = "is not set: IMGREF_USERNAME and IMGREF_PASSWORD need the registry that they are for"
            raise ConfigError(reason, "IMGREF_REGISTRY")
        return Credential(username, password, source="IMGREF_USERNAME")

    def _get(self, helper: str, registry: str, path: Path) -> Credential | None:
        answer = self._ask(helper, "get", server_key(registry), path)
        username, secret = answer.get("Username"), answer.get("Secret")
        if not isinstance(username, str) or not isinstance(secret, str) or not secret:
            return None
        kind: Kind = "identity-token" if username == TOKEN_USER else "password"
        return Credential(username, secret, kind, f"docker-credential-{helper}")

    def _ask(self, helper: str, action: str, text: str, path: Path) -> dict[str, object]:
        """Run a credential helper; what it does not know is an empty answer.

        https://github.com/docker/docker-credential-helpers#development
        """
        import shutil
        import subprocess

        program = f"docker-credential-{helper}"
        found = shutil.which(program, path=self._environ.get("PATH"))
        if found is None:
            raise ConfigError(f"{program} is configured here, but is not on PATH", str(path), line_of(path, helper))
        try:
            ran = subprocess.run(
                [found, action],
                input=text.encode(),
                capture_output=True,
                env=dict(self._environ),
                timeout=_HELPER_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            # Not chained: the cause has the input, and with it the secret.
            raise ConfigError(f"{program} {action} does not run, or does not end", str(path)) from None
        if ran.returncode != 0:
            if b"credentials not found" in ran.stdout + ran.stderr:
                return {}
            raise ConfigError(f"{program} {action} failed with exit code {ran.returncode}", str(path))
        if action not in ("get", "list"):
            return {}
        try:
            return read_json_object(ran.stdout)
        except ValueError:
            # Not chained: the cause has the output, and with it the secret.
            raise ConfigError(f"{program} {action} answered no JSON object", str(path)) from None


def _write(path: Path, settings: Mapping[str, object]) -> None:
    write_private(path, json.dumps(settings, indent="\t", ensure_ascii=False) + "\n")

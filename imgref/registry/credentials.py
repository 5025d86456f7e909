"""Credentials: from the environment, Docker's settings, its credential helpers, and those of containers' tools.

They are read where other tools keep them, in a fixed order, and stored where Docker would store them. A secret is in
no ``repr``, and in no error.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Final, Literal, cast

from imgref._utils.directories import config_home, home_of
from imgref.archive.manifest import read_json as read_json_object
from imgref.errors import AuthenticationError, ConfigError
from imgref.hosts import DOCKER_HUB, is_docker_hub
from imgref.registry._settings_files import line_of, read_json, settings_lock, write_private

__all__ = ["Credential", "Credentials", "refused"]

DOCKER_HUB_KEY: Final = "https://index.docker.io/v1/"
"""What Docker calls its own registry in its settings and to its helpers."""

_TOKEN_USER: Final = "<token>"  # noqa: S105 - a name by which helpers say that the secret is an identity token
_HELPER_SECONDS: Final = 120.0

Kind = Literal["password", "identity-token", "registry-token"]


@dataclass(frozen=True, slots=True)
class Credential:
    """A user name and its secret.

    Attributes:
        username: who it is for.
        secret: the password or token.
        kind: ``password``; ``identity-token``, which a token service exchanges; or ``registry-token``, which is
            sent to the registry as it is.
        source: where it was found, to be told in messages.

    >>> Credential("ada", "s3cret")
    Credential(username='ada', kind='password', source='')
    """

    username: str
    secret: str = field(repr=False)
    kind: Kind = "password"
    source: str = ""

    def basic(self) -> str:
        """Return the value of an ``Authorization`` header, as `RFC 7617 <https://www.rfc-editor.org/rfc/rfc7617>`_."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.secret}".encode()).decode()


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
        known = [(_plain(self._environ["IMGREF_REGISTRY"]), "IMGREF_USERNAME")] if self._from_environment() else []
        for path in self.files:
            settings = read_json(path) or {}
            # A helper's hosts are in `auths` as well, with nothing in them.
            known += [(_plain(key), str(path)) for key, entry in _auths(settings, path).items() if entry]
            for host, helper in _helpers(settings, path):
                if host is not None:
                    known.append((_plain(host), f"docker-credential-{helper}"))
                else:
                    known += [
                        (_plain(key), f"docker-credential-{helper}") for key in self._ask(helper, "list", "", path)
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
        _auths(settings, path)
        key = _key(registry)
        helper = _helper_for(settings, registry, path)
        if helper:
            self._ask(helper, "store", json.dumps({"ServerURL": key, "Username": username, "Secret": password}), path)
            entry: dict[str, object] = {}
        else:
            entry = {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}
        with settings_lock(path):
            # Read again: another login may have written meanwhile, perhaps while the helper asked for a passphrase.
            settings = read_json(path) or {}
            auths = _auths(settings, path)
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
        helper = _helper_for(settings, registry, path)
        if helper and self._get(helper, registry, path):
            self._ask(helper, "erase", _key(registry), path)
            erased.append(f"docker-credential-{helper}")
        if any(_plain(key) == registry for key in _auths(settings, path)):
            erased += self._erase_entry(registry, path)
        self._found.clear()
        return erased

    def _erase_entry(self, registry: str, path: Path) -> list[str]:
        with settings_lock(path):
            settings = read_json(path) or {}
            auths = _auths(settings, path)
            kept = {key: entry for key, entry in auths.items() if _plain(key) != registry}
            settings["auths"] = kept
            _write(path, settings)
        return [str(path)] if any(auths[key] for key in auths.keys() - kept.keys()) else []

    def _find(self, registry: str, path: str) -> Credential | None:
        given = self._from_environment()
        if given is not None and _plain(self._environ["IMGREF_REGISTRY"]) == registry:
            return given
        for file in (self.docker_config, *self._auth_files):
            settings = read_json(file)
            if settings is None:
                continue
            helper = _helper_for(settings, registry, file)
            found = self._get(helper, registry, file) if helper else None
            found = found or _from_auths(_auths(settings, file), registry, path, file)
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
        answer = self._ask(helper, "get", _key(registry), path)
        username, secret = answer.get("Username"), answer.get("Secret")
        if not isinstance(username, str) or not isinstance(secret, str) or not secret:
            return None
        kind: Kind = "identity-token" if username == _TOKEN_USER else "password"
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


def _key(registry: str) -> str:
    return DOCKER_HUB_KEY if registry == DOCKER_HUB else registry


def _plain(key: str) -> str:
    """Return the registry, or the namespace, that a key means: without scheme and version of the API.

    >>> _plain("https://index.docker.io/v1/"), _plain("http://r.example:5000/v2/"), _plain("r.example/team")
    ('docker.io', 'r.example:5000', 'r.example/team')
    """
    plain = re.sub("https?://", "", key, count=1).rstrip("/")
    if (versioned := re.fullmatch("([^/]+)/v[12]", plain)) is not None:
        plain = versioned[1]
    host, slash, path = plain.partition("/")
    return (DOCKER_HUB if is_docker_hub(host) else host) + slash + path


def _auths(settings: Mapping[str, object], path: Path) -> dict[str, dict[str, object]]:
    auths = settings.get("auths")
    if auths is None:
        return {}
    if not isinstance(auths, dict):
        raise ConfigError("auths must be an object", str(path), line_of(path, '"auths"'))
    for key, entry in auths.items():
        if not isinstance(entry, dict):
            raise ConfigError(f"the entry of auths for {key!r} must be an object", str(path), line_of(path, f'"{key}"'))
    return cast("dict[str, dict[str, object]]", auths)


def _from_auths(auths: Mapping[str, dict[str, object]], registry: str, path: str, file: Path) -> Credential | None:
    """Find the entry with the longest path that holds for the repository."""
    plain = {_plain(key): key for key in reversed(list(auths))}
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
        return Credential(username or _TOKEN_USER, token, "identity-token", str(file))
    if token := value("registrytoken"):
        return Credential(username or _TOKEN_USER, token, "registry-token", str(file))
    return Credential(username, password, source=str(file)) if username and password else None


def _helpers(settings: Mapping[str, object], path: Path) -> Iterator[tuple[str | None, str]]:
    """Yield each helper with the host that it is for; None for the one that keeps all others."""
    helpers = settings.get("credHelpers") or {}
    if not isinstance(helpers, dict):
        raise ConfigError("credHelpers must be an object", str(path), line_of(path, '"credHelpers"'))
    store = settings.get("credsStore")
    for host, name in (*helpers.items(), *([(None, store)] if store else [])):
        # The name becomes a part of a program's name: nothing that could lead out of PATH.
        if not isinstance(name, str) or not re.fullmatch(r"[\w.-]*", name, re.ASCII):
            raise ConfigError(f"{name!r} is not a credential helper", str(path), line_of(path, str(name)))
        yield host, name


def _helper_for(settings: Mapping[str, object], registry: str, path: Path) -> str:
    """Return the helper for a registry; empty where none is configured, or where this host is excepted by ``""``."""
    kept = ""
    for host, name in _helpers(settings, path):
        if host is None:
            kept = name
        elif _plain(host) == registry:
            return name
    return kept


def _write(path: Path, settings: Mapping[str, object]) -> None:
    write_private(path, json.dumps(settings, indent="\t", ensure_ascii=False) + "\n")


def refused(credential: Credential | None, registry: str, about: str) -> AuthenticationError:
    """Report that a registry did not take a credential, or wants one."""
    host = registry if about == registry else f"{about}: {registry}"
    if credential is None:
        return AuthenticationError(
            f"{host} requires authentication; imgref login {registry} stores credentials", status=401
        )
    reason = f"{host} does not accept the credentials of {credential.username!r} (from {credential.source})"
    return AuthenticationError(reason, status=401)

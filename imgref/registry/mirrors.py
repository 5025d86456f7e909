"""Where a reference is looked up: the mirrors that the user's container configuration names, then the origin.

Docker's ``daemon.json`` names mirrors of ``docker.io``. ``registries.conf`` of containers' tools names, for any prefix
of references, mirrors, another location, or that nothing may be pulled; the longest matching prefix applies.
https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md

This is about lookups only. What is published goes to the registry that its reference names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast, get_args
from urllib.parse import urlsplit

from imgref._grammar import REGISTRY, is_a
from imgref.errors import ConfigError, InvalidReference, RegistryError, quote
from imgref.hosts import split_host
from imgref.reference import DEFAULT_REGISTRY, ImageReference, parse
from imgref.registry._engine_files import containers_files, docker_files, is_readable
from imgref.registry._settings_files import LineFinder, line_of, read_json, read_toml

__all__ = ["Location", "Mirror", "Mirrors", "Namespace", "Pull"]

Pull = Literal["all", "digest-only", "tag-only"]
"""Which references a mirror is used for."""

_PULLS: Final[tuple[str, ...]] = get_args(Pull)
_MIRRORS: Final = "registry-mirrors"


@dataclass(frozen=True, slots=True)
class Mirror:
    """A copy of a registry, or of a part of it.

    Attributes:
        location: host and optional path, which replace the prefix of a reference.
        insecure: whether plain http and unverified https are allowed there.
        pull: which references it is used for.
        source: where it is configured.
    """

    location: str
    insecure: bool = False
    pull: Pull = "all"
    source: str = ""

    def serves(self, ref: ImageReference) -> bool:
        """Return whether the mirror is used for a reference; the tags of a repository count as a tag.

        >>> Mirror("mirror.example", pull="digest-only").serves(parse("nginx:1.27"))
        False
        """
        return self.pull == "all" or (self.pull == "digest-only") == (ref.digest is not None)


@dataclass(frozen=True, slots=True)
class Namespace:
    """The settings in ``registries.conf`` for references that begin with a prefix.

    Attributes:
        prefix: a host, a part of a reference that begins with one, or ``*.`` and a domain.
        location: what relines the prefix, or "" if references keep it.
        insecure: whether plain http and unverified https are allowed at the location.
        blocked: whether nothing may be pulled.
        mirrors: asked before the location, in this order.
        source: where it is configured.
    """

    prefix: str
    location: str = ""
    insecure: bool = False
    blocked: bool = False
    mirrors: tuple[Mirror, ...] = ()
    source: str = ""

    def match(self, ref: ImageReference) -> int | None:
        """Return how many characters of a reference the prefix covers, or None if it does not match.

        >>> [Namespace(prefix).match(parse("ghcr.io/acme/app:1")) for prefix in ("ghcr.io/acme", "*.io", "ghcr.io/ac")]
        [12, 7, None]
        """
        if self.prefix.startswith("*."):
            matches = split_host(ref.registry)[0].endswith(self.prefix[1:].lower())
            return len(ref.registry) if matches else None
        text = str(ref)
        following = text[len(self.prefix) :][:1]
        # Another port is another registry.
        separators = "/:@" if "/" in self.prefix else "/"
        matches = text.startswith(self.prefix) and (not following or following in separators)
        return len(self.prefix) if matches else None


@dataclass(frozen=True, slots=True)
class Location:
    """A location where a reference can be looked up.

    Attributes:
        ref: the reference to ask for, on the host to ask.
        is_mirror: whether it is a mirror, and so not the last word.
        insecure: whether plain http and unverified https are allowed.
        source: where it is configured; "" for the registry that the reference itself names.
    """

    ref: ImageReference
    is_mirror: bool = False
    insecure: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class Mirrors:
    """The mirrors and other locations that are configured.

    Attributes:
        hub: the mirrors of ``docker.io`` that Docker uses.
        namespaces: the settings of ``registries.conf``, each prefix once.
        files: the files that were read.

    >>> mirrors = Mirrors(hub=(Mirror("mirror.example:5000"),))
    >>> [str(location.ref) for location in mirrors.locations(parse("nginx:1.27"))]
    ['mirror.example:5000/library/nginx:1.27', 'docker.io/library/nginx:1.27']
    """

    hub: tuple[Mirror, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    files: tuple[Path, ...] = ()

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ, root: Path = Path("/")) -> Mirrors:
        """Read the mirrors from the settings of Docker and of containers' tools.

        Args:
            environ: the environment.
            root: where the system's files are.

        Raises:
            ConfigError: a settings file is corrupt, or names a mirror in a way that its own tools refuse.
        """
        files: list[Path] = []
        hub = [mirror for path in docker_files(environ, root) for mirror in _docker_mirrors(path, files)]
        # A later file replaces the settings of an earlier one for the same prefix.
        namespaces: dict[str, Namespace] = {}
        for path in containers_files(environ, root):
            namespaces |= {found.prefix: found for found in _containers_namespaces(path, files)}
        return cls(tuple(dict.fromkeys(hub)), tuple(namespaces.values()), tuple(files))

    def locations(self, ref: ImageReference) -> tuple[Location, ...]:
        """Return where to look up a reference: mirrors first, the origin last.

        Args:
            ref: the reference; without tag and digest, the repository itself, as for its list of tags.

        Raises:
            RegistryError: the configuration forbids to pull it.
            ConfigError: a location results in an invalid reference.
        """
        namespace, length = self._namespace(ref)
        if namespace is not None and namespace.blocked:
            raise RegistryError(f"{ref}: pulling from {namespace.prefix} is blocked in {namespace.source}")
        found = []
        if ref.registry == DEFAULT_REGISTRY:
            found += [_mirror_of(ref, mirror, len(DEFAULT_REGISTRY)) for mirror in self.hub]
        origin = Location(ref)
        if namespace is not None:
            found += [_mirror_of(ref, mirror, length) for mirror in namespace.mirrors if mirror.serves(ref)]
            place = _moved(ref, namespace.location, length, namespace.source) if namespace.location else ref
            origin = Location(place, insecure=namespace.insecure, source=namespace.source)
        unique = {location.ref: location for location in found if location.ref != origin.ref}
        return (*unique.values(), origin)

    def _namespace(self, ref: ImageReference) -> tuple[Namespace | None, int]:
        best: tuple[Namespace | None, int] = (None, 0)
        for namespace in self.namespaces:
            length = namespace.match(ref)
            # Of a name and a wildcard that cover as much, the name is more exact.
            if length is not None and (length, not namespace.prefix.startswith("*.")) > (best[1], False):
                best = (namespace, length)
        return best


def _mirror_of(ref: ImageReference, mirror: Mirror, length: int) -> Location:
    return Location(_moved(ref, mirror.location, length, mirror.source), True, mirror.insecure, mirror.source)


def _moved(ref: ImageReference, location: str, length: int, source: str) -> ImageReference:
    """Return a reference with another beginning, and with its own tag and digest."""
    try:
        moved = parse(location + ref.repository[length:], default_tag=None)
        if moved.tag is not None:  # The port of a registry without a path reads as a tag.
            raise InvalidReference(location, (0, len(location)), "it is a registry, and not a repository")
        return ImageReference(
            registry=moved.registry, account=moved.account, name=moved.name, tag=ref.tag, digest=ref.digest
        )
    except InvalidReference as error:
        raise ConfigError(f"location {quote(location)} does not fit {ref}: {error.reason}", source) from None


# Docker: https://docs.docker.com/docker-hub/image-library/mirror/


def _docker_mirrors(path: Path, files: list[Path]) -> Iterator[Mirror]:
    table = read_json(path) if is_readable(path) else None
    if table is None:
        return
    files.append(path)
    urls = table.get(_MIRRORS, [])
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        raise ConfigError(f"{_MIRRORS} must be a list of strings", str(path), line_of(path, _MIRRORS))
    lines = LineFinder(path)
    for url in urls:
        yield _docker_mirror(url, lines.of(url))


def _docker_mirror(url: str, source: str) -> Mirror:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    host = parts.netloc.lower()
    if parts.scheme not in ("http", "https") or not is_a(REGISTRY, host) or parts.path.strip("/") or parts.query:
        # The URL is not repeated: it may have a password in it.
        raise ConfigError(f"{_MIRRORS} takes URLs such as https://mirror.example, without path and password", source)
    return Mirror(host, parts.scheme == "http", source=source)


# containers: https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md


def _containers_namespaces(path: Path, files: list[Path]) -> Iterator[Namespace]:
    table = read_toml(path) if is_readable(path) else None
    if table is None:
        return
    files.append(path)
    lines = LineFinder(path)
    for entry in _tables(table, "registry", str(path)):
        yield _namespace(entry, lines)


def _namespace(entry: dict[str, object], lines: LineFinder) -> Namespace:
    name = _string(entry, "prefix", lines.of("")) or _string(entry, "location", lines.of(""))
    source = lines.of(name)
    location = _place(_string(entry, "location", source), source)
    prefix = _place(_string(entry, "prefix", source), source, wild=True) or location
    if not prefix or not (location or prefix.startswith("*.")):
        raise ConfigError("a [[registry]] needs a location, unless its prefix begins with '*.'", source)
    digests = _flag(entry, "mirror-by-digest-only", source)
    mirrors = tuple(_mirror(mirror, lines, digests) for mirror in _tables(entry, "mirror", source))
    return Namespace(
        prefix,
        "" if location == prefix else location,
        _flag(entry, "insecure", source),
        _flag(entry, "blocked", source),
        mirrors,
        source,
    )


def _mirror(entry: dict[str, object], lines: LineFinder, digests: bool) -> Mirror:
    name = _string(entry, "location", lines.of(""))
    source = lines.of(name)
    location = _place(name, source)
    if not location:
        raise ConfigError("a [[registry.mirror]] needs a location", source)
    pull = _string(entry, "pull-from-mirror", source)
    if pull and digests:
        raise ConfigError("pull-from-mirror cannot be combined with mirror-by-digest-only", source)
    if pull not in ("", *_PULLS):
        raise ConfigError(f"pull-from-mirror is {', '.join(_PULLS[:-1])} or {_PULLS[-1]}, not {quote(pull)}", source)
    chosen = cast("Pull", pull or ("digest-only" if digests else "all"))
    return Mirror(location, _flag(entry, "insecure", source), chosen, source)


def _place(text: str, source: str, *, wild: bool = False) -> str:
    """Return a prefix or a location as it is used: a host, perhaps with a path.

    Raises:
        ConfigError: it does not begin with a registry.
    """
    place = text.rstrip("/")
    host, slash, _ = place.partition("/")
    if not place or (wild and host.startswith("*.") and not slash and is_a(REGISTRY, host[2:])):
        return place
    if "://" in place:
        raise ConfigError(f"{quote(place)} is a URL; write the host alone, as in mirror.example:5000", source)
    # A repository, too, may begin a prefix: its last part may have a tag or a digest, which parse reads.
    names_host = any(sign in host for sign in ".:") or host == "localhost"
    if not names_host or not is_a(REGISTRY, host):
        raise ConfigError(f"{quote(place)} does not begin with a registry, as in mirror.example:5000/path", source)
    return host.lower() + place[len(host) :]


def _tables(table: Mapping[str, object], key: str, source: str) -> list[dict[str, object]]:
    entries = table.get(key, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigError(f"{key} must be a list of tables, written as [[{key}]]", source)
    return cast("list[dict[str, object]]", entries)


def _string(table: Mapping[str, object], key: str, source: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise ConfigError(f"{key} must be a string", source)
    return value.strip()


def _flag(table: Mapping[str, object], key: str, source: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise ConfigError(f"{key} must be true or false", source)
    return value

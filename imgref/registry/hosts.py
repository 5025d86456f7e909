"""Which host serves a registry, and how far a connection to it is trusted.

A registry is spoken to over https with a certificate that is verified, with two exceptions: loopback, and what the
user configured as insecure on the command line, in the environment, in the own settings or in those of the container
engine. Files in the working tree are not read: a change to them must not be able to switch verification off.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from imgref._grammar import REGISTRY, is_a
from imgref._utils.directories import config_home, home_of
from imgref.errors import ConfigError, quote
from imgref.hosts import DOCKER_HUB, DOCKER_HUB_SERVER, HostPattern, in_network, is_loopback, split_host
from imgref.registry._engine_files import containers_files, docker_files, is_readable
from imgref.registry._settings_files import LineFinder, line_of, read_json, read_toml

__all__ = ["ClientCertificate", "Hosts", "InsecureHost", "Proxies", "Resolver", "Trust"]

Resolver = Callable[[str], Sequence[str]]
"""Returns the addresses of a host name, which may be none."""


class Trust(Enum):
    """What a connection to a host may be.

    ``VERIFIED`` is https with a verified certificate and nothing less. The others are https as well where the host
    speaks it, without verification where the certificate is not trusted, and else plain http.
    """

    VERIFIED = "verified"
    LOOPBACK = "loopback"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class InsecureHost:
    """A host, ``*.domain`` or network in CIDR form that is configured as insecure, and where."""

    host: str
    source: str
    pattern: HostPattern = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", HostPattern(self.host))


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """The files with a client certificate and with its private key, both in PEM form."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxy for each scheme, and the hosts without one, from ``HTTP_PROXY``, ``HTTPS_PROXY`` and ``NO_PROXY``."""

    http: str | None = field(default=None, repr=False)
    https: str | None = field(default=None, repr=False)
    no_proxy: tuple[str, ...] = ()

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Proxies:
        """Read the variables; uppercase comes before lowercase, and a scheme's own variable before ``ALL_PROXY``.

        >>> Proxies.read({"ALL_PROXY": "http://all:1", "HTTPS_PROXY": "http://own:2"}).shown()
        {'http': 'http://all:1', 'https': 'http://own:2'}
        """

        def value(name: str) -> str:
            return (environ.get(name) or environ.get(name.lower()) or "").strip()

        excepted = (item.strip().lower() for item in value("NO_PROXY").split(","))
        both = value("ALL_PROXY")
        http, https = value("HTTP_PROXY") or both, value("HTTPS_PROXY") or both
        return cls(http or None, https or None, tuple(filter(None, excepted)))

    def shown(self) -> dict[str, str]:
        """Return what is set, to be read by people: without the credentials in it.

        >>> Proxies(https="http://ada:s3cret@proxy:3128").shown()
        {'https': 'http://proxy:3128'}
        """
        set_ = {"http": self.http, "https": self.https, "no_proxy": ",".join(self.no_proxy)}
        return {name: re.sub(r"//[^/]*@|^[^/]*@", _slashes, value) for name, value in set_.items() if value}

    def get(self, scheme: str, host: str) -> str | None:
        """Return the proxy for a host, or None; loopback has none, ever.

        >>> Proxies(https="http://proxy:3128", no_proxy=(".corp",)).get("https", "registry.corp:5000") is None
        True
        """
        proxy = self.https if scheme == "https" else self.http
        if proxy is None or is_loopback(host) or any(_excepted(host, pattern) for pattern in self.no_proxy):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"


def _slashes(found: re.Match[str]) -> str:
    return "//" if found[0].startswith("//") else ""


def _excepted(host: str, pattern: str) -> bool:
    if pattern == "*":
        return True
    name, port = split_host(host)
    if "/" in pattern:
        return in_network(name, pattern)
    wanted, wanted_port = split_host(pattern)
    if wanted_port is not None and wanted_port != port:
        return False
    domain = wanted.removeprefix("*").removeprefix(".")
    return name == domain or name.endswith(f".{domain}")


@dataclass(frozen=True, slots=True)
class Hosts:
    """Facts about hosts: which are insecure, which CAs are trusted for them, and which proxy is used.

    Attributes:
        declared: every declaration, in the order in which they were read.
        files: the settings files that were read.
        cacert: a file with CA certificates that are trusted besides the system's, or None.
        certificates: the ``certs.d`` directories of the container engines, the user's before the system's.
        proxies: the proxies.

    >>> Hosts(declared=(InsecureHost("registry.local:5001", "--insecure"),)).trust("registry.local:5001")
    <Trust.DECLARED: 'declared'>
    """

    declared: tuple[InsecureHost, ...] = ()
    files: tuple[Path, ...] = ()
    cacert: Path | None = None
    certificates: tuple[Path, ...] = ()
    proxies: Proxies = Proxies()

    @classmethod
    def load(
        cls,
        *,
        insecure: Iterable[str] = (),
        cacert: Path | None = None,
        environ: Mapping[str, str] = os.environ,
        root: Path = Path("/"),
    ) -> Hosts:
        """Collect the settings of the user, the environment, imgref and the container engines.

        Args:
            insecure: hosts that the user declares insecure now.
            cacert: a file with further CA certificates.
            environ: the environment.
            root: where the system's files are.

        Raises:
            ConfigError: a settings file is corrupt, or an entry is not a valid host.
        """
        if cacert is not None and not cacert.is_file():
            raise ConfigError("is not a file with CA certificates", str(cacert))
        files: list[Path] = []
        declared = [_declared(host, "--insecure") for host in insecure]
        listed = environ.get("IMGREF_INSECURE_REGISTRIES", "").split(",")
        declared += [_declared(host, "IMGREF_INSECURE_REGISTRIES") for host in map(str.strip, listed) if host]
        home, config = home_of(environ), config_home(environ)
        declared += _own_settings(config / "imgref" / "config.toml", files)
        for path in docker_files(environ, root):
            declared += _docker_settings(path, files)
        for path in containers_files(environ, root):
            declared += _containers_settings(path, files)
        certificates = (
            home / ".docker/certs.d",
            config / "docker/certs.d",
            config / "containers/certs.d",
            root / "etc/docker/certs.d",
            root / "etc/containers/certs.d",
        )
        return cls(tuple(declared), tuple(files), cacert, certificates, Proxies.read(environ))

    def trust(self, host: str, resolve: Resolver | None = None) -> Trust:
        """Return what a connection to a host may be.

        Args:
            host: host and optional port, which a declaration must name as well.
            resolve: returns the addresses of a host name, for entries that are networks.
        """
        if is_loopback(host):
            return Trust.LOOPBACK
        return Trust.VERIFIED if self.declaration(host, resolve) is None else Trust.DECLARED

    def declaration(self, host: str, resolve: Resolver | None = None) -> InsecureHost | None:
        """Return the first entry that applies to a host, or None."""
        name = split_host(host)[0]
        addresses: Sequence[str] | None = None
        for declared in self.declared:
            if declared.pattern.is_network and addresses is None:
                addresses = resolve(name) if resolve else ()
            if declared.pattern.matches(host, addresses=addresses or ()):
                return declared
        return None

    def ca_files(self, host: str) -> tuple[Path, ...]:
        """Return the files with CA certificates that are trusted for a host besides the system's."""
        found = [] if self.cacert is None else [self.cacert]
        for directory in self._directories(host):
            # As for the container configuration, files that only root may read are skipped.
            found += [path for path in sorted(directory.glob("*.crt")) if is_readable(path)]
        return tuple(found)

    def client_certificate(self, host: str) -> ClientCertificate | None:
        """Return the client certificate for a host, or None: that of the first directory with one.

        Docker reads the same names: ``NAME.cert`` with ``NAME.key``.

        Raises:
            ConfigError: a certificate lacks its key, a key its certificate, or a directory has several.
        """
        for directory in self._directories(host):
            stems = sorted({path.stem for ending in ("*.cert", "*.key") for path in directory.glob(ending)})
            pairs = [ClientCertificate(directory / f"{stem}.cert", directory / f"{stem}.key") for stem in stems]
            for pair in pairs:
                _require_pair(pair)
            if len(pairs) > 1:
                names = " and ".join(pair.certificate.name for pair in pairs[:2])
                raise ConfigError(f"has several client certificates, {names}; keep one", str(directory))
            if pairs:
                return pairs[0]
        return None

    def _directories(self, host: str) -> tuple[Path, ...]:
        bases = [base for base in self.certificates if base.is_dir()]
        # Hosts come from the network too, in redirects: only what reads as one becomes a part of a path.
        if not bases or not is_a(REGISTRY, host):
            return ()
        names = [host, DOCKER_HUB] if host == DOCKER_HUB_SERVER else [host]
        return tuple(base / name for base in bases for name in names)


def _require_pair(pair: ClientCertificate) -> None:
    for path, other, what in ((pair.key, pair.certificate, "private key"), (pair.certificate, pair.key, "certificate")):
        if not path.exists():
            reason = f"there is no {path.name} with its {what}; a CA certificate is a file named *.crt"
            raise ConfigError(reason, str(other))
        if not is_readable(path):
            raise ConfigError("cannot be read", str(path))


def _declared(text: str, source: str) -> InsecureHost:
    host = text.strip().lower()
    # As Docker does: a scheme is dropped, since the port alone identifies the registry.
    host = host.removeprefix("https://").removeprefix("http://")
    if "/" in host.rstrip("/"):
        try:
            from ipaddress import ip_network

            return InsecureHost(str(ip_network(host, strict=False)), source)
        except ValueError:
            reason = f"{quote(text)} is neither a registry (host:port) nor a network (as in 10.0.0.0/8)"
            raise ConfigError(reason, source) from None
    host = host.rstrip("/")
    if not is_a(REGISTRY, host.removeprefix("*.")):
        raise ConfigError(f"{quote(text)} is not a registry; write host or host:port", source)
    return InsecureHost(host, source)


def _own_settings(path: Path, files: list[Path]) -> Iterator[InsecureHost]:
    table = read_toml(path)
    if table is not None:
        files.append(path)
        yield from _listed(table.get("insecure-registries", []), path)


def _docker_settings(path: Path, files: list[Path]) -> Iterator[InsecureHost]:
    if not is_readable(path):
        return
    table = read_json(path)
    if table is not None:
        files.append(path)
        yield from _listed(table.get("insecure-registries", []), path)


def _listed(hosts: object, path: Path) -> Iterator[InsecureHost]:
    if not isinstance(hosts, list) or not all(isinstance(host, str) for host in hosts):
        reason = "insecure-registries must be a list of strings"
        raise ConfigError(reason, str(path), line_of(path, "insecure-registries"))
    places = LineFinder(path)
    for host in hosts:
        yield _declared(host, places.of(host))


def _containers_settings(path: Path, files: list[Path]) -> Iterator[InsecureHost]:
    if not is_readable(path):
        return
    table = read_toml(path)
    if table is None:
        return
    files.append(path)
    registries, places = table.get("registry", []), LineFinder(path)
    for entry in registries if isinstance(registries, list) else []:
        if not isinstance(entry, dict):
            continue
        mirrors = entry.get("mirror", [])
        for place in (entry, *(mirrors if isinstance(mirrors, list) else [])):
            host = place.get("location") or place.get("prefix") if isinstance(place, dict) else None
            # A setting for a path does not apply to the whole host.
            if isinstance(host, str) and place.get("insecure") is True and "/" not in host:
                yield _declared(host, places.of(host))
    # The first form of the file, https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md
    old = table.get("registries", {})
    insecure = old.get("insecure", {}) if isinstance(old, dict) else {}
    hosts = insecure.get("registries", []) if isinstance(insecure, dict) else []
    for host in hosts if isinstance(hosts, list) else []:
        if isinstance(host, str):
            yield _declared(host, places.of(host))

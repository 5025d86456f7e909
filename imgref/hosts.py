"""What a host name means: loopback, Docker Hub's names, ports, and the patterns that hosts are compared with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

__all__ = [
    "DOCKER_HUB",
    "DOCKER_HUB_SERVER",
    "HostPattern",
    "canonical",
    "in_network",
    "is_docker_hub",
    "is_localhost",
    "is_loopback",
    "served_by",
    "split_host",
]

DOCKER_HUB: Final = "docker.io"
"""The registry of references that name none."""

DOCKER_HUB_SERVER: Final = "registry-1.docker.io"
"""The host that serves Docker Hub."""

_OLD_NAME: Final = "index.docker.io"
_LOCALHOST: Final = re.compile(r"(?:[a-z0-9_-]+\.)*localhost\.?", re.ASCII)
_PORT: Final = re.compile("[0-9]{1,5}", re.ASCII)
_SCHEME: Final = re.compile("https?://", re.IGNORECASE)
_NETWORK: Final = re.compile("[0-9A-Fa-f.:]+/[0-9A-Fa-f.:]+", re.ASCII)
_LOOPBACK: Final = ("127.0.0.0/8", "::1/128")


def canonical(host: str) -> str:
    """Return the registry that a host in a reference names: ``index.docker.io`` is an older name of Docker Hub.

    The host that serves Docker Hub is another registry to a reference, as it is to Docker.

    >>> canonical("index.docker.io"), canonical("registry-1.docker.io")
    ('docker.io', 'registry-1.docker.io')
    """
    return DOCKER_HUB if host.lower() in (DOCKER_HUB, _OLD_NAME) else host


def is_docker_hub(host: str) -> bool:
    """Return whether a host is Docker Hub by any of the names that credentials are stored under.

    >>> is_docker_hub("registry-1.docker.io"), is_docker_hub("hub.docker.io")
    (True, False)
    """
    return host.lower() in (DOCKER_HUB, _OLD_NAME, DOCKER_HUB_SERVER)


def served_by(registry: str) -> str:
    """Return the host, with its port if there is one, that serves a registry.

    >>> served_by("docker.io"), served_by("registry.local:5001")
    ('registry-1.docker.io', 'registry.local:5001')
    """
    return DOCKER_HUB_SERVER if registry == DOCKER_HUB else registry


def split_host(host: str) -> tuple[str, int | None]:
    """Split a host from its port; the host is in lower case, and an IPv6 address without its brackets.

    >>> split_host("[::1]:5000"), split_host("Registry.local")
    (('::1', 5000), ('registry.local', None))
    """
    name, colon, port = host.rpartition(":")
    if not colon or not _PORT.fullmatch(port) or (":" in name and not name.endswith("]")):
        name, port = host, ""
    if name.startswith("[") and name.endswith("]") and ":" in name:
        name = name[1:-1]
    return name.lower(), int(port) if port else None


def is_localhost(name: str) -> bool:
    """Return whether a name without a port is ``localhost``, or below it, as RFC 6761 reserves it.

    https://www.rfc-editor.org/rfc/rfc6761#section-6.3

    >>> is_localhost("app.localhost"), is_localhost("localhost."), is_localhost("localhost.example")
    (True, True, False)
    """
    return _LOCALHOST.fullmatch(name.lower()) is not None


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine by its name alone: localhost, 127.0.0.0/8 or ``::1``, with any port.

    >>> is_loopback("app.localhost:5000"), is_loopback("127.0.0.1.evil.com")
    (True, False)
    """
    name = split_host(host)[0]
    return is_localhost(name) or ("%" not in name and any(in_network(name, network) for network in _LOOPBACK))


def in_network(address: str, network: str) -> bool:
    """Return whether a string is an address in a network; False for a name.

    >>> in_network("10.1.2.3", "10.0.0.0/8"), in_network("registry.local", "10.0.0.0/8")
    (True, False)
    """
    found, range_ = _address(address), _network(network)
    return found is not None and range_ is not None and found in range_


class HostPattern:
    """The hosts that a list of insecure registries names, as Docker and containers/image read it.

    It is a host with or without a port, compared exactly; one with ``*`` for any characters; or a network such as
    ``10.0.0.0/8``, which contains hosts that are written as addresses, whatever their port. A path after the host
    narrows it to the repositories below. A scheme is ignored.

    Args:
        text: the pattern as written; one that is not a host matches nothing.

    >>> HostPattern("registry.local:5001").matches("Registry.local:5001"), HostPattern("*.local").matches("local")
    (True, False)
    """

    __slots__ = ("_host", "_network", "_path", "text")

    def __init__(self, text: str) -> None:
        bare = text.strip()
        bare = bare[scheme.end() :] if (scheme := _SCHEME.match(bare)) else bare
        self.text = text
        self._network = _network(bare)
        host, _, path = bare.partition("/")
        self._host = canonical(host).lower()
        self._path = path.strip("/")

    def __repr__(self) -> str:
        return f"HostPattern({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, HostPattern) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def is_network(self) -> bool:
        """Whether addresses are compared, rather than names."""
        return self._network is not None

    @property
    def is_loopback(self) -> bool:
        """Whether everything that matches is on this machine.

        >>> HostPattern("http://localhost:5000/").is_loopback, HostPattern("127.0.0.0/8").is_loopback
        (True, True)
        """
        if self._network is None:
            return is_loopback(self._host.replace("*.", "any.", 1))
        first, last = str(self._network[0]), str(self._network[-1])
        return any(in_network(first, network) and in_network(last, network) for network in _LOOPBACK)

    def matches(self, host: str, path: str = "", addresses: Iterable[str] = ()) -> bool:
        """Return whether the pattern matches a host, or a repository on it.

        Args:
            host: the host with its port.
            path: the path of the repository; a pattern with a path does not match without one.
            addresses: the addresses of the host, for patterns that are networks.
        """
        if self._network is not None:
            found = map(_address, (split_host(host)[0], *addresses))
            return any(address is not None and address in self._network for address in found)
        inside = not self._path or f"{path}/".startswith(f"{self._path}/")
        return inside and _matches(self._host, host.lower())


def _matches(pattern: str, host: str) -> bool:
    """Match ``*`` from left to right, which takes no longer for many of them."""
    first, *rest = pattern.split("*")
    if not rest:
        return bool(pattern) and pattern == host
    if not host.startswith(first):
        return False
    at = len(first)
    for part in rest[:-1]:
        found = host.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return host.endswith(rest[-1]) and at <= len(host) - len(rest[-1])


def _address(text: str) -> IPv4Address | IPv6Address | None:
    from ipaddress import ip_address

    try:
        return ip_address(text)
    except ValueError:
        return None


def _network(text: str) -> IPv4Network | IPv6Network | None:
    if not _NETWORK.fullmatch(text):
        return None
    from ipaddress import ip_network

    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None

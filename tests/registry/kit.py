"""What the quick tests of the registry layer use besides fixtures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from faults import FaultyServer
from registry.server import RegistryServer

from imgref.reference import ImageReference, parse
from imgref.registry.client import RegistryClient
from imgref.registry.hosts import Hosts, InsecureHost

USER, PASSWORD = "ada", "s3cret-p:w"

ALWAYS = -1

Connect = Callable[..., RegistryClient]
"""Makes clients; with a host, they have the credentials of USER for it."""


@dataclass
class Clock:
    """Time in which only waiting counts, and no wait takes any time.

    Attributes:
        waits: the seconds of each wait.
    """

    waits: list[float] = field(default_factory=list)

    @property
    def now(self) -> float:
        return 1000.0 + sum(self.waits)

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.waits.append(seconds)


def app(server: RegistryServer, rest: str = "", path: str = "app") -> ImageReference:
    """Return a reference to a repository of a registry, with a tag or digest as ``rest``."""
    return parse(f"{server.host}/{path}{rest}", default_tag=None)


def named(server: FaultyServer, name: str = "registry.test") -> str:
    """Return the host and port of a server by a name that is not loopback; see the fixture ``names``."""
    return server.host.replace("127.0.0.1", name)


def insecure(*hosts: str) -> Hosts:
    """Return settings with hosts that are configured as insecure."""
    return Hosts(declared=tuple(InsecureHost(host, "--insecure") for host in hosts))

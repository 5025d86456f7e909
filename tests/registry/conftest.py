"""What the quick tests of the registry layer share: a registry in process, a client, and waits that take no time."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from registry.kit import PASSWORD, USER, Clock, Connect
from registry.server import OpaqueTokens, RegistryServer, run_server
from token_service import serve_tokens

from imgref.registry.client import RegistryClient
from imgref.registry.credentials import Credentials
from imgref.registry.hosts import Hosts
from imgref.registry.transport import Event


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replace what the code under test waits with: ``time.sleep`` and ``Event.wait`` with a limit."""
    clock, wait = Clock(), threading.Event.wait

    def at_once(event: threading.Event, timeout: float | None = None) -> bool:
        if timeout is None:
            return wait(event)
        if not event.is_set():
            clock.sleep(timeout)
        return event.is_set()

    monkeypatch.setattr(time, "sleep", clock.sleep)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(threading.Event, "wait", at_once)
    return clock


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with run_server() as server:
        yield server


@pytest.fixture
def other() -> Iterator[RegistryServer]:
    """A second registry."""
    with run_server() as server:
        yield server


@pytest.fixture
def tokens() -> Iterator[OpaqueTokens]:
    with serve_tokens(OpaqueTokens(users={USER: PASSWORD})) as tokens:
        yield tokens


@pytest.fixture
def guarded(server: RegistryServer, tokens: OpaqueTokens) -> RegistryServer:
    """The registry, which requires tokens."""
    server.tokens = tokens
    return server


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def connect(tmp_path: Path, clock: Clock, events: list[Event]) -> Iterator[Connect]:
    """Return a function that makes clients; with a host, they have the credentials of USER for it."""
    made: list[RegistryClient] = []

    def make(host: str = "", *, hosts: Hosts | None = None, timeout: float = 5.0, **environ: str) -> RegistryClient:
        if host:
            environ |= {"IMGREF_REGISTRY": host, "IMGREF_USERNAME": USER, "IMGREF_PASSWORD": PASSWORD}
        credentials = Credentials({"HOME": str(tmp_path), **environ})
        made.append(RegistryClient(hosts or Hosts(), credentials, events.append, timeout=timeout))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(connect: Connect) -> RegistryClient:
    """A client without credentials."""
    return connect()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every name below ``test`` mean this machine, without making it loopback to imgref; others are unknown."""
    resolve = socket.getaddrinfo
    unknown = {"name.invalid": socket.EAI_NONAME, "later.invalid": socket.EAI_AGAIN}

    def local(host: str, *more: object, **named: object) -> object:
        if host in unknown:
            raise socket.gaierror(unknown[host], "not known")
        return resolve("127.0.0.1" if str(host).endswith(".test") else host, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", local)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture(scope="session")
def context(authority: trustme.CA) -> ssl.SSLContext:
    """The settings of a server whose certificate is for 127.0.0.1 and some names below ``test``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "registry.test", "tokens.test", "elsewhere.test").configure_cert(context)
    return context


@pytest.fixture
def tls(context: ssl.SSLContext) -> Iterator[RegistryServer]:
    """A registry with TLS."""
    with run_server(context=context) as server:
        yield server

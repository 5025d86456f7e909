"""The servers that end-to-end tests share; each starts when a test first needs it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from e2e.commands import Home
from e2e.connect_proxy import ConnectProxy, run_connect_proxy
from e2e.fault_proxy import FaultProxy, run_fault_proxy
from e2e.servers import PASSWORD, USER, Registry, run_registry
from e2e.token_service import run_token_service
from e2e.waits import short_sleep, short_wait


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with run_registry(tmp_path_factory.mktemp("plain"), in_memory=True) as registry:
        yield registry


@pytest.fixture(scope="session")
def htpasswd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with run_registry(tmp_path_factory.mktemp("htpasswd"), "htpasswd", in_memory=True) as registry:
        yield registry


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[Registry]:
    with run_registry(tmp_path_factory.mktemp("tls"), "tls", ca=authority, in_memory=True) as registry:
        yield registry


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with (
        run_token_service({USER: PASSWORD}) as tokens,
        run_registry(tmp_path_factory.mktemp("token"), "token", tokens=tokens, in_memory=True) as registry,
    ):
        yield registry


@pytest.fixture(params=["plain", "htpasswd", "tls", "token"])
def registry(request: pytest.FixtureRequest) -> Registry:
    """Each of the four registries in turn."""
    found: Registry = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def faulty(plain: Registry) -> Iterator[FaultProxy]:
    """The plain registry behind a proxy that can be told to misbehave."""
    with run_fault_proxy(plain.host) as proxy:
        yield proxy


@pytest.fixture
def far_tls(tls: Registry) -> Iterator[ConnectProxy]:
    """A proxy through which any name leads to the registry with TLS."""
    with run_connect_proxy(tls.host) as proxy:
        yield proxy


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home of its own, in which imgref is run."""
    return Home(tmp_path)


@pytest.fixture
def unique(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Return repository paths that no other test uses."""
    base = "".join(c if c.isalnum() else "-" for c in request.node.name.lower()).strip("-")
    while "--" in base:
        base = base.replace("--", "-")
    return lambda name: f"{base[:80].strip('-')}/{name}"


@pytest.fixture
def short_waits(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut waits short, in this process and in each ``imgref`` that is run."""
    monkeypatch.setattr(time, "sleep", short_sleep)
    monkeypatch.setattr(threading.Event, "wait", short_wait)
    home.first += "\nfrom e2e.waits import cut_short; cut_short()"

"""A proxy between a client and a registry that does, now and then, what networks and registries do."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from faults import (
    Action,
    Answer,
    Exchange,
    Fault,
    FaultyServer,
    Seen,
    cut_in_answer,
    damaged,
    header,
    html,
    lost,
    paged,
    redirect,
    reset_before,
    reset_in_answer,
    reset_in_request,
    serve,
    silent,
    slow,
    status,
    without_tags,
)

__all__ = [
    "Action",
    "Answer",
    "Exchange",
    "Fault",
    "FaultProxy",
    "Seen",
    "cut_in_answer",
    "damaged",
    "header",
    "html",
    "lost",
    "paged",
    "redirect",
    "reset_before",
    "reset_in_answer",
    "reset_in_request",
    "run_fault_proxy",
    "silent",
    "slow",
    "status",
    "upstream_of",
    "without_tags",
]


@dataclass
class FaultProxy(FaultyServer):
    """Where the proxy listens, what it saw, and what it is to do."""

    upstream: str = ""


def upstream_of(exchange: Exchange) -> str:
    """Return the ``host:port`` that the proxy of a request leads to."""
    assert isinstance(exchange.state, FaultProxy)
    return exchange.state.upstream


class _Forwarded(Exchange):
    """A request that is passed on, unless a fault comes between."""

    def ask(self, path: str | None = None) -> Answer:
        """Pass the request on, and return what comes back."""
        connection = http.client.HTTPConnection(upstream_of(self), timeout=30)
        try:
            headers = {key: value for key, value in self.headers.items() if key.lower() != "connection"}
            connection.request(self.command, path or self.path, self.body() if self._unread else None, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()


@contextmanager
def run_fault_proxy(upstream: str, context: ssl.SSLContext | None = None) -> Iterator[FaultProxy]:
    """Run the proxy in front of ``host:port`` until the block ends; with a context it speaks TLS."""
    proxy = FaultProxy(upstream=upstream)

    class Handler(_Forwarded):
        pass

    Handler.state = proxy
    with serve(Handler, context) as proxy.host:
        yield proxy

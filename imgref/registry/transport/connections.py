"""One request over a connection that is allowed: verified, or not where that was configured."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from imgref import __version__
from imgref.errors import RegistryError, RegistryUnavailable
from imgref.registry.hosts import Hosts, Trust
from imgref.registry.transport.addresses import origin_of, shown_url
from imgref.registry.transport.failures import declare, explain
from imgref.registry.transport.messages import Request, Response
from imgref.registry.transport.pools import make_pools, on_loopback, queries_unlogged
from imgref.registry.transport.reading import Pace, paced, read_whole
from imgref.registry.transport.writing import pieces

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

__all__ = ["Connections", "Failed"]

_log = logging.getLogger(__name__)


class Failed(Exception):
    """A try that failed, and whether another one may do better."""

    def __init__(self, error: RegistryError, *, untrusted: bool = False) -> None:
        super().__init__(error.reason)
        self.error = error
        self.again = isinstance(error, RegistryUnavailable) and not error.permanent
        self.untrusted = untrusted


class Connections:
    """Connections to registries, each as :class:`imgref.registry.hosts.Hosts` allows; safe to use from several threads.

    Args:
        hosts: which host is trusted how.
        connect_timeout: seconds until a connection must be established.
        read_timeout: seconds within which something more must have arrived.
    """

    def __init__(self, hosts: Hosts, connect_timeout: float, read_timeout: float) -> None:
        self.hosts = hosts
        self._timeout = urllib3.Timeout(connect=connect_timeout, read=read_timeout)
        self._read_timeout = read_timeout
        self._lock = threading.RLock()
        self._managers: dict[tuple[object, ...], urllib3.PoolManager] = {}
        self._verified: dict[str, bool] = {}
        self._trusts: dict[str, Trust] = {}

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for manager in self._managers.values():
                manager.clear()

    def trust(self, host: str) -> Trust:
        """Return what a connection to a host may be."""
        with self._lock:
            if host not in self._trusts:
                self._trusts[host] = self.hosts.trust(host, _addresses)
            return self._trusts[host]

    def is_verified(self, url: str) -> bool | None:
        """Return whether the certificate of a host was verified; None before anything was sent to it."""
        return self._verified.get(origin_of(url))

    def send(self, request: Request) -> Response:
        """Send a request once, without the ``authorization`` that it has, and return the answer.

        Raises:
            Failed: no allowed connection, or no answer that can be read.
        """
        modes = self._modes(request.url)
        for verify in modes:
            try:
                answer = self._send(request, verify)
            except Failed as failed:
                if failed.untrusted and verify is not modes[-1]:
                    continue
                raise
            self._verified.setdefault(origin_of(request.url), verify)
            return answer
        raise AssertionError("the last mode returns or raises")

    def _modes(self, url: str) -> tuple[bool, ...]:
        """Return the ways to connect, the best first: whether certificates are verified."""
        parts = urlsplit(url)
        trust = self.trust(parts.netloc)
        if trust is Trust.VERIFIED:
            if parts.scheme != "https":
                reason = f"{parts.netloc} is asked for over plain http, which is refused; {declare(parts.netloc)}"
                raise Failed(RegistryUnavailable(reason, url=shown_url(url), permanent=True))
            return (True,)
        known = self.is_verified(url)
        if known is not None:
            return (known,)
        # No CA of the system vouches for loopback: only try https if a CA is configured for it.
        hopeful = trust is Trust.DECLARED or bool(self.hosts.ca_files(parts.netloc))
        return (True, False) if hopeful else (False,)

    def _send(self, request: Request, verify: bool) -> Response:
        method, url, body = request.method, request.url, request.body
        sent = {"User-Agent": f"imgref/{__version__}", **request.headers}
        target, pace = on_loopback(url, sent), Pace(self._read_timeout)
        try:
            with queries_unlogged(), paced(pace):
                raw = self._manager(url, verify).urlopen(
                    method,
                    target,
                    body=pieces(body()) if callable(body) else body,
                    headers=sent,
                    redirect=False,
                    retries=False,
                    preload_content=False,
                    timeout=self._timeout,
                )
            answer = Response(method, url, raw.status, raw.headers, _raw=raw, _pace=pace)
            if not request.stream or raw.status >= 300:
                answer.body = self._whole(answer, raw, pace)
        except HTTPError as error:
            raise self._failure(error, method, url) from None
        except (OSError, ValueError) as error:
            reason = f"{urlsplit(url).netloc}: {error.strerror if isinstance(error, OSError) else 'no valid address'}"
            invalid = isinstance(error, ValueError)
            raise Failed(RegistryUnavailable(reason, method=method, url=shown_url(url), permanent=invalid)) from None
        _log.debug("%s %s -> %d", method, shown_url(url), answer.status)
        return answer

    def _whole(self, answer: Response, raw: BaseHTTPResponse, pace: Pace) -> bytes:
        try:
            return read_whole(raw, pace)
        except ValueError as error:
            reason, where = f"{urlsplit(answer.url).netloc}: the response {error}", shown_url(answer.url)
            failed = RegistryError(reason, method=answer.method, url=where, status=answer.status)
            raise Failed(failed) from None
        finally:
            answer.close()

    def _failure(self, error: HTTPError, method: str, url: str) -> Failed:
        parts = urlsplit(url)
        found = explain(error, parts.netloc, self.hosts.proxies.get(parts.scheme, parts.netloc))
        unavailable = RegistryUnavailable(found.reason, method=method, url=shown_url(url), permanent=found.permanent)
        return Failed(unavailable, untrusted=found.untrusted)

    def _manager(self, url: str, verify: bool) -> urllib3.PoolManager:
        parts = urlsplit(url)
        proxy = self.hosts.proxies.get(parts.scheme, parts.netloc)
        verified = verify and parts.scheme == "https"
        authorities = self.hosts.ca_files(parts.netloc) if verified else ()
        # In the key, so that a connection with a client certificate is never used for another host. As with Docker,
        # only a verified host gets it.
        client = self.hosts.client_certificate(parts.netloc) if verified else None
        key = (proxy, parts.scheme, verify, authorities, client)
        with self._lock:
            if key not in self._managers:
                files = [str(path) for path in authorities]
                self._managers[key] = make_pools(proxy, parts.scheme, verify, files, client)
            return self._managers[key]


def _addresses(name: str) -> Sequence[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
    except (OSError, ValueError):  # a name too long for DNS is a UnicodeError
        return []

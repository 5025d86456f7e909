"""Sending requests: how a registry is reached, what is tried again, where a redirect leads.

urllib3 sends single requests only. Its own retries would follow a redirect with credentials, hide which
attempt failed, and could not report that they wait; and it does not read proxy variables.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final, NoReturn, TypeVar
from urllib.parse import urlsplit

from imgref.errors import RegistryError, RegistryUnavailable
from imgref.hosts import served_by
from imgref.registry.hosts import Hosts, Trust
from imgref.registry.transport.addresses import located, origin_of, shown_url
from imgref.registry.transport.connections import Connections, Failed
from imgref.registry.transport.messages import Endpoint, Event, Request, Response, retry_after

__all__ = ["TRIES", "Transport"]

TRIES: Final = 5
LONGEST_WAIT: Final = 120.0
"""Seconds that a registry may ask to wait; if it asks for more, imgref fails with a message."""

_RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 5

_T = TypeVar("_T")


class Transport:
    """Sends requests as :class:`imgref.registry.hosts.Hosts` allows; safe to use from several threads.

    Args:
        hosts: which host is trusted how.
        on_event: called with retries and warnings, from any thread.
        connect_timeout: seconds until a connection must be established.
        read_timeout: seconds within which something more must have arrived.
        tries: how often to send a request that fails in a way that may pass.
    """

    def __init__(
        self,
        hosts: Hosts,
        on_event: Callable[[Event], None] | None = None,
        *,
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        tries: int = TRIES,
    ) -> None:
        self.hosts = hosts
        self._connections = Connections(hosts, connect_timeout, read_timeout)
        self._tries = tries
        self._on_event = on_event
        self._lock = threading.RLock()
        self._locks: dict[str, threading.Lock] = {}
        self._endpoints: dict[str, Endpoint] = {}
        self._warned: set[str] = set()
        self._stopped = threading.Event()

    def tell(self, event: Event) -> None:
        """Pass an event on; the same warning only once."""
        if event.kind == "warning":
            with self._lock:
                if event.message in self._warned:
                    return
                self._warned.add(event.message)
        if self._on_event is not None:
            self._on_event(event)

    def close(self) -> None:
        """Close every connection, and let no thread wait for another try."""
        self._stopped.set()
        self._connections.close()

    def trust(self, host: str) -> Trust:
        """Return what a connection to a host may be."""
        return self._connections.trust(host)

    def endpoint(self, registry: str, about: str) -> Endpoint:
        """Find out how a registry is reached: once, and without asking it where it is https as it should be.

        Raises:
            RegistryUnavailable: it cannot be reached in a way that is allowed.
        """
        with self._lock:
            lock = self._locks.setdefault(registry, threading.Lock())
        with lock:
            if registry not in self._endpoints:
                self._endpoints[registry] = self._retrying(about, lambda: self._probe(registry, about))
            return self._endpoints[registry]

    def send(self, request: Request) -> Response:
        """Send a request, and return the answer whatever its status is.

        Redirects are followed for GET and HEAD, and with 307 and 308 for what can be sent again; to another scheme,
        host or port without ``authorization``.

        Raises:
            RegistryUnavailable: no connection, no trusted certificate, or no answer in time.
            RegistryError: a redirect that must not be followed, or an answer that is too large.
        """
        return self._retrying(request.about, lambda: self._follow(request), again=request.again)

    # Trying again

    def _retrying(self, about: str, send: Callable[[], _T], *, again: bool = True) -> _T:
        tries = self._tries if again else 1
        for number in range(1, tries + 1):
            asked = None
            try:
                result = send()
            except Failed as failed:
                reason = failed.error.reason
                if not failed.again or number == tries:
                    _raise_about(about, failed.error)
            else:
                if not isinstance(result, Response) or result.status not in _RETRIED or number == tries:
                    return result
                asked = retry_after(result.header("Retry-After"))
                if asked is not None and asked > LONGEST_WAIT:
                    return result
                result.close()
                reason = f"HTTP status {result.status}"
            self.pause(about, reason, number, tries, asked)
        raise AssertionError("the last try returns or raises")

    def pause(
        self, about: str, reason: str, number: int, tries: int | None = TRIES, asked: float | None = None
    ) -> None:
        """Report that there will be another try, and wait for it: ever longer, or as long as the registry asked.

        Args:
            about: the reference.
            reason: what happened.
            number: of the try that failed, from 1.
            tries: how many there are; None if the next one is not counted together with this one.
            asked: seconds that the registry asked to wait, where it did.

        Raises:
            RegistryUnavailable: the client was closed.
        """
        # Jitter keeps those who were refused together from coming back together.
        delay = 0.5 * 2 ** (number - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - nothing is kept secret by it
        if asked is not None:
            delay = max(asked, 0.05) + random.uniform(0.0, 0.1)  # noqa: S311
        count = "" if tries is None else f" ({number + 1} of {tries})"
        message = f"{about}: {_without_host(about, reason)}; trying again in {delay:.1f} s{count}"
        self.tell(Event("retry", message, delay))
        if self._stopped.wait(delay):
            raise RegistryUnavailable(f"{about}: given up, as the client was closed")

    # Which way

    def _probe(self, registry: str, about: str) -> Endpoint:
        host = served_by(registry)
        trust = self.trust(host)
        if trust is Trust.VERIFIED:
            # There is only one way to connect, so no probe is needed: the first request returns the challenge.
            return Endpoint(registry, f"https://{host}", trust, verified=True)
        for scheme in ("https", "http"):
            origin = f"{scheme}://{host}"
            try:
                answer = self._connections.send(Request("GET", f"{origin}/v2/", about))
            except Failed:
                if scheme == "http":
                    raise
                continue
            asked = retry_after(answer.header("Retry-After")) if answer.status in _RETRIED else None
            if asked is not None and asked <= LONGEST_WAIT:
                # The request that follows has all of its tries.
                self.pause(about, f"HTTP status {answer.status}", 1, None, asked)
            # Any other status is left to the next request, which can explain it.
            verified = scheme == "https" and self._connections.is_verified(origin) is True
            return Endpoint(registry, origin, trust, verified, answer.all("WWW-Authenticate"))
        raise AssertionError("the last scheme returns or raises")

    def _follow(self, request: Request) -> Response:
        method, url, origin = request.method, request.url, origin_of(request.url)
        for _ in range(_MOST_REDIRECTS + 1):
            headers = dict(request.headers)
            if request.authorization and origin_of(url) == origin:
                headers["Authorization"] = request.authorization
            answer = self._connections.send(replace(request, url=url, headers=headers))
            location = answer.header("Location")
            if answer.status not in _REDIRECTS or not location:
                return answer
            if method not in ("GET", "HEAD") and (answer.status not in (307, 308) or callable(request.body)):
                return answer
            answer.close()
            url = self._redirected(method, url, location)
        reason = f"{urlsplit(url).netloc}: more than {_MOST_REDIRECTS} redirects"
        raise Failed(RegistryError(reason, method=method, url=shown_url(url)))

    def _redirected(self, method: str, url: str, location: str) -> str:
        target = located(url, location)
        old, new = urlsplit(url), urlsplit(target or "")
        if target is None:
            reason = f"{old.netloc} redirects to an invalid address"
        elif old.scheme == "https" and new.scheme == "http" and self._connections.is_verified(url) is not False:
            reason = f"{old.netloc} redirects from https to plain http, at {new.netloc}, which is refused"
        else:
            return target
        raise Failed(RegistryError(reason, method=method, url=shown_url(url)))


def _without_host(about: str, reason: str) -> str:
    """Return a reason without the host in front that the reference already names."""
    return reason.removeprefix(f"{about.partition('/')[0]}: ")


def _raise_about(about: str, error: RegistryError) -> NoReturn:
    """Raise an error with the reference in front, and without what led to it: that may have secrets."""
    error.reason = f"{about}: {_without_host(about, error.reason)}"
    error.args = (error.reason,)
    raise error from None

"""Sending requests: which connection is allowed, what is tried again, where a redirect leads.

urllib3 is asked for single requests only. Its own retries would follow a redirect with credentials, hide which
attempt failed, and could not tell anyone that they wait; and it does not look at proxy variables.
"""

from __future__ import annotations

import logging
import random
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from imgref import __version__
from imgref.errors import RegistryError, RegistryUnavailable
from imgref.hosts import served_by
from imgref.registry.hosts import Hosts, Trust
from imgref.registry.transport.addresses import located, origin_of, shown_url
from imgref.registry.transport.failures import declare, explain
from imgref.registry.transport.messages import Body, Endpoint, Event, Response, retry_after
from imgref.registry.transport.pools import make_pools, on_loopback, queries_unlogged
from imgref.registry.transport.reading import Pace, paced, read_whole
from imgref.registry.transport.writing import pieces

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

__all__ = ["TRIES", "Transport"]

TRIES: Final = 5
LONGEST_WAIT: Final = 120.0
"""Seconds that a registry may ask to wait; asked for more, imgref gives up and says so."""

_RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 5

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class _Failed(Exception):
    """A try that failed, and whether another one may do better."""

    def __init__(self, error: RegistryError, *, untrusted: bool = False) -> None:
        super().__init__(error.reason)
        self.error = error
        self.again = isinstance(error, RegistryUnavailable) and not error.permanent
        self.untrusted = untrusted


class Transport:
    """Sends requests as :class:`imgref.registry.hosts.Hosts` allows; safe to use from several threads.

    Args:
        hosts: which host is trusted how.
        on_event: hears of retries and warnings, from whichever thread they happen in.
        connect_timeout: seconds until a connection must stand.
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
        self._tries = tries
        self._on_event = on_event
        self._timeout = urllib3.Timeout(connect=connect_timeout, read=read_timeout)
        self._read_timeout = read_timeout
        self._lock = threading.RLock()
        self._locks: dict[str, threading.Lock] = {}
        self._endpoints: dict[str, Endpoint] = {}
        self._managers: dict[tuple[object, ...], urllib3.PoolManager] = {}
        self._verified: dict[str, bool] = {}
        self._trusts: dict[str, Trust] = {}
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
        with self._lock:
            for manager in self._managers.values():
                manager.clear()

    def trust(self, host: str) -> Trust:
        """Return what a connection to a host may be."""
        with self._lock:
            if host not in self._trusts:
                self._trusts[host] = self.hosts.trust(host, _addresses)
            return self._trusts[host]

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

    def request(
        self,
        method: str,
        url: str,
        *,
        about: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        authorization: str | None = None,
        stream: bool = False,
        again: bool = True,
    ) -> Response:
        """Send a request, and give the answer whatever its status is.

        Redirects are followed for GET and HEAD, and with 307 and 308 for what can be sent again; to another scheme,
        host or port without ``authorization``.

        Args:
            method: the HTTP method.
            url: an absolute URL.
            about: the reference that it is about, for messages.
            headers: further headers.
            body: what to send.
            authorization: the ``Authorization`` header for the host of ``url``.
            stream: give the body in chunks instead of reading it.
            again: try again after what may be better the next time.

        Raises:
            RegistryUnavailable: no connection, no trusted certificate, or no answer in time.
            RegistryError: a redirect that must not be followed, or an answer that is too large.
        """

        def send() -> Response:
            return self._follow(method, url, dict(headers or {}), body, authorization, stream)

        return self._retrying(about, send, again=again)

    # Trying again

    def _retrying(self, about: str, send: Callable[[], _T], *, again: bool = True) -> _T:
        tries = self._tries if again else 1
        for number in range(1, tries + 1):
            asked = None
            try:
                result = send()
            except _Failed as failed:
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
            # There is no choice, so nothing to ask: the first request tells what credentials are wanted.
            return Endpoint(registry, f"https://{host}", trust, verified=True)
        for scheme in ("https", "http"):
            origin = f"{scheme}://{host}"
            try:
                answer = self._once("GET", f"{origin}/v2/", {}, None, False)
            except _Failed:
                if scheme == "http":
                    raise
                continue
            asked = retry_after(answer.header("Retry-After")) if answer.status in _RETRIED else None
            if asked is not None and asked <= LONGEST_WAIT:
                # The request that follows has all of its tries.
                self.pause(about, f"HTTP status {answer.status}", 1, None, asked)
            # Any other status is left to the request that follows, which says what it is about.
            verified = scheme == "https" and self._verified[origin_of(origin)]
            return Endpoint(registry, origin, trust, verified, answer.all("WWW-Authenticate"))
        raise AssertionError("the last scheme returns or raises")

    def _follow(
        self, method: str, url: str, headers: dict[str, str], body: Body, authorization: str | None, stream: bool
    ) -> Response:
        origin = origin_of(url)
        for _ in range(_MOST_REDIRECTS + 1):
            own = origin_of(url) == origin and authorization is not None
            sent = {**headers, "Authorization": authorization} if own and authorization else headers
            answer = self._once(method, url, sent, body, stream)
            location = answer.header("Location")
            if answer.status not in _REDIRECTS or not location:
                return answer
            if method not in ("GET", "HEAD") and (answer.status not in (307, 308) or callable(body)):
                return answer
            answer.close()
            url = self._redirected(method, url, location)
        reason = f"{urlsplit(url).netloc}: more than {_MOST_REDIRECTS} redirects"
        raise _Failed(RegistryError(reason, method=method, url=shown_url(url)))

    def _redirected(self, method: str, url: str, location: str) -> str:
        target = located(url, location)
        old, new = urlsplit(url), urlsplit(target or "")
        if target is None:
            reason = f"{old.netloc} redirects to an invalid address"
        elif old.scheme == "https" and new.scheme == "http" and self._verified.get(origin_of(url), True):
            reason = f"{old.netloc} redirects from https to plain http, at {new.netloc}, which is refused"
        else:
            return target
        raise _Failed(RegistryError(reason, method=method, url=shown_url(url)))

    # One request

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: Body, stream: bool) -> Response:
        modes = self._modes(url)
        for verify in modes:
            try:
                answer = self._send(method, url, headers, body, stream, verify)
            except _Failed as failed:
                if failed.untrusted and verify is not modes[-1]:
                    continue
                raise
            self._verified.setdefault(origin_of(url), verify)
            return answer
        raise AssertionError("the last mode returns or raises")

    def _modes(self, url: str) -> tuple[bool, ...]:
        """Return the ways to connect, the best first: whether certificates are verified."""
        parts = urlsplit(url)
        trust = self.trust(parts.netloc)
        if trust is Trust.VERIFIED:
            if parts.scheme != "https":
                reason = f"{parts.netloc} is asked for over plain http, which is refused; {declare(parts.netloc)}"
                raise _Failed(RegistryUnavailable(reason, url=shown_url(url), permanent=True))
            return (True,)
        known = self._verified.get(origin_of(url))
        if known is not None:
            return (known,)
        # No CA of the system vouches for loopback: only one that was given for it is worth the try.
        hopeful = trust is Trust.DECLARED or bool(self.hosts.ca_files(parts.netloc))
        return (True, False) if hopeful else (False,)

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: Body, stream: bool, verify: bool
    ) -> Response:
        sent = {"User-Agent": f"imgref/{__version__}", **headers}
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
            if not stream or raw.status >= 300:
                answer.body = self._whole(answer, raw, pace)
        except HTTPError as error:
            raise self._failure(error, method, url) from None
        except (OSError, ValueError) as error:
            reason = f"{urlsplit(url).netloc}: {error.strerror if isinstance(error, OSError) else 'no valid address'}"
            invalid = isinstance(error, ValueError)
            raise _Failed(RegistryUnavailable(reason, method=method, url=shown_url(url), permanent=invalid)) from None
        _log.debug("%s %s -> %d", method, shown_url(url), answer.status)
        return answer

    def _whole(self, answer: Response, raw: BaseHTTPResponse, pace: Pace) -> bytes:
        try:
            return read_whole(raw, pace)
        except ValueError as error:
            reason, where = f"{urlsplit(answer.url).netloc}: the response {error}", shown_url(answer.url)
            failed = RegistryError(reason, method=answer.method, url=where, status=answer.status)
            raise _Failed(failed) from None
        finally:
            answer.close()

    def _failure(self, error: HTTPError, method: str, url: str) -> _Failed:
        parts = urlsplit(url)
        found = explain(error, parts.netloc, self.hosts.proxies.get(parts.scheme, parts.netloc))
        unavailable = RegistryUnavailable(found.reason, method=method, url=shown_url(url), permanent=found.permanent)
        return _Failed(unavailable, untrusted=found.untrusted)

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


def _without_host(about: str, reason: str) -> str:
    """Return a reason without the host in front that the reference already names."""
    return reason.removeprefix(f"{about.partition('/')[0]}: ")


def _raise_about(about: str, error: RegistryError) -> NoReturn:
    """Raise an error with the reference in front, and without what led to it: that may have secrets."""
    error.reason = f"{about}: {_without_host(about, error.reason)}"
    error.args = (error.reason,)
    raise error from None

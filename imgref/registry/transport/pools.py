"""Connections: urllib3's pools with the TLS, the CAs and the proxy that a host needs."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import make_headers, parse_url
from urllib3.util.ssl_ import create_urllib3_context

from imgref.errors import ConfigError
from imgref.hosts import is_localhost, split_host
from imgref.registry.hosts import ClientCertificate
from imgref.registry.transport.reading import PacedResponse
from imgref.registry.transport.writing import STEP, send_all

__all__ = ["make_pools", "on_loopback", "queries_unlogged"]


class _Plain(HTTPConnection):
    response_class = PacedResponse

    def send(self, data: object) -> None:
        """Send a part of a request, or a piece of its body."""
        if isinstance(data, memoryview) and self.sock is not None:
            send_all(self.sock, data)
        else:
            super().send(data)  # type: ignore[arg-type]


class _Verified(HTTPSConnection):
    response_class = PacedResponse

    def send(self, data: object) -> None:
        """Send a part of a request, or a piece of its body: with TLS, the timeout is for all that is sent at once."""
        if isinstance(data, memoryview) and self.sock is not None:
            send_all(self.sock, data, STEP)
        else:
            super().send(data)  # type: ignore[arg-type]


class _Unverified(_Verified):
    """A connection whose certificate is intentionally not verified; imgref warns about it once, instead of urllib3."""

    def connect(self) -> None:
        super().connect()
        self.is_verified = True


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _VerifiedPool(HTTPSConnectionPool):
    ConnectionCls = _Verified


class _UnverifiedPool(HTTPSConnectionPool):
    ConnectionCls = _Unverified


def make_pools(
    proxy: str | None, scheme: str, verify: bool, authorities: list[str], client: ClientCertificate | None = None
) -> urllib3.PoolManager:
    """Create the pools for hosts with these CAs and this client certificate, through a proxy if there is one.

    Raises:
        ConfigError: the proxy, a file of CA certificates, or the client certificate cannot be used.
    """
    options: dict[str, object] = {"maxsize": 8, "block": False}
    if scheme == "https":
        options |= {
            "ssl_context": _context(verify, authorities, client),
            "cert_reqs": "CERT_REQUIRED" if verify else "CERT_NONE",
        }
    manager: urllib3.PoolManager
    if proxy is None:
        manager = urllib3.PoolManager(**options)  # type: ignore[arg-type]
    else:
        address = parse_url(proxy)
        if address.scheme not in ("http", "https"):
            reason = f"only http:// and https:// proxies can be used, not {address.scheme}://"
            raise ConfigError(reason, f"{scheme.upper()}_PROXY or ALL_PROXY")
        headers = make_headers(proxy_basic_auth=address.auth) if address.auth else None
        bare = address._replace(auth=None).url
        manager = urllib3.ProxyManager(bare, proxy_headers=headers, **options)  # type: ignore[arg-type]
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _VerifiedPool if verify else _UnverifiedPool}
    return manager


def _context(verify: bool, authorities: list[str], client: ClientCertificate | None) -> ssl.SSLContext:
    context = create_urllib3_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = True
    context.load_default_certs()
    for path in authorities:
        try:
            context.load_verify_locations(cafile=path)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError("holds no CA certificates that can be read (PEM)", path) from error
    if client is not None:
        _add_client(context, client)
    return context


def _add_client(context: ssl.SSLContext, client: ClientCertificate) -> None:
    try:
        # Without a password, OpenSSL would ask for that of an encrypted key on the terminal.
        context.load_cert_chain(client.certificate, client.key, password="")
    except (OSError, ValueError) as error:
        reason = f"with {client.key.name}, it is not a client certificate with its unencrypted key (PEM)"
        raise ConfigError(reason, str(client.certificate)) from error


def on_loopback(url: str, headers: dict[str, str]) -> str:
    """Resolve names below ``localhost`` to this machine, as RFC 6761 requires, whatever DNS returns."""
    parts = urlsplit(url)
    name, port = split_host(parts.netloc)
    if name == "localhost" or not is_localhost(name):
        return url
    headers["Host"] = parts.netloc
    return urlunsplit(parts._replace(netloc="localhost" if port is None else f"localhost:{port}"))


# urllib3 logs the target of every request, and a query may be a signature, or an upload's state.

_ours = threading.local()


class _WithoutQuery(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(_ours, "sending", 0) and isinstance(record.args, tuple):
            record.args = tuple(
                part.partition("?")[0] if isinstance(part, str) and "?" in part else part for part in record.args
            )
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutQuery())


@contextmanager
def queries_unlogged() -> Iterator[None]:
    """Keep queries out of urllib3's log while a request of this thread is sent, and no other's."""
    _ours.sending = getattr(_ours, "sending", 0) + 1
    try:
        yield
    finally:
        _ours.sending -= 1

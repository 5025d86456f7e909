"""What went wrong with a connection, in words that say what to do, and without what may be secret."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

__all__ = ["Failure", "declare", "explain", "explained", "queries_unlogged", "shown_url", "split"]

# What OpenSSL says where the other side does not speak TLS at all.
_PLAIN: Final = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE", "PACKET_LENGTH")
_UNKNOWN_ISSUER: Final = (2, 18, 19, 20, 21)
"""https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/: no issuer that is known, or self-signed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request failed; whether another try may do better; whether a certificate is to blame."""

    reason: str
    again: bool
    untrusted: bool = False


def explain(error: HTTPError, host: str, proxy: str | None) -> Failure:
    """Say why a request to a host failed."""
    certificate = _first(error, ssl.SSLCertVerificationError)
    if isinstance(certificate, ssl.SSLCertVerificationError):
        said = certificate.verify_message
        reason = f"the certificate of {host} is not trusted: {said}"
        if certificate.verify_code in _UNKNOWN_ISSUER:
            reason += f"; give its CA with --cacert FILE or as certs.d/{host}/ca.crt, or {declare(host)}"
        return Failure(reason, again=False, untrusted=True)
    if isinstance(_innermost(error), ssl.SSLError) and any(word in str(error).upper() for word in _PLAIN):
        return Failure(f"{host} does not speak https; if that is meant, {declare(host)}", again=False)
    through = f" (through the proxy {shown_url(proxy).rstrip('/')})" if proxy else ""
    return Failure(f"{host}: {explained(error)}{through}", again=not _is_lasting(error))


def explained(error: HTTPError) -> str:
    """Say in a few words what happened to a connection."""
    cause = _innermost(error)
    if isinstance(error, NameResolutionError) or isinstance(cause, socket.gaierror):
        return "the name is not known to DNS"
    if isinstance(error, ProxyError):
        return "the proxy refuses or cannot be reached"
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused; nothing listens there"
    if isinstance(cause, ConnectionResetError | BrokenPipeError):
        return "the connection was reset"
    if isinstance(cause, TimeoutError) or type(error) in (ConnectTimeoutError, ReadTimeoutError):
        return "no connection in time" if isinstance(error, ConnectTimeoutError) else "no answer in time"
    if isinstance(cause, ssl.SSLError) or isinstance(error, SSLError):
        said = cause.reason if isinstance(cause, ssl.SSLError) and cause.reason else "no agreement"
        return f"TLS failed ({said.lower().replace('_', ' ')})"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror[:1].lower() + cause.strerror[1:]
    return "the connection was cut" if isinstance(error, ProtocolError) else "the connection failed"


def declare(host: str) -> str:
    """Say how a host is declared insecure."""
    return f"declare the registry insecure with --insecure {host}"


def split(url: str) -> SplitResult | None:
    """Split an absolute http or https URL; None where it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None


def shown_url(url: str) -> str:
    """Give a URL without user, password, query and fragment, any of which may be secret.

    >>> shown_url("https://u:p@blobs.example/x?signature=s")
    'https://blobs.example/x'
    """
    parts = split(url)
    return "" if parts is None else f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _innermost(error: BaseException) -> BaseException:
    """Follow an error to what first went wrong; urllib3 keeps that as cause, as argument, or as an attribute."""
    for _ in range(8):
        inner = error.__cause__ or error.__context__
        if inner is None:
            inner = next((part for part in reversed(error.args) if isinstance(part, BaseException)), None)
        if inner is None:
            break
        error = inner
    return error


def _first(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    for _ in range(8):
        if isinstance(error, kind):
            return error
        parts = (error.__cause__, error.__context__, *reversed(error.args))
        inner = next((part for part in parts if isinstance(part, BaseException)), None)
        if inner is None:
            return None
        error = inner
    return None


def _is_lasting(error: HTTPError) -> bool:
    """Tell whether a name is not known, rather than a name server not reached."""
    cause = _innermost(error)
    return isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN


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

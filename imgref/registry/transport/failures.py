"""Explains why a connection failed and what to do, without secrets."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass
from typing import Final

from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NameResolutionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from imgref.registry.transport.addresses import shown_url
from imgref.registry.transport.reading import TooSlow

__all__ = ["Failure", "declare", "explain", "explained", "is_permanent"]

# OpenSSL's errors if the other side does not use TLS.
_PLAIN: Final = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE", "PACKET_LENGTH")
_UNKNOWN_ISSUER: Final = (2, 18, 19, 20, 21)
"""https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/: no issuer that is known, or self-signed."""

_CLIENT_ALERTS: Final = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "certificate required",
    # Servers written in Go sent this for a missing certificate too, before Go 1.21.
    "SSLV3_ALERT_BAD_CERTIFICATE": "bad certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "certificate expired",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "certificate revoked",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "certificate unknown",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "unsupported certificate",
    "TLSV1_ALERT_UNKNOWN_CA": "unknown CA",
}
"""What a server sends about the certificate of its client: https://www.rfc-editor.org/rfc/rfc8446#section-6.2."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request failed; whether it would fail the same way again; whether a certificate is to blame."""

    reason: str
    permanent: bool
    untrusted: bool = False


def explain(error: HTTPError, host: str, proxy: str | None) -> Failure:
    """Return why a request to a host failed."""
    certificate = _first(error, ssl.SSLCertVerificationError)
    if isinstance(certificate, ssl.SSLCertVerificationError):
        said = certificate.verify_message
        reason = f"the certificate of {host} is not trusted: {said}"
        if certificate.verify_code in _UNKNOWN_ISSUER:
            reason += f"; pass its CA with --cacert FILE or as certs.d/{host}/ca.crt, or {declare(host)}"
        return Failure(reason, permanent=True, untrusted=True)
    if isinstance(_innermost(error), ssl.SSLError) and any(
        word in str(error).upper().replace(" ", "_") for word in _PLAIN
    ):
        return Failure(f"{host} does not speak https; if that is meant, {declare(host)}", permanent=True)
    alert = _CLIENT_ALERTS.get(getattr(_innermost(error), "reason", None) or "")
    if alert is not None:
        advice = f"store one as certs.d/{host}/client.cert, with client.key"
        return Failure(f"{host} requires a client certificate that it trusts ({alert}); {advice}", permanent=True)
    through = f" (through the proxy {shown_url(proxy).rstrip('/')})" if proxy else ""
    return Failure(f"{host}: {explained(error)}{through}", permanent=is_permanent(error))


def explained(error: HTTPError) -> str:
    """Report in a few words what happened to a connection."""
    cause = _innermost(error)
    if isinstance(error, NameResolutionError) or isinstance(cause, socket.gaierror):
        return "the name is not known to DNS"
    if _first(error, TooSlow) is not None:
        return "the response arrives too slowly"
    if isinstance(error, LocationValueError):
        return "the address is not valid"
    if _is_no_http(error):
        return "the response is not valid HTTP"
    if isinstance(error, ProxyError):
        return "the proxy refuses or cannot be reached"
    return _explained_cause(error, cause)


def _explained_cause(error: HTTPError, cause: BaseException) -> str:
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


def is_permanent(error: HTTPError) -> bool:
    """Return whether another attempt would fail the same way."""
    never = isinstance(error, LocationValueError) or _first(error, TooSlow) is not None
    return never or _is_no_http(error) or _is_lasting(error)


def declare(host: str) -> str:
    """Return how to configure a host as insecure."""
    return f"allow an unverified connection with --insecure {host}"


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


def _is_no_http(error: HTTPError) -> bool:
    """Return whether the server sent what does not read as HTTP, rather than too little of it."""
    cause = _first(error, http.client.HTTPException)
    cut_short = isinstance(cause, http.client.IncompleteRead | http.client.RemoteDisconnected)
    return cause is not None and not cut_short


def _is_lasting(error: HTTPError) -> bool:
    """Return whether a name is not known, rather than a name server not reached."""
    cause = _innermost(error)
    return isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN

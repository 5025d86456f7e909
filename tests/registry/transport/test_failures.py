"""What went wrong with a connection, in words, and whether another try may do better."""

from __future__ import annotations

import socket
import ssl

import pytest
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from imgref.registry.transport.failures import explain, explained

POOL = HTTPConnectionPool("r.example")
HOST = "r.example:5000"


def tls(reason: str) -> SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] {reason.lower().replace('_', ' ')} (_ssl.c:1006)")
    error.reason = reason
    return SSLError(error)


@pytest.mark.parametrize(
    ("alert", "words"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "certificate required"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "bad certificate"),
        ("TLSV1_ALERT_UNKNOWN_CA", "unknown CA"),
    ],
)
def test_missing_client_certificate_is_named_and_not_retried(alert: str, words: str) -> None:
    found = explain(tls(alert), HOST, None)
    advice = f"store one as certs.d/{HOST}/client.cert, with client.key"
    assert found.reason == f"{HOST} requires a client certificate that it trusts ({words}); {advice}"
    assert found.permanent
    assert not found.untrusted


def certificate(code: int, message: str) -> SSLError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]")
    error.verify_code, error.verify_message = code, message
    return SSLError(error)


def caused(error: HTTPError, cause: BaseException) -> HTTPError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words", "again"),
    [
        (ProtocolError("aborted", ConnectionResetError(104, "reset")), "the connection was reset", True),
        (ProtocolError("aborted", BrokenPipeError(32, "pipe")), "the connection was reset", True),
        (ProtocolError("ended early"), "the connection was cut", True),
        (caused(HTTPError("x"), ConnectionRefusedError(111, "refused")), "connection refused; nothing", True),
        (caused(HTTPError("x"), OSError(113, "No route to host")), "no route to host", True),
        (HTTPError("x"), "the connection failed", True),
        (ReadTimeoutError(POOL, "/", "late"), "no answer in time", True),
        (ProtocolError("x", TimeoutError("late")), "no answer in time", True),
        (ConnectTimeoutError(POOL, "late"), "no connection in time", True),
        (caused(HTTPError("x"), socket.gaierror(socket.EAI_NONAME, "unknown")), "not known to DNS", False),
        (caused(HTTPError("x"), socket.gaierror(socket.EAI_AGAIN, "later")), "not known to DNS", True),
        (ProxyError("refused", OSError("Tunnel connection failed: 403")), "the proxy refuses", True),
        (caused(NewConnectionError(POOL, "x"), ConnectionRefusedError()), "connection refused", True),  # type: ignore[arg-type]
        (tls("TLSV1_ALERT_PROTOCOL_VERSION"), "TLS failed (tlsv1 alert protocol version)", True),
        (tls("WRONG_VERSION_NUMBER"), "does not speak https", False),
        (tls("HTTP_REQUEST"), "does not speak https", False),
        (tls("PACKET_LENGTH_TOO_LONG"), "does not speak https", False),
        (SSLError("nothing more is known"), "TLS failed (no agreement)", True),
    ],
    ids=range(18),
)
def test_explain_names_the_cause(error: HTTPError, words: str, again: bool) -> None:
    found = explain(error, HOST, None)
    assert words in found.reason
    assert found.reason.startswith(HOST)
    assert (not found.permanent, found.untrusted) == (again, False)


@pytest.mark.parametrize(
    ("code", "advised"), [(2, True), (18, True), (19, True), (20, True), (21, True), (10, False), (62, False)]
)
def test_explain_of_a_certificate_suggests_a_ca_where_it_may_help(code: int, advised: bool) -> None:
    found = explain(certificate(code, "why it is not"), HOST, None)
    assert f"certificate of {HOST} is not trusted: why it is not" in found.reason
    assert (f"certs.d/{HOST}/ca.crt" in found.reason) == advised
    assert (f"--insecure {HOST}" in found.reason) == advised
    assert (not found.permanent, found.untrusted) == (False, True)
    wrapped = caused(HTTPError("x"), certificate(code, "why"))
    assert explain(wrapped, HOST, None).untrusted


def test_explain_names_the_proxy_without_its_credentials() -> None:
    found = explain(ProtocolError("cut"), HOST, "http://ada:s3cret@proxy:3128/")
    assert found.reason.endswith("(through the proxy http://proxy:3128)")


def test_explained_of_errors_that_cause_each_other_ends() -> None:
    error, cause = HTTPError("x"), HTTPError("y")
    error.__cause__, cause.__cause__ = cause, error
    assert explained(error) == "the connection failed"
    assert not explain(error, HOST, None).untrusted

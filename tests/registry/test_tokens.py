"""How registries ask for credentials: the header as RFC 9110 has it, and as it comes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgref.registry.auth import Credentials
from imgref.registry.hosts import Declared, Hosts, Trust
from imgref.registry.tokens import Authenticator, Challenge, challenges
from imgref.registry.transport import Endpoint, Event, Transport, origin_of, retry_after

CASES = {
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"': [
        Challenge(
            "bearer",
            {
                "realm": "https://auth.docker.io/token",
                "service": "registry.docker.io",
                "scope": "repository:a/b:pull,push",
            },
        )
    ],
    'BASIC realm="a \\"quoted\\" one"': [Challenge("basic", {"realm": 'a "quoted" one'})],
    "Bearer realm = https://t/x?a=b , service=s": [Challenge("bearer", {"realm": "https://t/x?a=b", "service": "s"})],
    'Negotiate, Basic realm="x", Bearer realm="y"': [
        Challenge("negotiate", {}),
        Challenge("basic", {"realm": "x"}),
        Challenge("bearer", {"realm": "y"}),
    ],
    "Basic": [Challenge("basic", {})],
    "": [],
    ",,,": [],
    '"': [],
}


@pytest.mark.parametrize("header", CASES)
def test_challenges(header: str) -> None:
    assert challenges([header]) == CASES[header]


@given(st.lists(st.text(), max_size=3))
def test_any_header_is_read(headers: list[str]) -> None:
    for challenge in challenges(headers):
        assert challenge.scheme == challenge.scheme.lower()


@pytest.mark.parametrize(
    "header", ['Bearer realm="' + "\\" * 200_000, "Basic " * 100_000, "Bearer a=" + '"x",b=' * 90_000]
)
def test_a_long_header_takes_no_longer_than_it_must(header: str) -> None:
    assert isinstance(challenges([header]), list)


def test_retry_after() -> None:
    assert retry_after("7") == 7.0
    assert retry_after(" 0 ") == 0.0
    later = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 90))
    assert 85 < (retry_after(later) or 0) <= 90
    for nothing in ("", "-1", "soon", "1e9", "9" * 400, "٣"):
        assert retry_after(nothing) is None


def test_origins() -> None:
    assert origin_of("https://a.example/x?y") == "https://a.example:443"
    assert origin_of("http://[::1]:5000/") == "http://[::1]:5000"
    assert origin_of("https://a.example") != origin_of("http://a.example")
    assert origin_of("https://a.example:5001") != origin_of("https://a.example:9999")


DECLARED = ("insecure.example:5000", "insecure.example:5001", "other.example:5000", "insecure.example")
HTTPS, HTTP, UNVERIFIED = "verified https", "http", "unverified https"

# Each row: how the registry was reached, the registry, the realm, and what the reason to withhold contains ("": sent).
REALMS = [
    # A registry over verified https may name any service over verified https, and itself.
    (HTTPS, "registry.example", "https://registry.example/token", ""),
    (HTTPS, "registry.example", "https://auth.example/token", ""),
    (HTTPS, "registry.example", "https://other.example:5000/token", ""),
    (HTTPS, "registry.example", "https://localhost:5000/token", "not reached over verified https"),
    (HTTPS, "registry.example", "http://registry.example/token", "would be over plain http"),
    (HTTPS, "registry.example", "http://other.example:5000/token", "would be over plain http"),
    # One that is configured as insecure may name itself, also on another port that is configured, but nobody else.
    (HTTP, "insecure.example:5000", "http://insecure.example:5000/token", ""),
    (HTTP, "insecure.example:5000", "http://insecure.example:5001/token", ""),
    (HTTP, "insecure.example:5000", "http://other.example:5000/token", "not reached over verified https"),
    (HTTP, "insecure.example:5000", "http://insecure.example:6000/token", "it would go over plain http"),
    (HTTP, "insecure.example:5000", "https://insecure.example:5001/token", "not reached over verified https"),
    (HTTP, "insecure.example:5000", "https://auth.example/token", "not reached over verified https"),
    (HTTP, "insecure.example:5000", "https://insecure.example:6000/token", "not reached over verified https"),
    (HTTP, "insecure.example:5000", "http://auth.example/token", "it would go over plain http"),
    (HTTP, "insecure.example:5000", "http://localhost:5000/token", "not reached over verified https"),
    (UNVERIFIED, "insecure.example:5000", "https://insecure.example:5000/token", ""),
    (UNVERIFIED, "insecure.example:5000", "https://insecure.example:5001/token", ""),
    (UNVERIFIED, "insecure.example:5000", "https://insecure.example:6000/token", "not reached over verified https"),
    (UNVERIFIED, "insecure.example", "https://insecure.example:443/token", ""),
    (UNVERIFIED, "insecure.example:5000", "https://other.example:5000/token", "not reached over verified https"),
    (UNVERIFIED, "insecure.example:5000", "https://auth.example/token", "not reached over verified https"),
    (UNVERIFIED, "insecure.example:5000", "http://insecure.example:5001/token", "would be over plain http"),
    # Loopback may name loopback, and nobody else.
    (HTTP, "localhost:5000", "http://127.0.0.1:5001/token", ""),
    (HTTP, "localhost:5000", "https://localhost:5001/token", ""),
    (HTTP, "localhost:5000", "http://other.example:5000/token", "not reached over verified https"),
    (HTTP, "localhost:5000", "https://auth.example/token", "not reached over verified https"),
    (HTTP, "localhost:5000", "http://auth.example/token", "it would go over plain http"),
]


@pytest.mark.parametrize(("way", "registry", "realm", "reason"), REALMS)
def test_credentials_for_a_token_service_are_withheld_where_they_could_leak(
    way: str, registry: str, realm: str, reason: str
) -> None:
    transport = Transport(Hosts(tuple(Declared(host, "--insecure") for host in DECLARED)))
    scheme = "http" if way == HTTP else "https"
    endpoint = Endpoint(registry, f"{scheme}://{registry}", transport.trust(registry), verified=way == HTTPS)
    withheld = Authenticator(transport, Credentials({}))._withheld(endpoint, realm)
    assert (reason in withheld) if reason else withheld == ""


def test_credentials_over_an_unverified_connection_are_sent_with_a_warning() -> None:
    told: list[Event] = []
    transport = Transport(Hosts((Declared("insecure.example:5000", "--insecure"),)), told.append)
    endpoint = Endpoint("insecure.example:5000", "http://insecure.example:5000", Trust.DECLARED, verified=False)
    assert Authenticator(transport, Credentials({}))._withheld(endpoint, "http://insecure.example:5000/token") == ""
    assert [event.kind for event in told] == ["warning"]

"""How registries ask for credentials: the header as RFC 9110 has it, and as it comes."""

from __future__ import annotations

import time

import pytest
from growth import assert_linear
from hypothesis import given
from hypothesis import strategies as st

from imgref.registry.tokens import Challenge, challenges
from imgref.registry.transport import origin_of, retry_after

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
    ("start", "part"),
    [('Bearer realm="', "\\"), ("", "Basic "), ("Bearer a=", '"x",b='), ("", ","), ('Bearer a="', "x")],
)
def test_challenges_of_a_long_header_takes_linear_time(start: str, part: str) -> None:
    assert_linear(lambda size: start + part * (size // len(part)), lambda header: challenges([header]))


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

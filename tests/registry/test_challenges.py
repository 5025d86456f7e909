"""How registries ask for authentication: the header as RFC 9110 has it."""

from __future__ import annotations

import pytest
from growth import assert_linear
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref.registry.challenges import Challenge, challenges

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
    'AWS4-HMAC-SHA256  k1="a"  ,  k2  =  b': [Challenge("aws4-hmac-sha256", {"k1": "a", "k2": "b"})],
    'Negotiate, Basic realm="x", Bearer realm="y"': [
        Challenge("negotiate", {}),
        Challenge("basic", {"realm": "x"}),
        Challenge("bearer", {"realm": "y"}),
    ],
    "Basic": [Challenge("basic", {})],
    "": [],
    ",,,": [],
    '"': [],
    'realm="x"': [],
    "realm/x": [],
}


@each("header", CASES)
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

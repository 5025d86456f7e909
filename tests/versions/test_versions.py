"""Version schemes: what each reads, and in which order."""

from __future__ import annotations

import operator
from itertools import pairwise

import pytest
import semver
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version as Pep440
from tables import each

from imgref import InvalidVersion
from imgref.versions import SCHEMES, read_name, read_version

ORDERED = {
    "semver": [
        "0.0.1", "0.1.0", "1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
        "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.1.0", "1.10.0", "2.0.0",
        "10.0.0",
    ],
    "pep440": ["1.0.dev1", "1.0a1", "1.0a2", "1.0b1", "1.0rc1", "1.0", "1.0.post1", "1.0.1", "1.1", "1.10", "2"],
    "numeric": [
        "1.0.dev3", "1.0-alpha1", "1.0-alpha10", "1.0beta1", "1.0.rc1", "1.0", "1.0.1", "1.2", "1.10",
        "2024.01.15", "2024.2",
    ],
}  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES)
def test_versions_are_in_order(scheme: str) -> None:
    orders = [read_version(text, scheme).order for text in ORDERED[scheme]]
    assert orders == sorted(orders)
    assert all(one < other for one, other in pairwise(orders))


@each(
    ("one", "other", "scheme"),
    [
        ("1.2.3+a", "1.2.3+b", "semver"), ("v1.2.3", "1.2.3", "semver"), ("1.2", "1.2.0", "pep440"),
        ("1.2.3+a", "1.2.3+b", "pep440"), ("1.2", "1.2.0.0", "numeric"), ("2024.01", "2024.1", "numeric"),
        ("1.0rc1", "1.0-rc-1", "numeric"), ("1.0-RC1", "1.0-rc1", "numeric"), ("0", "0.0", "numeric"),
    ],
)  # fmt: skip
def test_versions_that_are_equal(one: str, other: str, scheme: str) -> None:
    assert read_version(one, scheme).order == read_version(other, scheme).order


identifiers = st.from_regex(r"0|[1-9][0-9]{0,3}|[0-9]{0,2}[A-Za-z-][0-9A-Za-z-]{0,3}", fullmatch=True)
semvers = st.builds(
    "{}.{}.{}{}".format,
    st.integers(0, 3), st.integers(0, 3), st.integers(0, 12),
    st.lists(identifiers, max_size=3).map(lambda words: "-" + ".".join(words) if words else ""),
)  # fmt: skip


@given(semvers, semvers)
def test_semver_order_is_that_of_the_semver_package(one: str, other: str) -> None:
    mine = (read_version(one).order > read_version(other).order) - (read_version(one).order < read_version(other).order)
    assert mine == semver.Version.parse(one).compare(other)


pep440s = st.from_regex(
    r"[0-3](?:\.[0-9]{1,2}){0,2}(?:(?:a|b|rc)[0-9])?(?:\.post[0-9])?(?:\.dev[0-9])?", fullmatch=True
)


@given(pep440s, pep440s)
def test_pep440_order_is_that_of_packaging(one: str, other: str) -> None:
    assert (read_version(one, "pep440").order < read_version(other, "pep440").order) == (Pep440(one) < Pep440(other))


@pytest.mark.parametrize(
    ("text", "scheme", "names"),
    [
        ("1.2", "semver", "--scheme pep440 or numeric reads it"),
        ("1.2.3rc2", "semver", "--scheme pep440 or numeric reads it"),
        ("1.2.3-alpine", "pep440", "--scheme semver reads it"),
        ("1.0.post1", "numeric", "--scheme pep440 reads it"),
        ("1!2.0", "pep440", "epoch"),
        (" ", "semver", "unset variable"),
        ("main", "semver", "MAJOR.MINOR.PATCH"),
    ],
)
def test_a_refusal_names_the_scheme_that_would_read_it(text: str, scheme: str, names: str) -> None:
    with pytest.raises(InvalidVersion, match=names):
        read_version(text, scheme)


@pytest.mark.parametrize(
    ("text", "hint"), [("=1.2.3", "1.2.3"), ("V1.2.3", "1.2.3"), (" 1.2.3\n", "1.2.3"), ("x", None)]
)
def test_a_refusal_may_know_what_was_meant(text: str, hint: str | None) -> None:
    with pytest.raises(InvalidVersion) as caught:
        read_version(text)
    assert caught.value.hint == hint
    assert "\n" not in str(caught.value)


@each(
    ("name", "scheme", "release"),
    [
        ("2", "semver", (2,)), ("v2.1", "semver", (2, 1)), ("2.1.4_b1", "semver", (2, 1, 4)), ("02.1", "semver", None),
        ("2.1_b1", "semver", None), ("latest", "semver", None), ("2.1.4_b_1", "semver", (2, 1, 4)),
        ("", "semver", None),
        ("sha-0a1b2c3", "numeric", None), ("1.2_b5", "numeric", (1, 2)), ("1.2_rc1", "pep440", (1, 2)),
        ("9" * 5000, "numeric", None), ("1.2.3\n", "semver", None), ("1.2\n", "pep440", None), ("²", "numeric", None),
    ],
)  # fmt: skip
def test_names_of_tags_are_read_more_widely(name: str, scheme: str, release: tuple[int, ...] | None) -> None:
    version = read_name(name, scheme)
    assert (version and version.release) == release


@each(
    ("text", "scheme", "channel"),
    [
        ("1.0.0-rc", "semver", "rc"), ("1.0.0-rc1", "semver", "rc"), ("1.0.0-rc.1", "semver", "rc"),
        ("1.0.0-RC.1", "semver", "RC"), ("1.0.0-rc.1-slim", "semver", None), ("1.0.0-rc.1.2", "semver", None),
        ("1.0.0-1", "semver", None), ("1.0.0", "semver", None), ("1.0a1", "pep440", "alpha"),
        ("1.0b1", "pep440", "beta"),
        ("1.0.dev1", "pep440", "dev"), ("1.0rc1.dev1", "pep440", "dev"), ("1.0.post1", "pep440", None),
        ("1.0-beta2", "numeric", "beta"), ("1.0-BETA2", "numeric", "beta"),
    ],
)  # fmt: skip
def test_channels(text: str, scheme: str, channel: str | None) -> None:
    assert read_version(text, scheme).channel == channel


@pytest.mark.parametrize("scheme", SCHEMES)
@given(text=st.text() | st.text("v0123456789.-_+abrcdevpost!"))
def test_read_version_of_any_string_raises_only_invalid_version(scheme: str, text: str) -> None:
    try:
        read_version(text, scheme)
    except InvalidVersion:
        return
    assert read_name(text, scheme) is not None


@pytest.mark.parametrize(
    ("scheme", "ordered"),
    [
        ("semver", ["1.9.0", "1.10.0-alpha", "1.10.0-rc.2", "1.10.0-rc.10", "1.10.0", "2.0.0"]),
        ("pep440", ["1.9", "1.10.dev1", "1.10a1", "1.10rc2", "1.10rc10", "1.10", "1.10.post1"]),
        ("numeric", ["1.9", "1.10-dev1", "1.10-beta", "1.10-rc2", "1.10-rc10", "1.10", "2024.1"]),
    ],
)
def test_versions_are_ordered_within_a_scheme(scheme: str, ordered: list[str]) -> None:
    versions = [read_version(text, scheme) for text in ordered]
    backwards = versions[::-1]
    assert sorted(backwards) == versions
    assert all(one < other and other > one and one <= other and not one >= other for one, other in pairwise(versions))


def test_spellings_of_a_version_are_neither_less_nor_greater() -> None:
    one, other = read_version("1.2.3"), read_version("v1.2.3+build")
    assert one <= other <= one
    assert not one < other
    assert not one > other


def test_versions_of_two_schemes_cannot_be_compared() -> None:
    for other in (read_version("1.2.3", "numeric"), "1.2.3", None):
        for compare in (operator.lt, operator.le, operator.gt, operator.ge):
            with pytest.raises(TypeError):
                compare(read_version("1.2.3"), other)  # type: ignore[arg-type]

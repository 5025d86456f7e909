"""Fine points of versions: build metadata, lengths, bare numbers, and bounds of ranges."""

from __future__ import annotations

import pytest
from tables import each

from imgref import InvalidVersion
from imgref.versions import VersionRange, read_name, read_names, read_version


@each(
    ("name", "scheme", "build"),
    [
        ("2.1.4_b1", "semver", "b1"),
        ("2.1.4+b1", "semver", "b1"),
        ("2.1.4", "semver", None),
        ("1.2+build.5-x", "numeric", "build.5-x"),
        ("1.0+_b", "numeric", "_b"),
        ("1.2+b5", "pep440", "b5"),
        ("1.2_b5", "pep440", "b5"),
        ("2.1.4_", "semver", ""),
        ("1.2rc1+b", "numeric", "b"),
    ],
)
def test_read_name_with_build_metadata_keeps_it(name: str, scheme: str, build: str | None) -> None:
    version = read_name(name, scheme)
    assert version is not None
    assert version.build == build


@each("name", ["2x1", "2.1x", "1.2.3\n", "1\u0662.2.3", "1.\u0662.3", "02", "2.01", ".1", "2."])
@each("suffix", ["", "_b"])
def test_read_name_of_what_is_not_a_version_is_none(name: str, suffix: str) -> None:
    assert read_name(name + suffix, "semver") is None


@pytest.mark.parametrize("name", ["\u0661.\u0662", "1.\u0662", "1.2\n"])
@pytest.mark.parametrize("scheme", ["pep440", "numeric"])
def test_read_name_of_other_digits_is_none(name: str, scheme: str) -> None:
    assert read_name(name, scheme) is None


@pytest.mark.parametrize(("name", "release"), [("123", (123,)), ("1.234", (1, 234)), ("10.0", (10, 0))])
def test_read_name_of_a_floating_tag_reads_numbers_of_any_length(name: str, release: tuple[int, ...]) -> None:
    version = read_name(name)
    assert version is not None
    assert version.release == release


@pytest.mark.parametrize(
    ("text", "channel"), [("1.0.0-rc-1", None), ("1.0.0-rc.123", "rc"), ("1.0.0-rc123", "rc"), ("1.0.0-rcx1", "rcx")]
)
def test_channel_of_a_prerelease_is_a_word_before_a_number(text: str, channel: str | None) -> None:
    assert read_version(text).channel == channel


def test_read_version_reads_at_most_256_characters() -> None:
    assert read_version("1.2.3+" + "a" * 250).text == "1.2.3"
    with pytest.raises(InvalidVersion, match="257 characters, more than the 256"):
        read_version("1.2.3+" + "a" * 251)


def test_versions_of_two_schemes_are_equal_if_all_but_their_order_is() -> None:
    assert read_version("1.2.3", "semver") == read_version("1.2.3", "numeric")
    assert read_version("1.2.3", "semver") != read_version("v1.2.3", "semver")


@pytest.mark.parametrize(
    ("text", "scheme", "plain", "bare"),
    [
        ("2", "numeric", True, True),
        ("2.1", "numeric", True, False),
        ("2-rc1", "numeric", False, False),
        ("2.1.0-rc.1", "semver", False, False),
        ("2.1.0+b", "semver", True, False),
    ],
)
def test_is_bare_of_a_single_number_only_is_true(text: str, scheme: str, plain: bool, bare: bool) -> None:
    version = read_version(text, scheme)
    assert (version.is_plain, version.is_bare) == (plain, bare)


def test_shares_of_missing_numbers_counts_them_as_zero() -> None:
    short, long = read_version("2", "numeric"), read_version("2.0.1", "numeric")
    assert short.shares(long, 2)
    assert not short.shares(long, 3)
    assert short.shares(long, 0)


@pytest.mark.parametrize(
    ("names", "scheme", "read"),
    [
        (["2", "2.1", "4711"], "semver", {"2", "2.1"}),
        (["3-rc1", "2.1", "3"], "numeric", {"3-rc1", "2.1"}),
        (["3-rc1", "4711"], "numeric", {"3-rc1", "4711"}),
    ],
)
def test_read_names_beside_longer_versions_leaves_out_bare_numbers(
    names: list[str], scheme: str, read: set[str]
) -> None:
    assert set(read_names(names, scheme)) == read


@each(
    ("text", "scheme", "version", "inside"),
    [
        ("   >=   1.2   ,   <   2   ", "semver", "1.3.0", True),
        ("<1.2.post1", "pep440", "1.2", True),
        ("<2.1", "numeric", "2-rc1", True),
        ("<2", "numeric", "2.0.0-rc1", False),
        ("<2", "semver", "3.0.0-rc.1", False),
        ("<2", "semver", "1.9.9-rc.1", True),
        ("<=2", "semver", "2.0.0", True),
        ("<2", "semver", "2.0.0", False),
        (">=2", "semver", "2.0.0", True),
        (">2", "semver", "2.0.1", True),
        (">2", "semver", "1.0.0", False),
        ("=2", "semver", "2.0.1", False),
        ("!=2", "semver", "2.0.1", True),
    ],
)
def test_range_with_prereleases_has_its_bounds(text: str, scheme: str, version: str, inside: bool) -> None:
    assert (read_version(version, scheme) in VersionRange.parse(text, scheme, prereleases=True)) is inside


@each(
    ("text", "scheme", "reason"),
    [
        ("1.2.3-", "semver", "MAJOR.MINOR.PATCH"),
        ("1.2.3-x_y", "semver", "MAJOR.MINOR.PATCH"),
        ("x", "pep440", "PEP 440 is dotted numbers"),
        ("1.x", "numeric", "a numeric version is dotted numbers"),
        ("", "numeric", "nothing is given"),
        ("v1!2.0", "pep440", "a version with an epoch cannot be a tag"),
        ("1!2.0", "semver", "MAJOR.MINOR.PATCH"),
        ("12!2.0", "pep440", "a version with an epoch cannot be a tag"),
        ("x1!2.0", "pep440", "PEP 440 is dotted numbers"),
        ("x" * 256, "semver", "MAJOR.MINOR.PATCH"),
    ],
)
def test_read_version_of_another_string_has_the_reason(text: str, scheme: str, reason: str) -> None:
    with pytest.raises(InvalidVersion, match=reason) as caught:
        read_version(text, scheme)
    assert "--scheme" not in str(caught.value) or scheme not in str(caught.value).partition("--scheme")[2]


@pytest.mark.parametrize(
    ("text", "hint"),
    [("==v1.2.3", "v1.2.3"), ("VV1.2.3", "1.2.3"), ("= 1.2.3", "1.2.3"), ("1.2.3=", None), ("=x", None)],
)
def test_hint_of_a_refused_version_is_what_was_meant(text: str, hint: str | None) -> None:
    with pytest.raises(InvalidVersion) as caught:
        read_version(text)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "scheme", "canonical"),
    [
        ("v1.2.3-rc.1+b5", "semver", "1.2.3-rc.1"),
        ("1.2.3+b5", "numeric", "1.2.3"),
        ("01.02-RC3", "numeric", "01.02-RC3"),
        ("1.2RC3+b", "pep440", "1.2rc3"),
    ],
)
def test_text_of_a_version_is_its_tag(text: str, scheme: str, canonical: str) -> None:
    version = read_version(text, scheme)
    assert version.text == canonical
    assert version.has_v is text.startswith("v")


def test_order_of_a_numeric_tail_without_a_number_is_that_of_zero() -> None:
    orders = [read_version(text, "numeric").order for text in ("1.0-rc", "1.0-rc0", "1.0-rc1", "1.0")]
    assert orders[0] == orders[1] < orders[2] < orders[3]


def test_channel_of_a_pep440_release_candidate_is_rc() -> None:
    assert read_version("1.0rc1", "pep440").channel == "rc"


def test_refusal_that_no_scheme_reads_names_none() -> None:
    with pytest.raises(InvalidVersion, match=r"and \+build, without leading zeros$"):
        read_version("x")

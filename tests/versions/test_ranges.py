"""Ranges of versions, and which names of a repository are versions at all."""

from __future__ import annotations

import pytest
from tables import each

from imgref.errors import InvalidVersion
from imgref.versions import VersionRange, read_names, read_version

CASES = [
    (">=1.2,<2", "1.2.0", True),
    (">=1.2,<2", "1.99.3", True),
    (">=1.2,<2", "1.1.9", False),
    (">=1.2,<2", "2.0.0", False),
    (" >= 1.2 , < 2 ", "1.3.0", True),
    (">1.2.3", "1.2.3", False),
    ("<=1.2.3", "1.2.3", True),
    ("==1.2.3", "1.2.3", True),
    ("=1.2", "1.2.0", True),
    ("!=1.2.3", "1.2.3", False),
    (">=1.2,<2", "1.3.0-rc.1", False),
    (">=1.3.0-rc.1,<2", "1.3.0-rc.2", True),
    (">=1.3.0-rc.1,<2", "2.0.0-rc.1", False),
    ("<=2.0.0-rc.2", "2.0.0-rc.1", True),
    ("<2.0.0-rc.2", "2.0.0-rc.1", True),
    ("~1.2.3", "1.2.3", True),
    ("~1.2.3", "1.2.99", True),
    ("~1.2.3", "1.2.2", False),
    ("~1.2.3", "1.3.0", False),
    ("~1.2", "1.2.0", True),
    ("~1.2", "1.3.0", False),
    ("~1", "1.99.0", True),
    ("~1", "2.0.0", False),
    ("~0", "0.9.0", True),
    (" ~ 1.2 ", "1.2.7", True),
    ("^1.2.3", "1.2.3", True),
    ("^1.2.3", "1.99.0", True),
    ("^1.2.3", "1.2.2", False),
    ("^1.2.3", "2.0.0", False),
    ("^1.2", "1.1.9", False),
    ("^1", "1.0.0", True),
    ("^0.2.3", "0.2.9", True),
    ("^0.2.3", "0.3.0", False),
    ("^0.0.3", "0.0.3", True),
    ("^0.0.3", "0.0.4", False),
    ("^0.0", "0.0.9", True),
    ("^0.0", "0.1.0", False),
    ("^0", "0.9.0", True),
    ("^0", "1.0.0", False),
    ("^1.2,<1.9", "1.8.9", True),
    ("^1.2,<1.9", "1.9.0", False),
    ("~1.2", "1.2.5-rc.1", False),
    ("^1.2", "2.0.0-rc.1", False),
    ("^1.3.0-rc.1", "1.3.0-rc.2", True),
    ("^1.3.0-rc.1", "1.3.0-beta.1", False),
    ("^1.3.0-rc.1", "2.0.0-rc.1", False),
    ("~1.3.0-rc.1", "1.4.0-rc.1", False),
]


@each(("text", "version", "inside"), CASES)
def test_range(text: str, version: str, inside: bool) -> None:
    assert (read_version(version) in VersionRange.parse(text)) is inside


def test_prereleases_where_they_are_asked_for() -> None:
    wanted = VersionRange.parse(">=1.2,<2", prereleases=True)
    assert read_version("1.3.0-rc.1") in wanted
    # It comes before 2.0.0, but nobody who wants less than 2 means it.
    assert read_version("2.0.0-rc.1") not in wanted


def test_schemes() -> None:
    assert read_version("2024.01.15", "numeric") in VersionRange.parse(">=2024.1,<2024.2", "numeric")
    assert read_version("10.0.2.9", "numeric") in VersionRange.parse("~10.0.1.4", "numeric")
    assert read_version("10.1", "numeric") not in VersionRange.parse("~10.0.1.4", "numeric")
    assert read_version("1.9", "pep440") in VersionRange.parse("^1.2", "pep440")
    assert read_version("2.0rc1", "pep440") not in VersionRange.parse("^1.2rc1", "pep440")
    assert read_version("1.2.post1", "pep440") in VersionRange.parse(">1.2", "pep440")
    assert read_version("1.2rc1", "pep440") not in VersionRange.parse(">=1.1", "pep440")


@each(
    "text", ["", ",", "1.2", ">=", ">=x", ">=1.2,", "~", "^x", "~>1.2", "^1.2 <2", ">=1.2 <2", ">=1.2\n"[:-1] + "\x00"]
)
def test_invalid_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidVersion, match="a range is comparisons joined by commas"):
        VersionRange.parse(text)


def test_names_that_are_versions() -> None:
    assert set(read_names(["2", "2.1", "2.1.3", "v3.0.0", "latest", "20240115", "4711", "1.2.3_b4"])) == {
        "2", "2.1", "2.1.3", "v3.0.0", "1.2.3_b4",
    }  # fmt: skip
    assert set(read_names(["1", "2", "10", "nightly"])) == {"1", "2", "10"}

"""Tags are read with their version and variant."""

from __future__ import annotations

from imgref.update import ListedTag, read_tags


def test_read_tags_names_each_tag_once_with_what_it_names() -> None:
    found = read_tags(["1.2.3", "1.2.3-alpine", "1.2.3-rc.1", "latest", "alpine", "1.2.3"])
    assert [tag.name for tag in found] == ["1.2.3", "1.2.3-alpine", "1.2.3-rc.1", "latest", "alpine"]
    assert [tag.version and tag.version.text for tag in found] == ["1.2.3", "1.2.3", "1.2.3-rc.1", None, None]
    assert [tag.variant for tag in found[:3]] == ["", "alpine", ""]


def test_read_tags_of_another_scheme() -> None:
    (found,) = read_tags(["1.2.3rc1"], "pep440")
    assert found.version is not None
    assert found.version.prerelease
    assert ListedTag("x").version is None

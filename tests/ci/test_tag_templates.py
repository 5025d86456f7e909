"""Templates of tags: what they can be, and what they become."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref import InvalidTag, UnknownBuild
from imgref.ci import Build, manual_build
from imgref.ci._tag_templates import PLACEHOLDERS, Facts, NoTag, Template
from imgref.versions import read_version

NOW = datetime(2026, 1, 2, 23, 4, 5, tzinfo=timezone(timedelta(hours=-2)))
SHA = "ABCDEF0123456789abcdef0123456789abcdef01"
BRANCH = manual_build("refs/heads/feature/x", sha=SHA)
TAG = manual_build("refs/tags/v2.1.3", sha=SHA)
PULL = manual_build(pull_request="42", sha=SHA)


def facts(build: Build, **changed: object) -> Facts:
    version = read_version(build.tag) if build.tag else None
    branch = "feature-x" if build.branch else None
    return Facts(build, version, branch, NOW, lambda sha: 0 if sha == SHA else None)


@each(
    ("template", "build", "text"),
    [
        ("x", BRANCH, "x"),
        ("{version}", TAG, "2.1.3"),
        ("v{major}.{minor}_{patch}", TAG, "v2.1_3"),
        ("{branch}-{sha}", BRANCH, "feature-x-abcdef0"),
        ("{sha:12}", PULL, "abcdef012345"),
        ("{slug}", BRANCH, "feature-x"),
        ("{slug}", TAG, "v2.1.3"),
        ("{slug}", PULL, "pr-42"),
        ("{pr}", PULL, "42"),
        ("{date}", PULL, "20260103"),
        ("{date:%Y-%m-%dT%H%M%S}", PULL, "2026-01-03T010405"),
        ("{commit-date:%Y.%j}", PULL, "1970.001"),
    ],
)
def test_template_is_rendered_with_the_facts_of_the_build(template: str, build: Build, text: str) -> None:
    assert Template(template).render(facts(build)) == text


@each(
    "template",
    [
        "", "-x", ".x", "a b", "a/b", "ä", "x\n", "{", "}", "{}", "{x}", "{Version}", "{{version}}", "{version",
        "version}", "{sha:0}", "{sha:6}", "{sha:65}", "{sha:x}", "{sha:}", "{version:x}", "{branch:}", "{date:}",
        "{date:%}", "{date:%c}", "{date:%H:%M}", "{date:%Y/%m}", "{date:%s}", "{date:%-d}", "x" + ":y", "{version}+b5",
    ],
)  # fmt: skip
def test_template_that_cannot_make_a_tag_raises_invalid_tag(template: str) -> None:
    with pytest.raises(InvalidTag):
        Template(template)


@pytest.mark.parametrize(
    ("template", "build"),
    [
        ("{version}", BRANCH), ("{major}", PULL), ("{branch}", TAG), ("{branch}", PULL), ("{pr}", BRANCH),
        ("{base}", TAG), ("{slug}", manual_build(event="schedule")),
    ],
)  # fmt: skip
def test_template_that_does_not_fit_the_event_has_no_tag(template: str, build: Build) -> None:
    with pytest.raises(NoTag):
        Template(template).render(facts(build))


@pytest.mark.parametrize(
    ("template", "build"),
    [
        ("{sha}", manual_build("refs/heads/x")), ("{sha:41}", BRANCH), ("{commit-date}", manual_build("refs/heads/x")),
        ("{commit-date}", manual_build("refs/heads/x", sha="0123456")), ("{base}", PULL), ("{build}", BRANCH),
    ],
)  # fmt: skip
def test_template_whose_value_should_be_known_raises_unknown_build(template: str, build: Build) -> None:
    with pytest.raises(UnknownBuild):
        Template(template).render(facts(build))


def test_template_of_a_version_with_fewer_numbers_has_no_tag() -> None:
    short = Facts(TAG, read_version("2026", "numeric"), None, NOW.astimezone(UTC), lambda sha: None)
    with pytest.raises(NoTag, match="2026 has no minor number"):
        Template("{minor}").render(short)


@given(st.lists(st.sampled_from([*(f"{{{name}}}" for name in PLACEHOLDERS), "-", ".", "x", "{", "}", ":", "%Y"])))
def test_template_of_any_parts_is_rendered_or_refused(parts: list[str]) -> None:
    try:
        text = Template("".join(parts)).render(facts(PULL))
    except (InvalidTag, NoTag, UnknownBuild):
        return
    assert text
    assert text[0] not in ".-"
    assert not set(text) & set(" :/{}%")

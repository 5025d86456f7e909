"""Rules that add tags, and the guard that keeps them from being the tags of other versions."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref import ImgrefError, InvalidTag, InvalidVersion, TagPolicy, UnknownBuild
from imgref.ci import BuildPolicy, TagRule, manual_build, matched_build, matched_version, plan_build
from imgref.versions import SCHEMES, read_name

SHA = "abcdef0123456789"
MAIN = manual_build("refs/heads/main", sha=SHA)
OTHER = manual_build("refs/heads/feature/x", sha=SHA)
TAG = manual_build("refs/tags/v2.1.3", sha=SHA)
PULL = manual_build(pull_request="42", sha=SHA)
NIGHT = manual_build("refs/heads/main", event="schedule", sha=SHA)
HOW = BuildPolicy(default_branch="main", now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def rules(*templates: str, **how: object) -> BuildPolicy:
    how.setdefault("default_tags", False)
    return replace(HOW, rules=[TagRule(template) for template in templates], **how)  # type: ignore[arg-type]


MADE = {
    "a sortable tag of a branch": (
        OTHER,
        "{branch}-{date:%Y%m%dT%H%M%S}-{sha}",
        ("feature-x-20260102T030405-abcdef0",),
    ),
    "the default branch's latest": (MAIN, "latest", ("latest",)),
    "the default branch's latest on a schedule": (NIGHT, "latest", ("latest",)),
    "a dated nightly": (NIGHT, "nightly-{date}", ("nightly-20260102",)),
    "a date": (NIGHT, "{date}", ("20260102",)),
    "a date and a time": (NIGHT, "{date:%Y%m%d-%H%M%S}", ("20260102-030405",)),
    "the commit": (MAIN, "{sha:12}", ("abcdef012345",)),
    "the prefixed commit": (MAIN, "sha-{sha:12}", ("sha-abcdef012345",)),
    "the version with v": (TAG, "v{version}", ("v2.1.3",)),
    "a floating tag": (TAG, "{major}.{minor}", ("2.1",)),
    "a floating tag with v": (TAG, "v{major}", ("v2",)),
    "latest of a version": (TAG, "latest", ("latest",)),
    "the version and the commit": (TAG, "{version}-{sha}", ("2.1.3-abcdef0",)),
    "text that is no version": (TAG, "release-{version}", ("release-2.1.3",)),
    "the pull request": (PULL, "pr-{pr}", ("pr-42",)),
    "the pull request and the commit": (PULL, "pr-{pr}-{sha}", ("pr-42-abcdef0",)),
}


@each("case", MADE.values())
def test_rule_makes_the_tag_of_its_template(case: tuple[object, str, tuple[str, ...]]) -> None:
    build, template, tags = case
    assert plan_build(build, rules(template)).plan.tags == tags  # type: ignore[arg-type]


REFUSED = {
    "another version": (TAG, "9.9.9"),
    "another version's floating tag": (TAG, "9"),
    "a pre-release of the same version": (TAG, "{version}-rc.1"),
    "a variant of the same version": (TAG, "{version}-alpine"),
    "a version on a branch": (MAIN, "1.2.3"),
    "a date that is a version": (MAIN, "{date:%Y.%m.%d}"),
    "a short number": (NIGHT, "{date:%Y}"),
    "the number of a pull request": (PULL, "{pr}"),
    "another pull request": (MAIN, "pr-7"),
    "the beginning of another pull request": (PULL, "pr-{pr}1"),
    "another commit": (MAIN, "sha-1234567"),
    "latest on another branch": (OTHER, "latest"),
    "latest in a pull request": (PULL, "latest"),
    "edge on another branch": (OTHER, "edge"),
    "nightly on a branch": (MAIN, "nightly"),
}


@each("case", REFUSED.values())
def test_rule_whose_tag_could_be_anothers_raises_invalid_tag(case: tuple[object, str]) -> None:
    build, template = case
    with pytest.raises(InvalidTag, match="makes it for this build"):
        plan_build(build, rules(template))  # type: ignore[arg-type]


def test_rule_never_moves_a_tag_that_the_plan_holds() -> None:
    plan = plan_build(TAG, rules("v{major}", "latest", "{version}", existing=["2.2.0"])).plan
    assert plan.tags == ("2.1.3",)
    assert [(held.tag, held.because) for held in plan.held] == [("v2", "2.2.0"), ("latest", "2.2.0")]


@pytest.mark.parametrize("template", ["{major}", "{major}.{minor}", "latest"])
def test_rule_for_a_floating_tag_that_a_version_does_not_get_makes_none(template: str) -> None:
    done = plan_build(manual_build("refs/tags/v2.0.0-rc.1"), rules(template, default_tags=True))
    assert done.plan.tags == ("2.0.0-rc.1",)
    assert f"no tag from {template!r}: 2.0.0-rc.1 does not move" in done.notes[0]


def test_rule_for_a_floating_tag_that_the_policy_omits_makes_it() -> None:
    policy = TagPolicy(floating=())
    assert plan_build(TAG, rules("{major}", policy=policy, default_tags=True)).plan.tags == ("2.1.3", "2")


def test_rule_has_the_suffixes_of_the_policy() -> None:
    policy = TagPolicy(suffix=("", "alpine"))
    done = plan_build(MAIN, rules("{branch}-{sha}", "latest", policy=policy))
    assert done.plan.tags == ("main-abcdef0", "main-abcdef0-alpine", "latest", "alpine")


def test_branch_named_like_a_version_is_prefixed_in_rules_too() -> None:
    done = plan_build(manual_build("refs/heads/1.2.3", sha=SHA), rules("{branch}-{sha}"))
    assert done.plan.tags == ("branch-1.2.3-abcdef0",)


def test_commit_that_reads_as_a_version_is_refused_in_a_scheme_where_it_is_one() -> None:
    build = manual_build("refs/heads/main", sha="1234567" + "a" * 33)
    assert plan_build(build, rules("{sha}")).plan.tags == ("1234567",)
    for scheme in ("numeric", "pep440"):
        with pytest.raises(InvalidTag):
            plan_build(build, rules("{sha}", policy=TagPolicy(scheme=scheme)))


def test_latest_without_a_known_default_branch_raises_unknown_build() -> None:
    with pytest.raises(UnknownBuild, match="default branch"):
        plan_build(MAIN, rules("latest", default_branch=None))


@each(
    ("on", "branch", "holds"),
    [
        ((), (), "MOTPN"), (("tag",), (), "T"), (("branch",), (), "MO"), (("pr",), (), "P"), (("schedule",), (), "N"),
        (("default-branch",), (), "M"), (("default-branch", "tag"), (), "MT"), ((), ("feature/*",), "O"),
        (("branch",), ("main", "release/*"), "M"), ((), ("m*",), "MN"),
    ],
)  # fmt: skip
def test_rule_applies_to_the_builds_of_its_conditions(on: tuple[str, ...], branch: tuple[str, ...], holds: str) -> None:
    how = replace(HOW, default_tags=False, rules=[TagRule("x", on=on, branch=branch)])
    builds = {"M": MAIN, "O": OTHER, "T": TAG, "P": PULL, "N": NIGHT}
    assert "".join(name for name, build in builds.items() if plan_build(build, how).plan.tags) == holds


def test_rule_with_a_condition_that_is_not_known_raises_value_error() -> None:
    with pytest.raises(ValueError, match="on is one of tag, branch"):
        TagRule("x", on=("push",))


def test_merge_group_gets_the_tags_of_rules_and_its_commit() -> None:
    queue = manual_build("refs/heads/gh-readonly-queue/main/pr-1", sha=SHA)
    done = plan_build(queue, rules("queue-{sha}", sha=True))
    assert done.plan.tags == ("queue-abcdef0", "sha-abcdef0")


@pytest.mark.parametrize(
    ("pattern", "name", "version"),
    [
        ("app/(.+)", "app/v1.2.3", "v1.2.3"), ("app/(.+)", "web/v1.2.3", None), (".+", "v1", "v1"),
        (r"(app|web)-(?P<version>[\d.]+)", "web-1.2.3", "1.2.3"), (r"\d+", "app-1", None), ("(a)?b", "b", None),
    ],
)  # fmt: skip
def test_match_finds_the_version_in_a_whole_name(pattern: str, name: str, version: str | None) -> None:
    assert matched_version(name, pattern) == version


def test_match_builds_a_branch_as_its_version_and_leaves_others() -> None:
    build, note = matched_build(manual_build("refs/heads/release/1.2.3"), "release/(.+)")
    assert (build.event, build.tag) == ("tag", "1.2.3")
    assert "release/1.2.3" in note
    assert matched_build(MAIN, "release/(.+)") == (MAIN, "")
    assert matched_build(PULL, ".*") == (PULL, "")
    with pytest.raises(InvalidVersion):
        matched_build(TAG, "release/(.+)")


names = st.sampled_from(["1.2.3", "v2", "main", "feature/x", "latest", "edge", "rc", "pr-7", "alpine", "2026.1.2"])
builds = st.one_of(
    names.map(lambda name: manual_build(f"refs/heads/{name}", sha=SHA)),
    names.map(lambda name: manual_build(f"refs/heads/{name}", event="schedule", sha=SHA)),
    st.sampled_from(["1.2.3", "v2.0.0-rc.1", "0.3.0"]).map(lambda name: manual_build(f"refs/tags/{name}", sha=SHA)),
    st.just(PULL),
)
parts = st.lists(
    st.sampled_from([
        "{version}", "{major}", "{minor}", "{branch}", "{slug}", "{pr}", "{sha}", "{date}", "v", "-", ".", "1", "rc",
        "latest", "edge", "alpine", "x",
    ]),
    min_size=1,
    max_size=4,
).map("".join)  # fmt: skip


@given(builds, parts, st.sampled_from([("",), ("alpine",), ("", "alpine")]), st.booleans())
def test_rule_of_any_build_never_makes_the_tag_of_another_version(
    build: object, template: str, suffix: tuple[str, ...], existing: bool
) -> None:
    policy = TagPolicy(suffix=suffix)
    known = ["9.0.0", "9.0.0-alpine"] if existing else None
    try:
        plan = plan_build(build, rules(template, policy=policy, existing=known)).plan  # type: ignore[arg-type]
    except ImgrefError:
        return
    own = getattr(build, "tag", None) or ""
    for tag in plan.tags:
        assert re.fullmatch("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", tag)
        if existing and own:
            assert tag not in ("latest", "alpine")
        bare = tag.removesuffix("-alpine").removeprefix("v")
        reads = any(read_name(bare, scheme) is not None for scheme in SCHEMES)
        version = own.removeprefix("v")
        is_own = version and (version == bare or version.startswith(f"{bare}.") or bare.startswith(f"{version}-"))
        assert not reads or is_own or bare.replace("-", "").isdecimal() or "abcdef0" in bare or "20260102" in bare

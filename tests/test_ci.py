"""What a CI says, as values; the commands' tables hold what is printed for each system."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgref import ExistingTags, ImgrefError, TagPolicy, UnknownBuild
from imgref._ci_systems import SYSTEMS
from imgref.ci import detect, tags_of_build

GITLAB = {"GITLAB_CI": "true"}


def test_every_system_has_a_name_and_a_marker_of_its_own() -> None:
    assert len({system.name for system in SYSTEMS}) == len({system.markers for system in SYSTEMS}) == len(SYSTEMS)


def test_a_build_says_which_variable_told_it() -> None:
    build = detect({**GITLAB, "CI_COMMIT_TAG": "v1.0.0", "CI_COMMIT_SHA": "0" * 40})
    assert (build.event, build.tag, build.branch) == ("tag", "v1.0.0", None)
    assert build.told_by == {"event": "CI_COMMIT_TAG", "tag": "CI_COMMIT_TAG", "sha": "CI_COMMIT_SHA"}


def test_no_ci_lists_what_was_looked_for() -> None:
    with pytest.raises(UnknownBuild) as caught:
        detect({"CI": "true"})
    assert caught.value.system is None
    assert all(system.name in str(caught.value) for system in SYSTEMS)


def test_woodpecker_is_not_taken_for_drone_and_gitlab_not_for_woodpecker() -> None:
    both = {"CI": "woodpecker", "DRONE": "true", "CI_COMMIT_BRANCH": "main"}
    assert detect(both).system == "Woodpecker"
    assert detect({**both, "CI": "true", "DRONE_BRANCH": "main"}).system == "Drone"
    assert detect({**GITLAB, "CI": "true", "CI_COMMIT_BRANCH": "main"}).system == "GitLab CI"


@pytest.mark.parametrize("address", ["https://user:secret@host/a/b.git", "https://secret@host/a/b"])
def test_the_address_of_the_sources_holds_no_credentials(address: str) -> None:
    build = detect({"BUILDKITE": "true", "BUILDKITE_BRANCH": "main", "BUILDKITE_REPO": address})
    assert build.source == "https://host/a/b"


@pytest.mark.parametrize(
    "content", [[], 1, {"number": True}, {"repository": []}, {"repository": {"default_branch": {}}}]
)
def test_an_event_file_of_any_shape_is_read(tmp_path: Path, content: object) -> None:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(content))
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/heads/main", "GITHUB_EVENT_PATH": str(path)}
    assert detect(environ).default_branch is None
    with pytest.raises(UnknownBuild, match="pull request's number"):
        detect({**environ, "GITHUB_EVENT_NAME": "pull_request_target"})


def test_a_git_tag_is_planned_against_what_exists() -> None:
    build = detect({**GITLAB, "CI_COMMIT_TAG": "v1.9.7"})
    tags = tags_of_build(build, existing=[ExistingTags(("v2.0.0",), "git", "git")])
    assert tags.plan.tags == ("1.9.7", "1.9", "1")
    assert [held.tag for held in tags.plan.held] == ["latest"]


names = st.text(min_size=1, max_size=200)
suffixes = st.sampled_from([("",), ("alpine",), ("", "slim-bookworm")])


@given(names, suffixes, st.booleans(), st.booleans())
def test_a_branch_never_gets_the_tag_of_a_release(
    branch: str, suffix: tuple[str, ...], default: bool, sha: bool
) -> None:
    environ = {
        **GITLAB,
        "CI_COMMIT_BRANCH": branch,
        "CI_COMMIT_SHA": "0123456789",
        "CI_DEFAULT_BRANCH": branch if default else "x",
    }
    policy = TagPolicy(suffix=suffix)
    try:
        tags = tags_of_build(detect(environ), policy=policy, sha=sha).plan.tags
    except ImgrefError:
        return
    assert len(set(tags)) == len(tags)
    assert all(0 < len(tag) <= 128 for tag in tags)
    assert not set(tags) & {"latest", "1.2.3", "1.2", "1", "alpine", "slim-bookworm"}
    assert sum(tag.startswith("sha-0123456") for tag in tags) == sha * len(suffix)


variables = sorted(
    {
        name
        for system in SYSTEMS
        for name in (
            "CI",
            system.markers[0][0],
            system.ref or "CI",
            *system.tag,
            *system.branch,
            *system.pull_request,
            *system.sha,
        )
    }
)
values = st.text(max_size=12) | st.sampled_from(
    ["true", "false", "refs/tags/v1.0.0", "refs/heads/main", "woodpecker", "7"]
)


@given(st.dictionaries(st.sampled_from(variables), values))
def test_no_environment_raises_anything_but_imgref_errors(environ: dict[str, str]) -> None:
    try:
        build = detect(environ)
        tags_of_build(build, sha=True)
    except ImgrefError:
        return
    assert build.event in ("tag", "branch", "pull-request", "schedule")

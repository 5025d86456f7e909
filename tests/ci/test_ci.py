"""What a CI says, as values; the commands' tables hold what is printed for each system."""

from __future__ import annotations

import json
import re
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref import ExistingTags, ImgrefError, TagPolicy, UnknownBuild
from imgref.ci import Build, detect, tags_of_build
from imgref.ci._forms import HEAD_COMMIT
from imgref.ci._system import System
from imgref.ci._systems import SYSTEMS

GITLAB = {"GITLAB_CI": "true"}


def running(system: System) -> dict[str, str]:
    """Return the variables with which a system is detected."""
    marker, value = system.markers[0]
    return {marker: value or "true", **dict.fromkeys(system.beside, "1")}


def test_every_system_has_a_name_and_a_marker_of_its_own() -> None:
    assert len({system.name for system in SYSTEMS}) == len({system.markers for system in SYSTEMS}) == len(SYSTEMS)


def test_build_names_the_variable_of_each_value() -> None:
    build = detect({**GITLAB, "CI_COMMIT_TAG": "v1.0.0", "CI_COMMIT_SHA": "a" * 40})
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
def test_source_url_has_no_credentials(address: str) -> None:
    build = detect({"BUILDKITE": "true", "BUILDKITE_BRANCH": "main", "BUILDKITE_REPO": address})
    assert build.source == "https://host/a/b"


@pytest.mark.parametrize(
    "content", [[], 1, {"number": True}, {"repository": []}, {"repository": {"default_branch": {}}}]
)
def test_an_event_file_of_any_shape_is_read(tmp_path: Path, content: object) -> None:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(content))
    environ = {
        "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main",
        "GITHUB_EVENT_PATH": str(path),
    }  # fmt: skip
    assert detect(environ).default_branch is None
    with pytest.raises(UnknownBuild, match="pull request's number"):
        detect({**environ, "GITHUB_EVENT_NAME": "pull_request_target"})


def test_a_git_tag_is_planned_against_what_exists() -> None:
    build = detect({**GITLAB, "CI_COMMIT_TAG": "v1.9.7"})
    tags = tags_of_build(build, existing=[ExistingTags(("v2.0.0",), "git", "git")])
    assert tags.plan.tags == ("1.9.7", "1.9", "1")
    assert [held.tag for held in tags.plan.held] == ["latest"]


SHA, HEAD = "b" * 40, "c" * 40
GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/heads/main", "GITHUB_SHA": SHA}
REPOSITORY = {"default_branch": "main", "full_name": "acme/app", "id": 1}


def github(tmp_path: Path, event: str, payload: object = None, **environ: str) -> Build:
    """Detect a build of a GitHub event; the ref is that of the default branch unless it is given."""
    path = tmp_path / "event.json"
    path.write_text(json.dumps({"repository": REPOSITORY, **payload} if isinstance(payload, dict) else payload))
    return detect({**GITHUB, "GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(path), **environ})


def run_of(event: object, **facts: object) -> dict[str, object]:
    run = {"event": event, "head_branch": "main", "head_sha": HEAD, "pull_requests": [], **facts}
    return {"workflow_run": run}


PULL_REQUEST = {"pull_request": {"number": 42, "head": {"sha": HEAD}}}

ACCEPTED = {
    "push": (("push", {}), ("main", "edge", "sha-bbbbbbb")),
    "create": (("create", {}), ("main", "edge", "sha-bbbbbbb")),
    "workflow_dispatch": (("workflow_dispatch", {}), ("main", "edge", "sha-bbbbbbb")),
    "repository_dispatch": (("repository_dispatch", {}), ("main", "edge", "sha-bbbbbbb")),
    "schedule": (("schedule", {}), ("nightly", "sha-bbbbbbb")),
    "pull_request_target": (("pull_request_target", {"number": 42, **PULL_REQUEST}), ("pr-42", "sha-ccccccc")),
    "a merged pull_request, whose ref is the base": (("pull_request", PULL_REQUEST), ("pr-42", "sha-ccccccc")),
    "pull_request_review": (("pull_request_review", PULL_REQUEST), ("pr-42", "sha-ccccccc")),
    "pull_request_review_comment": (("pull_request_review_comment", PULL_REQUEST), ("pr-42", "sha-ccccccc")),
    "merge_group": (("merge_group", {}), ("sha-bbbbbbb",)),
    "workflow_run of a push": (("workflow_run", run_of("push")), ("main", "edge", "sha-ccccccc")),
    "workflow_run of a push to another branch": (
        ("workflow_run", run_of("push", head_branch="feature/x", pull_requests=[{"number": 7}])),
        ("feature-x", "sha-ccccccc"),
    ),
    "workflow_run of a schedule": (("workflow_run", run_of("schedule")), ("nightly", "sha-ccccccc")),
    "workflow_run of a pull request": (
        ("workflow_run", run_of("pull_request", pull_requests=[{"number": 42}])),
        ("pr-42", "sha-ccccccc"),
    ),
}


@pytest.mark.parametrize("case", ACCEPTED.values(), ids=ACCEPTED)
def test_github_event_that_is_accepted_gets_the_tags_of_what_it_acts_for(
    tmp_path: Path, case: tuple[tuple[str, dict[str, object]], tuple[str, ...]]
) -> None:
    (event, payload), tags = case
    assert tags_of_build(github(tmp_path, event, payload), sha=True).plan.tags == tags


NULL = "0" * 40
NUMBERS: tuple[object, ...] = (None, True, "42", 4.2, 42.0, 0, -1, 10**30, [42, 43], {})
REFUSED: dict[str, tuple[str, object]] = {
    **{event: (event, {}) for event in ("", "delete", "check_run", "status", "deployment", "issues", "PUSH", "push ")},
    "a deletion": ("push", {"deleted": True}),
    "a deletion, as a string": ("push", {"deleted": "true"}),
    "a deletion that only the commit tells": ("push", {"after": NULL}),
    "a release that was deleted": ("release", {"action": "deleted"}),
    "a release on a branch": ("release", {"action": "published"}),
    "issue_comment on an issue": ("issue_comment", {"issue": {"number": 42}}),
    "issue_comment without a number": ("issue_comment", {"issue": {"pull_request": {}}}),
    "workflow_run for a fork": ("workflow_run", run_of("pull_request")),
    "workflow_run for two pull requests": (
        "workflow_run",
        run_of("pull_request", pull_requests=[{"number": 1}, {"number": 2}]),
    ),
    "workflow_run for a pull request of another repository": (
        "workflow_run",
        run_of("pull_request", pull_requests=[{"number": 1, "base": {"repo": {"id": 2}}}]),
    ),
    "workflow_run of a push to another repository": (
        "workflow_run",
        run_of("push", head_repository={"full_name": "other/app"}),
    ),
    "workflow_run of a git tag or a branch": ("workflow_run", run_of("push", head_branch="v1.2.3")),
    "workflow_run of a prefixed git tag or a branch": ("workflow_run", run_of("push", head_branch="app-1.2.3")),
    "workflow_run without a branch": ("workflow_run", run_of("push", head_branch=None)),
    "workflow_run of workflow_run": ("workflow_run", run_of("workflow_run")),
    "workflow_run of something that is not a string": ("workflow_run", run_of(["push"])),
    "workflow_run without a file": ("workflow_run", None),
    **{
        f"pull_request_target with the number {number!r}": ("pull_request_target", {"number": number})
        for number in NUMBERS
    },
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_github_event_that_cannot_be_known_raises_unknown_build(tmp_path: Path, case: tuple[str, object]) -> None:
    with pytest.raises(UnknownBuild):
        github(tmp_path, *case)


@pytest.mark.parametrize("event", ["check_run", ""])
def test_github_event_that_is_refused_is_named_with_the_accepted_ones(tmp_path: Path, event: str) -> None:
    with pytest.raises(UnknownBuild) as caught:
        github(tmp_path, event, {})
    assert f"GITHUB_EVENT_NAME is {repr(event) if event else 'empty'}" in str(caught.value)
    assert "accepted events: push, create, release, workflow_dispatch, repository_dispatch, schedule" in str(
        caught.value
    )


@pytest.mark.parametrize("sha", [None, "", NULL, "main", 7, "c" * 6, "c" * 65, f"{HEAD}\n"])
def test_github_pull_request_target_without_its_head_commit_has_no_commit(tmp_path: Path, sha: object) -> None:
    build = github(tmp_path, "pull_request_target", {"number": 42, "pull_request": {"head": {"sha": sha}}})
    assert (build.pull_request, build.sha) == ("42", None)
    with pytest.raises(UnknownBuild, match="--sha"):
        tags_of_build(build, sha=True)


def test_github_comment_on_a_pull_request_has_no_commit(tmp_path: Path) -> None:
    build = github(tmp_path, "issue_comment", {"issue": {"number": 42, "pull_request": {"url": "x"}}})
    assert (build.event, build.pull_request, build.sha) == ("pull-request", "42", None)


def test_github_build_without_an_event_is_known_only_for_a_git_tag_or_pull_request() -> None:
    assert detect({**GITHUB, "GITHUB_REF": "refs/tags/v1.2.3"}).tag == "v1.2.3"
    assert detect({**GITHUB, "GITHUB_REF": "refs/pull/42/merge"}).pull_request == "42"
    with pytest.raises(UnknownBuild, match="GITHUB_EVENT_NAME is not set"):
        detect(GITHUB)


def test_github_pull_request_has_the_merge_commit_that_the_workflow_builds(tmp_path: Path) -> None:
    build = github(tmp_path, "pull_request", PULL_REQUEST, GITHUB_REF="refs/pull/42/merge")
    assert (build.pull_request, build.sha) == ("42", SHA)


@pytest.mark.parametrize("event", ["pull_request_target", "pull_request_review", "pull_request_review_comment"])
def test_github_event_with_a_head_commit_in_its_file_never_has_that_of_the_environment(
    tmp_path: Path, event: str
) -> None:
    for ref in ("refs/heads/main", "refs/pull/42/merge", ""):
        assert github(tmp_path, event, PULL_REQUEST, GITHUB_REF=ref).sha == HEAD
        build = github(tmp_path, event, {"pull_request": {"number": 42}}, GITHUB_REF=ref)
        assert (build.pull_request, build.sha) == ("42", None)


def test_github_release_and_dispatch_of_a_git_tag_get_its_plan(tmp_path: Path) -> None:
    for event in ("release", "workflow_dispatch", "schedule", "create"):
        build = github(tmp_path, event, {"action": "published"}, GITHUB_REF="refs/tags/v1.2.3")
        assert tags_of_build(build).plan.tags[0] == "1.2.3"


@pytest.mark.parametrize("system", ["GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS"])
def test_github_merge_group_without_sha_gets_no_tags(tmp_path: Path, system: str) -> None:
    branch = "refs/heads/gh-readonly-queue/main/pr-42-0123"
    for event in ("merge_group", "push"):
        build = github(tmp_path, event, {}, GITHUB_REF=branch, **{system: "true"})
        assert build.event == "merge-group"
        with pytest.raises(UnknownBuild, match="merge group"):
            tags_of_build(build)
        assert tags_of_build(build, sha=True, policy=TagPolicy(suffix="slim")).plan.tags == ("sha-bbbbbbb-slim",)


@pytest.mark.parametrize("content", [b"[" * 200_000, b"{", b"\xff\xfe", b"", b"null", b"[]", b"\x00"])
def test_event_file_that_cannot_be_read_is_ignored(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "event.json"
    path.write_bytes(content)
    for place in (path, tmp_path, tmp_path / "missing"):
        environ = {**GITHUB, "GITHUB_EVENT_PATH": str(place)}
        assert detect({**environ, "GITHUB_EVENT_NAME": "push"}).default_branch is None
        for event in ("pull_request", "pull_request_target", "issue_comment", "workflow_run"):
            with pytest.raises(UnknownBuild):
                detect({**environ, "GITHUB_EVENT_NAME": event})


JENKINS = {"JENKINS_URL": "https://ci.example.com/", "GIT_COMMIT": SHA}


@each(
    ("ref", "event", "name"),
    [
        ("refs/tags/v1.2.3", "tag", "v1.2.3"),
        ("tags/v1.2.3", "tag", "v1.2.3"),
        ("origin/tags/v1.2.3", "tag", "v1.2.3"),
        ("origin/refs/tags/v1.2.3", "tag", "v1.2.3"),
        ("refs/remotes/origin/tags/v1.2.3", "tag", "v1.2.3"),
        ("refs/remotes/origin/main", "branch", "main"),
        ("refs/remotes/upstream/release/2.1", "branch", "release/2.1"),
        ("remotes/origin/main", "branch", "main"),
        ("refs/heads/feature/x", "branch", "feature/x"),
        ("origin/refs/heads/main", "branch", "main"),
        ("origin/main", "branch", "main"),
        ("main", "branch", "main"),
        ("origin/pr/42/merge", "pull-request", "42"),
        ("origin/pr/42", "pull-request", "42"),
        ("upstream/pr/42/head", "pull-request", "42"),
        ("refs/pull/42/head", "pull-request", "42"),
        ("refs/remotes/origin/merge-requests/42", "pull-request", "42"),
    ],
)
def test_jenkins_git_branch_in_any_form_is_read(ref: str, event: str, name: str) -> None:
    build = detect({**JENKINS, "GIT_BRANCH": ref})
    assert build.event == event
    assert name in (build.tag, build.branch, build.pull_request)


@pytest.mark.parametrize("ref", ["detached", "HEAD", "origin/HEAD", SHA, "refs/notes/x", "refs/heads/", "refs/tags/"])
def test_jenkins_git_branch_that_names_nothing_raises_unknown_build(ref: str) -> None:
    with pytest.raises(UnknownBuild, match="GIT_BRANCH is"):
        detect({**JENKINS, "GIT_BRANCH": ref})


MERGE = {"gitlabActionType": "MERGE", "gitlabBranch": "feature", "gitlabSourceBranch": "feature"}


@pytest.mark.parametrize(
    ("environ", "sha"),
    [
        ({"CHANGE_ID": "42"}, SHA),
        ({"ghprbPullId": "42", "ghprbActualCommit": HEAD}, HEAD),
        ({"ghprbPullId": "42"}, None),
        ({**MERGE, "gitlabMergeRequestIid": "42", "gitlabMergeRequestLastCommit": HEAD}, HEAD),
        ({**MERGE, "gitlabMergeRequestIid": "42", "gitlabActionType": "NOTE"}, None),
    ],
)
def test_jenkins_pull_request_of_any_plugin_has_its_own_commit(environ: dict[str, str], sha: str | None) -> None:
    build = detect({**JENKINS, "GIT_BRANCH": "origin/main", **environ})
    assert (build.event, build.pull_request, build.sha) == ("pull-request", "42", sha)
    assert tags_of_build(build, default_branch="main").plan.tags == ("pr-42",)


def test_jenkins_merge_request_without_its_number_raises_unknown_build() -> None:
    with pytest.raises(UnknownBuild, match="gitlabActionType is 'MERGE'"):
        detect({**JENKINS, "GIT_BRANCH": "origin/main", **MERGE})


def test_jenkins_push_through_gitlab_reads_its_branch_and_tag() -> None:
    tag = {**JENKINS, "gitlabActionType": "TAG_PUSH", "gitlabBranch": "refs/tags/v1.2.3"}
    assert detect(tag).tag == detect({**tag, "GIT_BRANCH": "detached"}).tag == "v1.2.3"
    with pytest.raises(UnknownBuild, match="the git tag is not known"):
        detect({**tag, "GIT_BRANCH": "origin/main"})
    push = {**JENKINS, "gitlabActionType": "PUSH", "gitlabBranch": "main"}
    assert detect(push).branch == "main"
    assert detect({**push, "GIT_BRANCH": "origin/other"}).branch == "other"


CIRCLE = {"CIRCLECI": "true", "CIRCLE_PULL_REQUEST": "https://github.com/acme/app/pull/42", "CIRCLE_SHA1": SHA}


def test_circleci_pull_request_from_the_default_branch_is_a_push_to_it() -> None:
    pushed = detect({**CIRCLE, "CIRCLE_BRANCH": "main"}, default_branch="main")
    assert tags_of_build(pushed, default_branch="main").plan.tags == ("main", "edge")
    other = detect({**CIRCLE, "CIRCLE_BRANCH": "main"}, default_branch="trunk")
    assert tags_of_build(other, default_branch="trunk").plan.tags == ("pr-42",)
    assert detect({**CIRCLE, "CIRCLE_BRANCH": "feature"}).event == "pull-request"
    assert detect({**CIRCLE, "CIRCLE_TAG": "v1.0.0"}).event == "tag"


@pytest.mark.parametrize("branch", ["main", "master"])
def test_circleci_pull_request_from_what_may_be_the_default_branch_raises_unknown_build(branch: str) -> None:
    with pytest.raises(UnknownBuild, match="--default-branch"):
        detect({**CIRCLE, "CIRCLE_BRANCH": branch})


@pytest.mark.parametrize("fork", [{"CIRCLE_PR_NUMBER": "42"}, {"CIRCLE_BRANCH": "pull/42"}])
def test_circleci_pull_request_from_a_fork_is_never_a_push(fork: dict[str, str]) -> None:
    build = detect({**CIRCLE, "CIRCLE_BRANCH": "main", **fork}, default_branch="main")
    assert (build.event, build.pull_request) == ("pull-request", "42")


@each("word", ["", "false", "False", "FALSE", "0", "no", "off", " false "])
@each("system", SYSTEMS, ids=lambda system: system.name)
def test_marker_with_a_false_value_means_that_the_system_does_not_run(system: System, word: str) -> None:
    with pytest.raises(UnknownBuild, match="no CI system was detected"):
        detect({name: word for name, _ in system.markers})
    assert detect({**{name: word for name, _ in system.markers}, **JENKINS, "GIT_BRANCH": "main"}).system == "Jenkins"


@each("system", SYSTEMS, ids=lambda system: system.name)
def test_schedule_on_a_git_tag_gets_the_plan_of_the_tag(system: System) -> None:
    schedule = [name for name, event in system.events.items() if event.kind == "schedule"]
    environ = {**running(system), **({system.event: schedule[0]} if schedule else {})}
    environ |= {system.tag[0]: "v1.2.3"} if system.tag else {system.ref[0]: "refs/tags/v1.2.3"}
    assert tags_of_build(detect(environ)).plan.tags == ("1.2.3", "1.2", "1", "latest")


@each("system", SYSTEMS, ids=lambda system: system.name)
@each("number", ["x", "${ghprbPullId}", "42/files", "-1", "4.2", "pull/", "42\n43x"])
def test_pull_request_whose_number_cannot_be_read_is_never_a_branch(system: System, number: str) -> None:
    for variable in (*system.pull_request, *system.branch_pull_request):
        environ = {**running(system), variable: number}
        environ |= {system.branch[0]: "feature"} if system.branch else {system.ref[0]: "refs/heads/main"}
        with pytest.raises(UnknownBuild, match="does not end in the number of a pull request"):
            detect(environ)


@each("system", [system for system in SYSTEMS if not system.only_events], ids=lambda one: one.name)
def test_event_of_a_pull_request_or_git_tag_without_it_raises_unknown_build(system: System) -> None:
    for name, event in system.events.items():
        if event.kind in ("pull-request", "tag"):
            environ = {**running(system), system.event: name}
            environ |= {system.branch[0]: "main"} if system.branch else {system.ref[0]: "refs/heads/main"}
            with pytest.raises(UnknownBuild, match="is not known"):
                detect(environ)


@each(
    "environ",
    [
        {"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/pull/42/merge"},
        {
            "TF_BUILD": "True", "BUILD_REASON": "PullRequest", "BUILD_SOURCEBRANCH": "refs/heads/main",
            "SYSTEM_PULLREQUEST_PULLREQUESTID": "123456", "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER": "42",
        },
        {
            "DRONE": "true", "DRONE_BUILD_EVENT": "promote", "DRONE_BRANCH": "main",
            "DRONE_COMMIT_REF": "refs/pull/42/head",
        },
        {"CI": "woodpecker", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_REF": "refs/merge-requests/42/head"},
        {"GITLAB_CI": "1", "CI_MERGE_REQUEST_IID": "42", "CI_MERGE_REQUEST_EVENT_TYPE": "merge_train"},
        {
            "GITLAB_CI": "1", "CI_EXTERNAL_PULL_REQUEST_IID": "42", "CI_COMMIT_BRANCH": "main",
            "CI_DEFAULT_BRANCH": "main",
        },
        {"BITBUCKET_BUILD_NUMBER": "1", "BITBUCKET_PR_ID": "42", "BITBUCKET_BRANCH": "main"},
        {"TRAVIS": "true", "TRAVIS_EVENT_TYPE": "pull_request", "TRAVIS_PULL_REQUEST": "42", "TRAVIS_BRANCH": "main"},
        {
            "BUILDKITE": "true", "BUILDKITE_PULL_REQUEST": "42", "BUILDKITE_BRANCH": "main",
            "BUILDKITE_PIPELINE_DEFAULT_BRANCH": "main",
        },
        {
            "CODEBUILD_BUILD_ID": "app:1", "CODEBUILD_WEBHOOK_EVENT": "PULL_REQUEST_MERGED",
            "CODEBUILD_WEBHOOK_TRIGGER": "pr/42", "CODEBUILD_WEBHOOK_HEAD_REF": "refs/heads/main",
        },
        {"CODEBUILD_BUILD_ID": "app:1", "CODEBUILD_SOURCE_VERSION": "pr/42"},
        {
            "CODEBUILD_BUILD_ID": "app:1", "CODEBUILD_WEBHOOK_BASE_REF": "refs/heads/main",
            "CODEBUILD_SOURCE_VERSION": f"refs/pull/42/head^{{{SHA}}}",
        },
        {"TEAMCITY_VERSION": "2024.12", "teamcity.build.vcs.branch": "refs/pull/42/head"},
        {
            "TEAMCITY_VERSION": "2024.12", "teamcity.build.vcs.branch": "refs/heads/main",
            "teamcity.pullRequest.number": "42",
        },
        {"APPVEYOR": "True", "APPVEYOR_PULL_REQUEST_NUMBER": "42", "APPVEYOR_REPO_BRANCH": "main"},
        {
            "TRIGGER_NAME": "pull", "PROJECT_ID": "acme", "BUILD_ID": "1", "_PR_NUMBER": "42", "BRANCH_NAME": "main",
            "_BASE_BRANCH": "main", "_HEAD_BRANCH": "main",
        },
    ],
    ids=str,
)  # fmt: skip
def test_pull_request_gets_only_its_number_in_every_system(environ: dict[str, str]) -> None:
    assert tags_of_build(detect(environ), default_branch="main").plan.tags == ("pr-42",)


APPVEYOR = {"APPVEYOR": "True", "APPVEYOR_REPO_BRANCH": "main", "APPVEYOR_REPO_COMMIT": SHA}
CODEBUILD = {"CODEBUILD_BUILD_ID": "app:1"}
CLOUD_BUILD = {"TRIGGER_NAME": "push", "PROJECT_ID": "acme", "BUILD_ID": "1", "BRANCH_NAME": "main"}


@pytest.mark.parametrize(
    "environ",
    [
        {**APPVEYOR, "APPVEYOR_REPO_TAG": "true"},
        {**APPVEYOR, "APPVEYOR_PULL_REQUEST_HEAD_COMMIT": HEAD},
        {**CODEBUILD, "CODEBUILD_WEBHOOK_TRIGGER": "branch/main", "CODEBUILD_WEBHOOK_BASE_REF": "refs/heads/main"},
        {**CLOUD_BUILD, "_BASE_BRANCH": "main"},
        {**CLOUD_BUILD, "_HEAD_BRANCH": "main"},
    ],
    ids=str,
)
def test_pull_request_or_git_tag_that_only_one_variable_betrays_is_never_a_branch(environ: dict[str, str]) -> None:
    with pytest.raises(UnknownBuild, match="is not in "):
        detect(environ)


@pytest.mark.parametrize(
    ("ref", "event", "name"),
    [
        ("refs/heads/main", "branch", "main"),
        (f"refs/heads/release/2.1^{{{SHA}}}", "branch", "release/2.1"),
        ("refs/tags/v1.2.3", "tag", "v1.2.3"),
        (f"refs/tags/v1.2.3^{{{SHA}}}", "tag", "v1.2.3"),
        ("pr/42", "pull-request", "42"),
        ("refs/pull-requests/42/from", "pull-request", "42"),
    ],
)
def test_codebuild_source_version_that_is_a_ref_is_read(ref: str, event: str, name: str) -> None:
    build = detect({**CODEBUILD, "CODEBUILD_SOURCE_VERSION": ref, "CODEBUILD_RESOLVED_SOURCE_VERSION": SHA})
    assert (build.event, build.sha) == (event, SHA)
    assert name in (build.tag, build.branch, build.pull_request)


@pytest.mark.parametrize("version", ["main", "v1.2.3", SHA, "arn:aws:s3:::bucket/key", "refs/heads/", "pr/x"])
def test_codebuild_source_version_that_may_be_anything_raises_unknown_build(version: str) -> None:
    with pytest.raises(UnknownBuild, match="CODEBUILD_SOURCE_VERSION is"):
        detect({**CODEBUILD, "CODEBUILD_SOURCE_VERSION": version})


@pytest.mark.parametrize("event", ["WORKFLOW_JOB_QUEUED", "push", "PULL_REQUEST"])
def test_codebuild_event_that_is_not_accepted_raises_unknown_build(event: str) -> None:
    with pytest.raises(UnknownBuild, match=f"CODEBUILD_WEBHOOK_EVENT is '{event}'; accepted events: PUSH, PULL"):
        detect({**CODEBUILD, "CODEBUILD_WEBHOOK_TRIGGER": "branch/main", "CODEBUILD_WEBHOOK_EVENT": event})


def test_appveyor_pull_request_has_its_own_commit_and_no_source_without_a_known_host() -> None:
    pull = {**APPVEYOR, "APPVEYOR_PULL_REQUEST_NUMBER": "42"}
    assert detect(pull).sha is None
    assert detect({**pull, "APPVEYOR_PULL_REQUEST_HEAD_COMMIT": HEAD}).sha == HEAD
    hosted = {**APPVEYOR, "APPVEYOR_REPO_NAME": "acme/app", "APPVEYOR_REPO_PROVIDER": "bitBucket"}
    assert detect(hosted).source == "https://bitbucket.org/acme/app"
    other = detect({**hosted, "APPVEYOR_REPO_PROVIDER": "stash"})
    assert (other.source, other.notes) == (
        None,
        ("no source: the host of the repository is not known from APPVEYOR_REPO_PROVIDER",),
    )


def teamcity(folder: Path, *roots: str, **parameters: str) -> Build:
    """Detect a build of TeamCity, whose parameters are in two files."""
    lines = [f"teamcity.build.vcs.branch.Root{index}={ref}" for index, ref in enumerate(roots)]
    lines += [f"{name.replace('__', '.')}={value}" for name, value in parameters.items()]
    (folder / "configuration.properties").write_text("\n".join(lines))
    (folder / "build.properties").write_text(
        f"teamcity.configuration.properties.file={folder}/configuration.properties"
    )
    environ = {"TEAMCITY_VERSION": "2024.12", "TEAMCITY_BUILD_PROPERTIES_FILE": str(folder / "build.properties")}
    return detect({**environ, "BUILD_VCS_NUMBER": SHA})


def test_teamcity_build_is_read_from_its_parameter_files(tmp_path: Path) -> None:
    build = teamcity(tmp_path, "refs/heads/main", vcsroot__branch="refs/heads/main", vcsroot__url="git@host\\:acme/app")
    assert (build.branch, build.default_branch, build.sha) == ("main", "main", SHA)
    assert build.source == "https://host/acme/app"
    assert build.told_by["branch"] == "teamcity.build.vcs.branch"
    assert teamcity(tmp_path, "refs/tags/v1.2.3", vcsroot__branch="main").tag == "v1.2.3"
    assert teamcity(tmp_path, "refs/heads/x", "refs/heads/x").branch == "x"
    number = {"teamcity__pullRequest__number": "42"}
    assert teamcity(tmp_path, "refs/heads/main", **number).pull_request == "42"
    primary = teamcity(tmp_path, "refs/heads/x", teamcity__build__branch__is_default="true")
    assert primary.default_branch == "x"


@pytest.mark.parametrize("roots", [(), ("refs/heads/main", "refs/heads/x"), ("main",), ("<default>",)])
def test_teamcity_build_without_one_ref_raises_unknown_build(tmp_path: Path, roots: tuple[str, ...]) -> None:
    with pytest.raises(UnknownBuild, match=r"teamcity\.build\.vcs\.branch"):
        teamcity(tmp_path, *roots)


def test_teamcity_parameter_files_that_cannot_be_read_have_no_parameters(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", "\0"):
        with pytest.raises(UnknownBuild, match="is not set"):
            detect({"TEAMCITY_VERSION": "2024.12", "TEAMCITY_BUILD_PROPERTIES_FILE": str(path)})


def test_cloud_build_is_detected_only_beside_its_other_variables() -> None:
    assert detect(CLOUD_BUILD).system == "Google Cloud Build"
    for variable in ("PROJECT_ID", "BUILD_ID", "TRIGGER_NAME"):
        with pytest.raises(UnknownBuild, match="no CI system was detected"):
            detect({name: value for name, value in CLOUD_BUILD.items() if name != variable})
    assert detect({**CLOUD_BUILD, "JENKINS_URL": "https://ci.example.com/"}).system == "Jenkins"


def test_azure_pull_request_has_the_commit_that_its_ref_or_the_pull_request_names() -> None:
    azure = {
        "TF_BUILD": "True", "BUILD_REASON": "PullRequest", "BUILD_SOURCEVERSION": SHA,
        "SYSTEM_PULLREQUEST_PULLREQUESTID": "42", "SYSTEM_PULLREQUEST_SOURCECOMMITID": HEAD,
    }  # fmt: skip
    assert detect({**azure, "BUILD_SOURCEBRANCH": "refs/pull/42/merge"}).sha == SHA
    assert detect({**azure, "BUILD_SOURCEBRANCH": "refs/heads/main"}).sha == HEAD


@pytest.mark.parametrize("branch", ["detached", "HEAD", "feature\nx"])
def test_branch_with_an_unusual_name_is_a_branch(branch: str) -> None:
    assert detect({**GITLAB, "CI_COMMIT_BRANCH": branch}).branch == branch


def test_merge_queue_of_github_gets_no_branch_tag_in_other_systems() -> None:
    queue = "gh-readonly-queue/main/pr-42-0123"
    build = detect({"BUILDKITE": "true", "BUILDKITE_BRANCH": queue, "BUILDKITE_COMMIT": SHA})
    assert (build.event, tags_of_build(build, sha=True).plan.tags) == ("merge-group", ("sha-bbbbbbb",))


def test_source_that_is_not_on_the_web_is_omitted_with_a_note() -> None:
    build = detect({**JENKINS, "GIT_BRANCH": "main", "GIT_URL": "file:///srv/u:secret@x/app.git"})
    assert build.source is None
    assert build.notes == ("no source: GIT_URL is not an address that can be given as an http or https URL",)


def test_build_is_hashable() -> None:
    environ = {**GITLAB, "CI_COMMIT_TAG": "v1.0.0"}
    assert len({detect(environ), detect(environ)}) == 1


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


def variables_of(system: System) -> set[str]:
    """Return every variable that a system may read."""
    names = {name for name, _ in system.markers} | {system.event, system.primary}
    names |= {name for name, _ in system.promises}
    for field in ("ref", "tag", "branch", "pull_request", "branch_pull_request", "sha", "default_branch"):
        names |= {*getattr(system, field)}
    for event in system.events.values():
        names |= {*event.tag_variables, *event.branch_variables}
    names |= set(chain.from_iterable(HEAD_COMMIT[name] for name in names if name in HEAD_COMMIT))
    return (names | {*re.findall(r"\{([\w.]+)\}", " ".join(system.source))}) - {""}


VARIABLES = sorted(set[str]().union(*map(variables_of, SYSTEMS)))
EVENTS = sorted({event for system in SYSTEMS for event in system.events})
REFS = [
    "refs/tags/v1.0.0", "refs/heads/main", "refs/pull/7/merge", "refs/merge-requests/7/head", "refs/notes/x",
    "origin/main", "origin/tags/v1.0.0", "refs/remotes/origin/main", "origin/pr/7/merge", "gh-readonly-queue/main/pr-7",
]  # fmt: skip
ADDRESSES = ["git@github.com:acme/app.git", "https://u:secret@host/a/b", "/srv/git/app.git", "https://host/a\nb"]
values = (
    st.text(max_size=12)
    | st.sampled_from(["true", "false", "woodpecker", "main", "7", "https://host/a/b/pull/7", "0123456789", *ADDRESSES])
    | st.sampled_from(REFS)
    | st.sampled_from(EVENTS)
)
leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["main", "v1.0.0", "0123456789", "push"])
)
KEYS = (
    "action", "after", "deleted", "number", "pull_request", "head", "sha", "issue", "workflow_run", "event",
    "pull_requests", "head_branch", "head_sha", "head_repository", "full_name", "repository", "default_branch",
)  # fmt: skip
keys = st.sampled_from(KEYS)
payloads = st.recursive(leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner), max_leaves=12)


@st.composite
def environments(draw: st.DrawFn) -> dict[str, str]:
    """Return an environment of a system, with random values for its own and for other variables."""
    system: System = draw(st.sampled_from(SYSTEMS))
    environ = draw(st.dictionaries(st.sampled_from(sorted(variables_of(system))), values))
    environ |= draw(st.dictionaries(st.sampled_from(VARIABLES), values, max_size=3))
    environ |= running(system)
    if system.events:
        environ[system.event] = draw(st.sampled_from(sorted(system.events)) | values)
    return environ


@given(environments(), payloads, st.sampled_from([None, "main", "trunk"]), st.booleans())
def test_detect_for_any_environment_returns_a_build_or_raises_unknown_build(
    environ: dict[str, str], payload: object, default: str | None, sha: bool
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "event.json")
        path.write_text(json.dumps(payload))
        environ["GITHUB_EVENT_PATH"] = str(path)
        try:
            build = detect(environ, default_branch=default)
        except UnknownBuild:
            return
    assert build.source is None or re.fullmatch(r"https?://[^@\s]+", build.source)
    try:
        tags = tags_of_build(build, default_branch=default, sha=sha).plan.tags
    except ImgrefError:
        return
    if build.event == "pull-request":
        assert re.fullmatch("pr-[1-9][0-9]*", tags[0])
        assert all(tag.startswith("sha-") for tag in tags[1:])
    if build.event == "merge-group":
        assert all(tag.startswith("sha-") for tag in tags)
    assert "edge" not in tags or (build.event == "branch" and build.branch == (build.default_branch or default))

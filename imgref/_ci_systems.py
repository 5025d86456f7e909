"""The CI systems that imgref knows, as data: which variables and events mean what.

:mod:`imgref._ci_read` reads a build with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

__all__ = [
    "BRANCH_FORMS",
    "DEFAULT_BRANCH_NAMES",
    "FALSE_WORDS",
    "FORMS",
    "HEAD_COMMIT",
    "MERGE_QUEUE",
    "REF_FORMS",
    "SYSTEMS",
    "TAG_FORMS",
    "Event",
    "System",
]

Kind = Literal["ref", "tag", "pull-request", "schedule", "merge-group"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What one value of a system's event variable means. Paths lead through the event file, keys separated by dots.

    A list with one element on a path counts as that element; any other list has no value.

    Attributes:
        kind: what is built; ``ref`` is whatever the variables name.
        from_file: whether the variables describe something else (the base of a pull request), so that only the event
            file counts.
        number: paths of the pull request's number, where the variables do not have it.
        branch: path of the branch.
        sha: path of the commit.
        tag_variables: variables with the git tag, used where those of the system name neither a tag nor a branch.
        branch_variables: the same for the branch.
        required: a path that must have a value.
        refused: paths with values for which nothing is built, such as a deletion.
        equal: pairs of paths; where both have a value, the values must be equal.
        inner: path of the event for which this one runs; its meaning is in ``among``.
        among: the accepted values of ``inner``.
    """

    kind: Kind = "ref"
    from_file: bool = False
    number: tuple[str, ...] = ()
    branch: str | None = None
    sha: str | None = None
    tag_variables: tuple[str, ...] = ()
    branch_variables: tuple[str, ...] = ()
    required: str | None = None
    refused: tuple[tuple[str, object], ...] = ()
    equal: tuple[tuple[str, str], ...] = ()
    inner: str | None = None
    among: Mapping[str, Event] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A CI system and its variables. Where there are several, the first that has a value counts.

    Attributes:
        name: the system's name.
        markers: variables of which one is set where it runs, each with its value, or None for any that is not false.
        event: the variable with the event that started the build.
        events: what its values mean; any other value is a ``ref``, unless ``only_events`` is set.
        only_events: whether events that are not in ``events`` are refused.
        ref: variables with a ref such as ``refs/heads/…``; they come before those with a name.
        tag: variables with the name of the git tag.
        branch: variables with the name of the branch.
        pull_request: variables with the number of the pull or merge request, possibly at the end of a URL.
        branch_pull_request: like ``pull_request``, but also set when the default branch is pushed while a pull request
            from it is open.
        sha: variables with the commit.
        default_branch: variables with the name of the default branch.
        primary: a variable that is ``true`` on the default branch.
        event_file: a variable with the path of a JSON file that describes the event.
        source: the address of the repository, with variables in braces.
    """

    name: str
    markers: tuple[tuple[str, str | None], ...]
    event: str = ""
    events: Mapping[str, Event] = field(default_factory=dict)
    only_events: bool = False
    ref: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    branch: tuple[str, ...] = ()
    pull_request: tuple[str, ...] = ()
    branch_pull_request: tuple[str, ...] = ()
    sha: tuple[str, ...] = ()
    default_branch: tuple[str, ...] = ()
    primary: str = ""
    event_file: str = ""
    source: tuple[str, ...] = ()


# https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows

_TAG: Final = Event(kind="tag")
_PULL_REQUEST: Final = Event(kind="pull-request")
_SCHEDULE: Final = Event(kind="schedule")

# GITHUB_REF is the base branch for some events of a pull request, and for all of them once it is merged.
_GITHUB_PULL_REQUEST: Final = Event(
    kind="pull-request", number=("number", "pull_request.number"), sha="pull_request.head.sha"
)
_GITHUB_BASE: Final = replace(_GITHUB_PULL_REQUEST, from_file=True)

_SAME_REPOSITORY: Final = (("workflow_run.head_repository.full_name", "repository.full_name"),)
_RUN_OF_BRANCH: Final = Event(
    from_file=True,
    branch="workflow_run.head_branch",
    sha="workflow_run.head_sha",
    equal=_SAME_REPOSITORY,
)
_GITHUB_RUN: Final = Event(
    inner="workflow_run.event",
    among={
        "push": _RUN_OF_BRANCH,
        "workflow_dispatch": _RUN_OF_BRANCH,
        "schedule": replace(_RUN_OF_BRANCH, kind="schedule"),
        "pull_request": Event(
            kind="pull-request",
            from_file=True,
            # The list is empty for a pull request from a fork, and may contain those of other repositories.
            number=("workflow_run.pull_requests.number",),
            sha="workflow_run.head_sha",
            equal=(*_SAME_REPOSITORY, ("workflow_run.pull_requests.base.repo.id", "repository.id")),
        ),
    },
)

_GITHUB_EVENTS: Final = {
    # A deletion is a push event too, with the default branch in GITHUB_REF.
    "push": Event(refused=(("deleted", True), ("after", "0" * 40), ("after", "0" * 64))),
    "create": Event(),
    "release": Event(kind="tag", refused=(("action", "deleted"), ("action", "unpublished"))),
    "workflow_dispatch": Event(),
    "repository_dispatch": Event(),
    "schedule": _SCHEDULE,
    "pull_request": _GITHUB_PULL_REQUEST,
    "pull_request_target": _GITHUB_BASE,
    "pull_request_review": _GITHUB_BASE,
    "pull_request_review_comment": _GITHUB_BASE,
    "issue_comment": replace(_GITHUB_BASE, number=("issue.number",), sha=None, required="issue.pull_request"),
    "merge_group": Event(kind="merge-group"),
    "workflow_run": _GITHUB_RUN,
}

# https://docs.github.com/en/actions/reference/workflows-and-actions/variables
# Gitea and Forgejo set the same variables, and one of their own.
_GITHUB: Final = System(
    name="GitHub Actions",
    markers=(("GITHUB_ACTIONS", "true"),),
    event="GITHUB_EVENT_NAME",
    events=_GITHUB_EVENTS,
    only_events=True,
    ref=("GITHUB_REF",),
    sha=("GITHUB_SHA",),
    event_file="GITHUB_EVENT_PATH",
    source=("{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}",),
)

SYSTEMS: Final = (
    replace(_GITHUB, name="Forgejo Actions", markers=(("FORGEJO_ACTIONS", "true"),)),
    replace(_GITHUB, name="Gitea Actions", markers=(("GITEA_ACTIONS", "true"),)),
    _GITHUB,
    System(  # https://docs.gitlab.com/ci/variables/predefined_variables/
        name="GitLab CI",
        markers=(("GITLAB_CI", None),),
        tag=("CI_COMMIT_TAG",),
        branch=("CI_COMMIT_BRANCH",),
        pull_request=("CI_MERGE_REQUEST_IID", "CI_EXTERNAL_PULL_REQUEST_IID"),
        event="CI_PIPELINE_SOURCE",
        events={
            "schedule": _SCHEDULE,
            "merge_request_event": _PULL_REQUEST,
            "external_pull_request_event": _PULL_REQUEST,
        },
        sha=("CI_COMMIT_SHA",),
        default_branch=("CI_DEFAULT_BRANCH",),
        source=("{CI_PROJECT_URL}",),
    ),
    System(  # https://circleci.com/docs/reference/variables/
        name="CircleCI",
        markers=(("CIRCLECI", None),),
        tag=("CIRCLE_TAG",),
        branch=("CIRCLE_BRANCH",),
        pull_request=("CIRCLE_PR_NUMBER",),
        branch_pull_request=("CIRCLE_PULL_REQUEST",),
        sha=("CIRCLE_SHA1",),
        source=("{CIRCLE_REPOSITORY_URL}",),
    ),
    System(  # https://buildkite.com/docs/pipelines/configure/environment-variables
        name="Buildkite",
        markers=(("BUILDKITE", None),),
        tag=("BUILDKITE_TAG",),
        branch=("BUILDKITE_BRANCH",),
        pull_request=("BUILDKITE_PULL_REQUEST",),
        event="BUILDKITE_SOURCE",
        events={"schedule": _SCHEDULE},
        sha=("BUILDKITE_COMMIT",),
        default_branch=("BUILDKITE_PIPELINE_DEFAULT_BRANCH",),
        source=("{BUILDKITE_REPO}",),
    ),
    System(  # https://learn.microsoft.com/azure/devops/pipelines/build/variables
        name="Azure Pipelines",
        markers=(("TF_BUILD", None),),
        event="BUILD_REASON",
        events={"Schedule": _SCHEDULE, "PullRequest": _PULL_REQUEST},
        ref=("BUILD_SOURCEBRANCH",),
        # For a repository on GitHub, the ID is one of Azure's own.
        pull_request=("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "SYSTEM_PULLREQUEST_PULLREQUESTID"),
        sha=("BUILD_SOURCEVERSION",),
        source=("{BUILD_REPOSITORY_URI}",),
    ),
    System(  # https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
        name="Bitbucket Pipelines",
        markers=(("BITBUCKET_BUILD_NUMBER", None), ("BITBUCKET_COMMIT", None)),
        tag=("BITBUCKET_TAG",),
        branch=("BITBUCKET_BRANCH",),
        pull_request=("BITBUCKET_PR_ID",),
        sha=("BITBUCKET_COMMIT",),
        source=("{BITBUCKET_GIT_HTTP_ORIGIN}",),
    ),
    System(  # https://woodpecker-ci.org/docs/usage/environment
        name="Woodpecker",
        markers=(("CI", "woodpecker"),),
        tag=("CI_COMMIT_TAG",),
        branch=("CI_COMMIT_BRANCH",),
        pull_request=("CI_COMMIT_PULL_REQUEST",),
        event="CI_PIPELINE_EVENT",
        events={
            "cron": _SCHEDULE,
            "pull_request": _PULL_REQUEST,
            "pull_request_closed": _PULL_REQUEST,
            "pull_request_metadata": _PULL_REQUEST,
            "tag": _TAG,
            "release": _TAG,
        },
        ref=("CI_COMMIT_REF",),
        sha=("CI_COMMIT_SHA",),
        default_branch=("CI_REPO_DEFAULT_BRANCH",),
        source=("{CI_REPO_URL}",),
    ),
    System(  # https://docs.drone.io/pipeline/environment/reference/
        name="Drone",
        markers=(("DRONE", None),),
        tag=("DRONE_TAG",),
        branch=("DRONE_BRANCH",),
        pull_request=("DRONE_PULL_REQUEST",),
        event="DRONE_BUILD_EVENT",
        events={"cron": _SCHEDULE, "pull_request": _PULL_REQUEST, "tag": _TAG},
        ref=("DRONE_COMMIT_REF",),
        sha=("DRONE_COMMIT_SHA", "DRONE_COMMIT"),
        default_branch=("DRONE_REPO_BRANCH",),
        source=("{DRONE_REPO_LINK}",),
    ),
    System(  # https://docs.travis-ci.com/user/environment-variables/
        name="Travis CI",
        markers=(("TRAVIS", None),),
        tag=("TRAVIS_TAG",),
        branch=("TRAVIS_BRANCH",),
        pull_request=("TRAVIS_PULL_REQUEST",),
        event="TRAVIS_EVENT_TYPE",
        events={"cron": _SCHEDULE, "pull_request": _PULL_REQUEST},
        sha=("TRAVIS_COMMIT",),
        source=("https://github.com/{TRAVIS_REPO_SLUG}",),
    ),
    System(  # https://www.jenkins.io/doc/book/pipeline/multibranch/
        name="Jenkins",
        markers=(("JENKINS_URL", None), ("JENKINS_HOME", None)),
        tag=("TAG_NAME",),
        event="gitlabActionType",  # https://plugins.jenkins.io/gitlab-plugin/
        events={
            "MERGE": _PULL_REQUEST,
            "NOTE": _PULL_REQUEST,
            "PUSH": Event(branch_variables=("gitlabBranch",)),
            "TAG_PUSH": Event(kind="tag", tag_variables=("gitlabBranch",)),
        },
        branch=("BRANCH_NAME", "GIT_BRANCH"),
        # The second is of https://plugins.jenkins.io/ghprb/, the third of the GitLab plugin.
        pull_request=("CHANGE_ID", "ghprbPullId", "gitlabMergeRequestIid"),
        sha=("GIT_COMMIT",),
        primary="BRANCH_IS_PRIMARY",
        source=("{GIT_URL}",),
    ),
)
"""The CI systems that are looked for, in this order.

Woodpecker is before Drone, whose variables its older versions set too; Jenkins is last, since agents of other systems
may run beside it.
"""

FALSE_WORDS: Final = frozenset({"", "0", "false", "f", "no", "n", "off", "none", "null"})
"""Values, in lower case, with which a marker means that the system does not run, and a number that there is none."""

HEAD_COMMIT: Final = {
    "ghprbPullId": ("ghprbActualCommit",),
    "gitlabMergeRequestIid": ("gitlabMergeRequestLastCommit",),
    "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER": ("SYSTEM_PULLREQUEST_SOURCECOMMITID",),
    "SYSTEM_PULLREQUEST_PULLREQUESTID": ("SYSTEM_PULLREQUEST_SOURCECOMMITID",),
}
"""Variables with the commit of a pull request whose number is in another; that of the build may be the base."""

MERGE_QUEUE: Final = "gh-readonly-queue/"
"""What the branches of GitHub's merge queue begin with, in every CI system that builds them."""

DEFAULT_BRANCH_NAMES: Final = frozenset({"main", "master", "trunk", "develop", "development", "default"})
"""Branches that may be the default branch where no variable names it."""

_NUMBER: Final = "([1-9][0-9]{0,17})"
_PULL: Final = rf"(?:pr|pull|pull-requests|merge-requests)/{_NUMBER}"
_DETACHED: Final = r"(?:detached|HEAD|FETCH_HEAD|[0-9a-f]{40}|[0-9a-f]{64})\Z"
_AS_NAMED: Final = ("branch", "((?!refs/).+)")

REF_FORMS: Final = (
    ("pull_request", rf"refs/(?:pull|pull-requests|merge-requests)/{_NUMBER}(?:/.*)?"),
    ("tag", "refs/tags/(.+)"),
    ("branch", "refs/heads/(.+)"),
)
"""What a ref means: a fact and a pattern; the first that matches the whole value counts."""

TAG_FORMS: Final = (("tag", "(?:refs/tags/)?+((?!refs/).+)"),)
BRANCH_FORMS: Final = (*REF_FORMS, _AS_NAMED)

FORMS: Final = {
    # A pull request from a fork is built as a branch of this name.
    "CIRCLE_BRANCH": (*REF_FORMS, ("pull_request", rf"pull/{_NUMBER}(?:/.*)?"), _AS_NAMED),
    # The git plugin names the ref that it fetched: as a branch of the remote, or as the job spells it.
    "GIT_BRANCH": (
        ("pull_request", rf"(?:refs/|origin/|(?:refs/)?remotes/[^/]+/)?{_PULL}(?:/(?:head|merge|from))?"),
        ("pull_request", rf"[^/]+/{_PULL}/(?:head|merge|from)"),
        ("tag", "(?:(?:refs/)?remotes/[^/]+/|origin/)?(?:refs/)?tags/(.+)"),
        ("branch", rf"(?:refs/heads/|(?:refs/)?remotes/[^/]+/|origin/(?:refs/heads/)?+)?+((?!refs/|{_DETACHED}).+)"),
    ),
}
"""The forms of variables that have some of their own."""

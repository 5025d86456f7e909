"""The CI systems that imgref knows, as data: which variable tells what. What is made of it is in :mod:`imgref.ci`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

__all__ = ["REMOTE", "SAYS_NOTHING", "SYSTEMS", "System"]


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A CI system: which variables tell what; the first of several that says something counts.

    Attributes:
        name: what to call it.
        markers: variables of which one is set where it runs, each with its value, or None for any.
        ref: a variable that holds ``refs/heads/…``, ``refs/tags/…`` or ``refs/pull/N/…``.
        tag: variables with the name of the git tag.
        branch: variables with the name of the branch.
        pull_request: variables with the number of the pull or merge request, perhaps at the end of an address.
        schedule: a variable and the value that it has in a scheduled build.
        sha: variables with the commit.
        default_branch: variables with the name of the default branch.
        primary: a variable that is ``true`` on the default branch.
        event_file: a variable with the path of a JSON file that describes a GitHub event.
        base_ref_event: a variable and the value with which ``ref`` names the base of a pull request, not its own.
        source: the address of the repository, with variables in braces.
    """

    name: str
    markers: tuple[tuple[str, str | None], ...]
    ref: str | None = None
    tag: tuple[str, ...] = ()
    branch: tuple[str, ...] = ()
    pull_request: tuple[str, ...] = ()
    schedule: tuple[str, str] | None = None
    sha: tuple[str, ...] = ()
    default_branch: tuple[str, ...] = ()
    primary: str | None = None
    event_file: str | None = None
    base_ref_event: tuple[str, str] | None = None
    source: tuple[str, ...] = ()


# https://docs.github.com/en/actions/reference/workflows-and-actions/variables
# Gitea and Forgejo set the same variables, and one of their own.
_GITHUB: Final = System(
    name="GitHub Actions",
    markers=(("GITHUB_ACTIONS", "true"),),
    ref="GITHUB_REF",
    schedule=("GITHUB_EVENT_NAME", "schedule"),
    sha=("GITHUB_SHA",),
    event_file="GITHUB_EVENT_PATH",
    base_ref_event=("GITHUB_EVENT_NAME", "pull_request_target"),
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
        schedule=("CI_PIPELINE_SOURCE", "schedule"),
        sha=("CI_COMMIT_SHA",),
        default_branch=("CI_DEFAULT_BRANCH",),
        source=("{CI_PROJECT_URL}",),
    ),
    System(  # https://circleci.com/docs/reference/variables/
        name="CircleCI",
        markers=(("CIRCLECI", None),),
        tag=("CIRCLE_TAG",),
        branch=("CIRCLE_BRANCH",),
        pull_request=("CIRCLE_PR_NUMBER", "CIRCLE_PULL_REQUEST"),
        sha=("CIRCLE_SHA1",),
        source=("{CIRCLE_REPOSITORY_URL}",),
    ),
    System(  # https://buildkite.com/docs/pipelines/configure/environment-variables
        name="Buildkite",
        markers=(("BUILDKITE", None),),
        tag=("BUILDKITE_TAG",),
        branch=("BUILDKITE_BRANCH",),
        pull_request=("BUILDKITE_PULL_REQUEST",),
        schedule=("BUILDKITE_SOURCE", "schedule"),
        sha=("BUILDKITE_COMMIT",),
        default_branch=("BUILDKITE_PIPELINE_DEFAULT_BRANCH",),
        source=("{BUILDKITE_REPO}",),
    ),
    System(  # https://learn.microsoft.com/azure/devops/pipelines/build/variables
        name="Azure Pipelines",
        markers=(("TF_BUILD", None),),
        ref="BUILD_SOURCEBRANCH",
        schedule=("BUILD_REASON", "Schedule"),
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
        schedule=("CI_PIPELINE_EVENT", "cron"),
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
        schedule=("DRONE_BUILD_EVENT", "cron"),
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
        schedule=("TRAVIS_EVENT_TYPE", "cron"),
        sha=("TRAVIS_COMMIT",),
        source=("https://github.com/{TRAVIS_REPO_SLUG}",),
    ),
    System(  # https://www.jenkins.io/doc/book/pipeline/multibranch/
        name="Jenkins",
        markers=(("JENKINS_URL", None), ("JENKINS_HOME", None)),
        tag=("TAG_NAME",),
        branch=("BRANCH_NAME", "GIT_BRANCH"),
        pull_request=("CHANGE_ID",),
        sha=("GIT_COMMIT",),
        primary="BRANCH_IS_PRIMARY",
        source=("{GIT_URL}",),
    ),
)
"""The CI systems that are looked for, in this order.

Woodpecker stands before Drone, whose variables its older versions set too; Jenkins stands last, since agents of other
systems may run beside it.
"""

SAYS_NOTHING: Final = {
    "BUILDKITE_COMMIT": "HEAD",
    "BUILDKITE_PULL_REQUEST": "false",
    "GIT_BRANCH": "detached",
    "TRAVIS_PULL_REQUEST": "false",
}
"""What some variables hold where there is nothing to say."""

REMOTE: Final = {"GIT_BRANCH": "origin/"}
"""What may stand before the name of the branch: the git plugin of Jenkins names the one that it fetched."""

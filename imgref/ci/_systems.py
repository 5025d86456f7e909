"""The supported CI systems, as data: their variables and events.

:mod:`imgref.ci._read` reads a build with them; :mod:`imgref.ci._forms` has the forms of their values.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from imgref.ci._system import Event, System

__all__ = ["SYSTEMS"]

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
# Gitea and Forgejo set the same variables, and an additional one.
_GITHUB: Final = System(
    name="GitHub Actions",
    markers=(("GITHUB_ACTIONS", "true"),),
    event="GITHUB_EVENT_NAME",
    events=_GITHUB_EVENTS,
    only_events=True,
    ref=("GITHUB_REF",),
    sha=("GITHUB_SHA",),
    base=("GITHUB_BASE_REF",),
    number=("GITHUB_RUN_NUMBER",),
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
        base=("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME"),
        number=("CI_PIPELINE_IID",),
        about={"title": "CI_PROJECT_TITLE", "description": "CI_PROJECT_DESCRIPTION"},
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
        number=("CIRCLE_BUILD_NUM",),
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
        base=("BUILDKITE_PULL_REQUEST_BASE_BRANCH",),
        number=("BUILDKITE_BUILD_NUMBER",),
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
        base=("SYSTEM_PULLREQUEST_TARGETBRANCH",),
        number=("BUILD_BUILDID",),
        source=("{BUILD_REPOSITORY_URI}",),
    ),
    System(  # https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
        name="Bitbucket Pipelines",
        markers=(("BITBUCKET_BUILD_NUMBER", None), ("BITBUCKET_COMMIT", None)),
        tag=("BITBUCKET_TAG",),
        branch=("BITBUCKET_BRANCH",),
        pull_request=("BITBUCKET_PR_ID",),
        sha=("BITBUCKET_COMMIT",),
        base=("BITBUCKET_PR_DESTINATION_BRANCH",),
        number=("BITBUCKET_BUILD_NUMBER",),
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
        base=("CI_COMMIT_TARGET_BRANCH",),
        number=("CI_PIPELINE_NUMBER",),
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
        base=("DRONE_TARGET_BRANCH",),
        number=("DRONE_BUILD_NUMBER",),
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
        base=("TRAVIS_BRANCH",),
        number=("TRAVIS_BUILD_NUMBER",),
        source=("https://github.com/{TRAVIS_REPO_SLUG}",),
    ),
    System(  # https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
        name="AWS CodeBuild",
        markers=(("CODEBUILD_BUILD_ID", None),),
        event="CODEBUILD_WEBHOOK_EVENT",
        events={
            "": Event(),  # a build that no webhook started
            "PUSH": Event(),
            "PULL_REQUEST_CREATED": _PULL_REQUEST,
            "PULL_REQUEST_UPDATED": _PULL_REQUEST,
            "PULL_REQUEST_REOPENED": _PULL_REQUEST,
            "PULL_REQUEST_MERGED": _PULL_REQUEST,
            "PULL_REQUEST_CLOSED": _PULL_REQUEST,
            "RELEASED": _TAG,
            "PRERELEASED": _TAG,
        },
        only_events=True,
        ref=("CODEBUILD_WEBHOOK_TRIGGER", "CODEBUILD_SOURCE_VERSION"),
        sha=("CODEBUILD_RESOLVED_SOURCE_VERSION",),
        base=("CODEBUILD_WEBHOOK_BASE_REF",),
        number=("CODEBUILD_BUILD_NUMBER",),
        promises=(("CODEBUILD_WEBHOOK_BASE_REF", "pull_request"),),
        source=("{CODEBUILD_SOURCE_REPO_URL}",),
    ),
    System(  # https://www.jetbrains.com/help/teamcity/predefined-build-parameters.html
        name="TeamCity",
        markers=(("TEAMCITY_VERSION", None),),
        properties="TEAMCITY_BUILD_PROPERTIES_FILE",
        # The names of branches that people see (teamcity.build.branch) do not distinguish branches from git tags.
        ref=("teamcity.build.vcs.branch",),
        pull_request=("teamcity.pullRequest.number",),
        sha=("BUILD_VCS_NUMBER", "build.vcs.number"),
        base=("teamcity.pullRequest.target.branch",),
        number=("BUILD_NUMBER",),
        default_branch=("vcsroot.branch",),
        primary="teamcity.build.branch.is_default",
        source=("{vcsroot.url}",),
    ),
    System(  # https://www.appveyor.com/docs/environment-variables/
        name="AppVeyor",
        markers=(("APPVEYOR", None),),
        tag=("APPVEYOR_REPO_TAG_NAME",),
        branch=("APPVEYOR_REPO_BRANCH",),
        pull_request=("APPVEYOR_PULL_REQUEST_NUMBER",),
        event="APPVEYOR_SCHEDULED_BUILD",
        events={"True": _SCHEDULE, "true": _SCHEDULE},
        sha=("APPVEYOR_REPO_COMMIT",),
        base=("APPVEYOR_REPO_BRANCH",),
        number=("APPVEYOR_BUILD_NUMBER",),
        promises=(("APPVEYOR_REPO_TAG", "tag"), ("APPVEYOR_PULL_REQUEST_HEAD_COMMIT", "pull_request")),
        source=("https://{APPVEYOR_REPO_PROVIDER}/{APPVEYOR_REPO_NAME}",),
        source_hosts={"gitHub": "github.com", "bitBucket": "bitbucket.org", "gitLab": "gitlab.com"},
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
        base=("CHANGE_TARGET", "ghprbTargetBranch", "gitlabTargetBranch"),
        number=("BUILD_NUMBER",),
        primary="BRANCH_IS_PRIMARY",
        source=("{GIT_URL}",),
    ),
    System(  # https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values
        name="Google Cloud Build",
        markers=(("TRIGGER_NAME", None),),
        beside=("PROJECT_ID", "BUILD_ID"),
        tag=("TAG_NAME",),
        branch=("BRANCH_NAME",),
        pull_request=("_PR_NUMBER",),
        sha=("COMMIT_SHA", "REVISION_ID"),
        base=("_BASE_BRANCH",),
        number=("BUILD_ID",),
        promises=(("_BASE_BRANCH", "pull_request"), ("_HEAD_BRANCH", "pull_request")),
    ),
)
"""The CI systems that are looked for, in this order.

Woodpecker is before Drone, whose variables its older versions set too. Jenkins is after the others, since their agents
may run beside it, and Google Cloud Build is last, since all of its variables have names that others use.
"""

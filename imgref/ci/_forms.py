"""The forms of values in CI systems' variables: what a ref, a name or a word means."""

from __future__ import annotations

from typing import Final

__all__ = [
    "BRANCH_FORMS",
    "DEFAULT_BRANCH_NAMES",
    "FALSE_WORDS",
    "FORMS",
    "HEAD_COMMIT",
    "MERGE_QUEUE",
    "REF_FORMS",
    "TAG_FORMS",
]

FALSE_WORDS: Final = frozenset({"", "0", "false", "f", "no", "n", "off", "none", "null"})
"""Values, in lower case, with which a marker means that the system does not run, and a number that there is none."""

HEAD_COMMIT: Final = {
    "ghprbPullId": ("ghprbActualCommit",),
    "gitlabMergeRequestIid": ("gitlabMergeRequestLastCommit",),
    "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER": ("SYSTEM_PULLREQUEST_SOURCECOMMITID",),
    "SYSTEM_PULLREQUEST_PULLREQUESTID": ("SYSTEM_PULLREQUEST_SOURCECOMMITID",),
    "APPVEYOR_PULL_REQUEST_NUMBER": ("APPVEYOR_PULL_REQUEST_HEAD_COMMIT",),
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
_AT_COMMIT: Final = r"(?:\^\{[0-9a-f]+\})?"

REF_FORMS: Final = (
    ("pull_request", rf"refs/(?:pull|pull-requests|merge-requests)/{_NUMBER}(?:/.*)?"),
    ("tag", "refs/tags/(.+)"),
    ("branch", "refs/heads/(.+)"),
)
"""What a ref means: a fact and a pattern; the first that matches the whole value counts."""

_LAZY_REF_FORMS: Final = (REF_FORMS[0], ("tag", "refs/tags/([^^]+)"), ("branch", "refs/heads/([^^]+)"))

TAG_FORMS: Final = (("tag", "(?:refs/tags/)?+((?!refs/).+)"),)
BRANCH_FORMS: Final = (*REF_FORMS, _AS_NAMED)

FORMS: Final = {
    # A pull request from a fork is built as a branch of this name.
    "CIRCLE_BRANCH": (*REF_FORMS, ("pull_request", rf"pull/{_NUMBER}(?:/.*)?"), _AS_NAMED),
    "CODEBUILD_WEBHOOK_TRIGGER": (
        *REF_FORMS,
        ("pull_request", f"pr/{_NUMBER}"),
        ("tag", "tag/(.+)"),
        ("branch", "branch/(.+)"),
    ),
    # A name without refs/ may be a branch, a git tag, or a commit.
    "CODEBUILD_SOURCE_VERSION": (
        ("pull_request", f"pr/{_NUMBER}"),
        *((fact, rf"{pattern}{_AT_COMMIT}") for fact, pattern in _LAZY_REF_FORMS),
    ),
    # The git plugin names the ref that it fetched: as a branch of the remote, or as the job spells it.
    "GIT_BRANCH": (
        ("pull_request", rf"(?:refs/|origin/|(?:refs/)?remotes/[^/]+/)?{_PULL}(?:/(?:head|merge|from))?"),
        ("pull_request", rf"[^/]+/{_PULL}/(?:head|merge|from)"),
        ("tag", "(?:(?:refs/)?remotes/[^/]+/|origin/)?(?:refs/)?tags/(.+)"),
        ("branch", rf"(?:refs/heads/|(?:refs/)?remotes/[^/]+/|origin/(?:refs/heads/)?+)?+((?!refs/|{_DETACHED}).+)"),
    ),
}
"""Variables whose values have special forms."""

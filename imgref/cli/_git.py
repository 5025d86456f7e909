"""Asks git about the repository in the working directory: its tags, its default branch."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imgref.errors import ImgrefError

if TYPE_CHECKING:
    from imgref.ci import Checkout

__all__ = ["GitError", "GitTags", "commit_time", "default_branch", "list_tags", "read_checkout"]

_TIMEOUT = 60
"""Seconds; asking a remote may take some."""


class GitError(ImgrefError):
    """Git is missing, or cannot answer here."""


@dataclass(frozen=True, slots=True)
class GitTags:
    """The tags of the current repository.

    Attributes:
        names: the tags that this clone or its remotes have.
        lacking: why this clone may lack tags, or an empty string where it has them all.
        asked: the remotes that were asked, because it may.
    """

    names: tuple[str, ...]
    lacking: str = ""
    asked: tuple[str, ...] = ()


def list_tags(is_released: Callable[[str], bool] = lambda name: False) -> GitTags:
    """Return the tags of the current repository; where this clone may lack some, also those of its remotes.

    A repository without a remote is complete. A remote that has no tags is known to have none.

    Args:
        is_released: whether a tag is the one that is being released, which proves nothing about the others.

    Raises:
        GitError: git is missing, this is not a repository, or a remote cannot be asked.
    """
    try:
        shallow = _git("rev-parse", "--is-shallow-repository") == "true"
        names = _git("for-each-ref", "--format=%(refname:strip=2)", "refs/tags").splitlines()
        remotes = _remotes()
    except GitError as error:
        raise GitError(f"--existing git: {error}") from error
    if not remotes and not shallow:
        return GitTags(tuple(names))
    lacking = _lacking(remotes, shallow=shallow, only_released=all(map(is_released, names)))
    if not lacking:
        return GitTags(tuple(names))
    if not remotes:
        raise GitError(_cannot_ask(lacking, "it has no remote"))
    for remote in remotes:
        try:
            names += _remote_tags(remote)
        except GitError as error:
            raise GitError(_cannot_ask(lacking, f"its remote {remote!r} cannot be asked ({error})")) from error
    return GitTags(tuple(dict.fromkeys(names)), lacking, tuple(remotes))


def read_checkout() -> Checkout:
    """Return what the checkout in the current directory is of.

    Raises:
        GitError: git is missing, this is not a repository, or it has no commit.
    """
    from imgref.ci import Checkout

    sha = _git("rev-parse", "--verify", "HEAD^{commit}")
    tags = _git("for-each-ref", "--points-at", sha, "--format=%(refname:strip=2)", "refs/tags").splitlines()
    return Checkout(
        sha,
        branch=_or_none("symbolic-ref", "--quiet", "HEAD", prefix="refs/heads/"),
        tags=tuple(tags),
        source=_or_none("config", "--get", "remote.origin.url"),
        default_branch=default_branch(),
    )


def commit_time(sha: str) -> int | None:
    """Return the time of a commit in seconds, or None if this clone does not have it; outside a repository, too."""
    said = _or_none("show", "--no-patch", "--no-show-signature", "--format=%ct", f"{sha}^{{commit}}", "--")
    return int(said) if said and said.isdecimal() else None


def _or_none(*arguments: str, prefix: str = "") -> str | None:
    """Return what git prints, or None if it is nothing or does not begin with the prefix."""
    try:
        said = _git(*arguments)
    except GitError:
        return None
    return said.removeprefix(prefix) or None if said.startswith(prefix) else None


def default_branch() -> str | None:
    """Return the remote's default branch if this clone has it, or None, also outside of a repository."""
    try:
        return _git("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD").partition("/")[2] or None
    except GitError:
        return None


@dataclass(slots=True)
class _Remote:
    """The configuration of a remote."""

    url: bool = False
    refspecs: list[str] = field(default_factory=list)
    tags: bool = True

    @property
    def has_every_tag(self) -> bool:
        """Whether a fetch without options gets every tag, or at least those on every branch.

        A bare clone has no refspec: it got every branch and tag when it was made.
        """
        sources = {refspec.removeprefix("+").partition(":")[0] for refspec in self.refspecs}
        if not sources.isdisjoint(("refs/*", "refs/tags/*")):
            return True
        return self.tags and (not sources or "refs/heads/*" in sources)


def _remotes() -> dict[str, _Remote]:
    """Read the remotes from the configuration; those without a URL are not remotes, but settings for some."""
    remotes: dict[str, _Remote] = {}
    for entry in _git("config", "--list", "-z").split("\0"):
        key, _, value = entry.partition("\n")
        section, _, rest = key.partition(".")
        name, _, variable = rest.rpartition(".")
        if section != "remote" or not name:
            continue
        remote = remotes.setdefault(name, _Remote())
        if variable == "url":
            remote.url = True
        elif variable == "fetch":
            remote.refspecs.append(value)
        elif variable == "tagopt":
            remote.tags = value != "--no-tags"
    return {name: remote for name, remote in remotes.items() if remote.url}


def _lacking(remotes: dict[str, _Remote], *, shallow: bool, only_released: bool) -> str:
    """Return why this clone may lack tags, or return an empty string."""
    if shallow:
        return "is shallow"
    if only_released:
        return "has no tag but that of the release"
    if not any(remote.has_every_tag for remote in remotes.values()):
        return "fetches only some branches or tags"
    return ""


def _remote_tags(remote: str) -> list[str]:
    listing = _git("ls-remote", "--tags", "--refs", "--", remote)
    return [line.partition("\trefs/tags/")[2] for line in listing.splitlines() if "\trefs/tags/" in line]


def _cannot_ask(lacking: str, reason: str) -> str:
    return (
        f"--existing git: this clone {lacking}, so it may lack tags, and {reason}. Fetch them: `git fetch --tags`, in "
        "a shallow clone `git fetch --unshallow --tags`, in GitHub Actions `fetch-depth: 0` of actions/checkout, in "
        "GitLab CI `GIT_DEPTH: 0`. Where that is done already, pass them: `git tag | imgref … --existing -`"
    )


def _git(*arguments: str) -> str:
    # Nothing may wait for a password in a CI job, and messages are read by people, not matched.
    environ = {
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
        **os.environ,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
    }
    try:
        done = subprocess.run(
            ("git", *arguments),
            capture_output=True,
            check=True,
            env=environ,
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT,
        )
    except FileNotFoundError:
        raise GitError("git is not installed, or not on PATH") from None
    except subprocess.TimeoutExpired:
        raise GitError(f"git {arguments[0]} did not answer in {_TIMEOUT} seconds") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ").splitlines()
        raise GitError(f"git {arguments[0]}: {said[0] if said else f'exit {error.returncode}'}") from None
    return done.stdout.decode("utf-8", "surrogateescape").strip()

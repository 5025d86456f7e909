"""What git says of the repository here: its tags, its default branch."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass

from imgref.errors import ImgrefError

__all__ = ["GitError", "GitTags", "default_branch", "list_tags"]

_TIMEOUT = 60
"""Seconds; asking a remote may take some."""


class GitError(ImgrefError):
    """Git is missing, or cannot answer here."""


@dataclass(frozen=True, slots=True)
class GitTags:
    """The tags of a repository; ``remote`` is the remote that was asked where this clone lacks most of them."""

    names: tuple[str, ...]
    remote: str | None = None


def list_tags() -> GitTags:
    """Give the tags of the repository here; in a shallow clone, those of its remote.

    Raises:
        GitError: there is no git, no repository, no tag in it, or its remote cannot be asked.
    """
    try:
        shallow = _git("rev-parse", "--is-shallow-repository") == "true"
    except GitError as error:
        raise GitError(f"--existing git: {error}") from error
    remote = _remote() if shallow else None
    names = (
        _remote_tags(remote)
        if remote
        else tuple(_git("for-each-ref", "--format=%(refname:strip=2)", "refs/tags").splitlines())
    )
    if not names:
        raise GitError(
            "--existing git: this repository has no tags; fetch them with `git fetch --tags`, or leave --existing out "
            "for the very first release"
        )
    return GitTags(names, remote)


def default_branch() -> str | None:
    """Give the remote's default branch as far as this clone knows it, or None; outside a repository, too."""
    try:
        return _git("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD").partition("/")[2] or None
    except GitError:
        return None


def _remote() -> str:
    remotes = _git("remote").splitlines()
    if not remotes:
        raise GitError(_shallow("it has no remote to ask"))
    return "origin" if "origin" in remotes else remotes[0]


def _remote_tags(remote: str) -> tuple[str, ...]:
    try:
        listing = _git("ls-remote", "--tags", "--refs", remote)
    except GitError as error:
        raise GitError(_shallow(str(error))) from error
    return tuple(line.partition("\trefs/tags/")[2] for line in listing.splitlines() if "\trefs/tags/" in line)


def _shallow(reason: str) -> str:
    return (
        f"--existing git: this clone is shallow and lacks most tags, and its remote cannot be asked ({reason}). Fetch "
        "them: `git fetch --unshallow --tags`, in GitHub Actions `fetch-depth: 0` of actions/checkout, in GitLab CI "
        "`GIT_DEPTH: 0`"
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

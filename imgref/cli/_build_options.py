"""The options that describe a build, from the CI system, git, or by hand, for the commands that plan or show one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from imgref.ci import Build

__all__ = ["NAMES", "build_options", "describes_build", "read_build"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS: Final = (
    click.option("--ref", metavar="REF", help="Build this ref instead, such as refs/heads/main or refs/tags/v1.2.3"),
    click.option(
        "--event",
        type=click.Choice(["tag", "branch", "pr", "schedule"]),
        help="The event, if the CI system does not set it",
    ),
    click.option("--pr", metavar="N", help="Build this pull or merge request instead"),
    click.option("--commit", metavar="SHA", help="The commit, if the CI system does not set it"),
    click.option("--git", is_flag=True, help="Read the git checkout instead of the environment"),
)

NAMES: Final = ("ref", "event", "pr", "commit", "git")
"""The parameters of the options."""

_INSTEAD: Final = ("ref", "pr", "git")
"""Those with which the environment is not read at all."""


def build_options(command: _Command) -> _Command:
    """Put the options on a command; :func:`read_build` reads them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def describes_build(params: Mapping[str, Any]) -> bool:
    """Return whether these options describe the build, so that no CI system is needed."""
    event_alone = params["event"] is not None and not params.get("ci", True)
    return event_alone or any(params[name] not in (None, False) for name in _INSTEAD)


def read_build(params: Mapping[str, Any], default_branch: str | None) -> Build:
    """Return the build that the options describe, else the CI system's with what they add.

    Args:
        params: the parameters of the command.
        default_branch: the default branch, in case the CI system does not name it.

    Raises:
        UnknownBuild: it is not known what is built.
        GitError: git cannot answer.
    """
    from imgref.ci import adjusted_build, detect, manual_build

    if not describes_build(params):
        return adjusted_build(detect(default_branch=default_branch), event=params["event"], sha=params["commit"])
    checkout = None
    if params["git"]:
        from imgref.cli._git import read_checkout

        checkout = read_checkout()
    return manual_build(
        params["ref"],
        event=params["event"],
        pull_request=params["pr"],
        sha=params["commit"],
        checkout=checkout,
    )

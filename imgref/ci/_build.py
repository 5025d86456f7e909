"""What is known about a build, from any source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, cast

from imgref.ci._read import Facts

__all__ = ["Build", "Event", "build_of"]

Event = Literal["tag", "branch", "pull-request", "schedule", "merge-group"]

_FACTS: Final = ("tag", "branch", "pull_request", "sha", "base", "number", "default_branch", "source", "event")


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What a CI system reports about a build.

    Attributes:
        system: its name.
        event: what is built: a git ``tag``, a ``branch``, a ``pull-request``, a ``schedule``, or a ``merge-group``.
        tag: the git tag, or None.
        branch: the branch, or None.
        pull_request: the number of the pull or merge request, or None.
        sha: the commit in hexadecimal digits, or None.
        base: the branch into which the pull request is to be merged, or None.
        number: the number of the build in its system, or its ID, or None.
        default_branch: the repository's default branch, or None if no variable has it.
        source: the http or https URL of the repository, without credentials, or None.
        about: what is known about the repository: its ``title``, ``description``, ``url`` and ``licenses``.
        told_by: the variable (or file and key) that each of these comes from.
        notes: what was omitted, and why.
    """

    system: str
    event: Event
    tag: str | None = None
    branch: str | None = None
    pull_request: str | None = None
    sha: str | None = None
    base: str | None = None
    number: str | None = None
    default_branch: str | None = None
    source: str | None = None
    about: Mapping[str, str] = field(hash=False, default_factory=dict)
    told_by: Mapping[str, str] = field(hash=False)
    notes: tuple[str, ...] = ()


def build_of(facts: Facts, system: str) -> Build:
    """Return the build that the collected facts describe."""
    values = facts.values
    return Build(
        system=system,
        event=cast("Event", facts.event),
        about=facts.about,
        told_by={fact: facts.told_by[fact] for fact in _FACTS if fact in facts.told_by},
        notes=tuple(facts.notes),
        **{fact: values[fact] for fact in _FACTS if fact in values},
    )

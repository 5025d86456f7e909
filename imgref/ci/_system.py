"""What describes a CI system in the table of :mod:`imgref.ci._systems`: its events and its variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Event", "System"]

Kind = Literal["ref", "tag", "pull-request", "schedule", "merge-group"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The meaning of a value of a system's event variable. Paths in the event file have keys separated by dots.

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
        beside: variables that are set as well, where the markers could be those of something else.
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
        base: variables with the branch into which a pull request is to be merged.
        number: variables with the number of the build, or its ID.
        about: variables with a ``title`` and a ``description`` of the repository.
        default_branch: variables with the name of the default branch.
        primary: a variable that is ``true`` on the default branch.
        event_file: a variable with the path of a JSON file that describes the event.
        source: the address of the repository, with variables in braces.
        source_hosts: the host for each value of a variable in ``source``; without one, there is no source.
        promises: pairs of a variable and a fact that must be known where the variable has a value other than ``false``.
        properties: a variable with the path of a Java properties file, whose properties are read like variables.
    """

    name: str
    markers: tuple[tuple[str, str | None], ...]
    beside: tuple[str, ...] = ()
    event: str = ""
    events: Mapping[str, Event] = field(default_factory=dict)
    only_events: bool = False
    ref: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    branch: tuple[str, ...] = ()
    pull_request: tuple[str, ...] = ()
    branch_pull_request: tuple[str, ...] = ()
    sha: tuple[str, ...] = ()
    base: tuple[str, ...] = ()
    number: tuple[str, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)
    default_branch: tuple[str, ...] = ()
    primary: str = ""
    event_file: str = ""
    source: tuple[str, ...] = ()
    source_hosts: Mapping[str, str] = field(default_factory=dict)
    promises: tuple[tuple[str, str], ...] = ()
    properties: str = ""

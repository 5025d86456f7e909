"""Which files a check reads: those below directories, and those that are passed by name, each with its policy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from imgref.check.policy import Policy
from imgref.sources.walk import Listing, shown_path

__all__ = [
    "Listed",
    "Named",
    "Task",
    "declared_kind",
    "examined",
    "excluded",
    "inside_policy",
    "list_tasks",
    "task_for",
]


@dataclass(frozen=True, slots=True)
class Task:
    """One file to look at.

    Attributes:
        path: how it is opened.
        named: whether it was passed by name.
        policy: the index of its policy in the list of policies.
        data: its bytes, where they came from elsewhere.
        kind: the kind that it is declared to be, or None.
    """

    path: str
    named: bool
    policy: int
    data: bytes | None = None
    kind: str | None = None


class Named(NamedTuple):
    """How files that are passed by name are treated.

    Attributes:
        kind: the kind that they all are, or None where each one's name and content decide.
        force_exclude: whether the policy's ``exclude`` applies to them too.
    """

    kind: str | None = None
    force_exclude: bool = False


class Listed(NamedTuple):
    """The files that paths refer to.

    Attributes:
        tasks: those to read, in the order of their paths.
        others: those in directories whose names are of no known kind, in the order of their paths.
        excluded: those to read that a policy excludes, in the order of their paths.
    """

    tasks: list[Task]
    others: list[str]
    excluded: list[str]


def list_tasks(
    paths: Sequence[str],
    policy_for: Callable[[str], int],
    policies: Sequence[Policy],
    listing: Listing,
    named: Named = Named(),  # noqa: B008  immutable
) -> Listed:
    """List the files that paths refer to, each once.

    Args:
        paths: files and directories.
        policy_for: returns the index of a directory's policy in ``policies``, which may grow meanwhile.
        policies: the policies.
        listing: lists directories.
        named: how files that are passed by name are treated.
    """
    tasks: dict[str, Task] = {}
    left: set[str] = set()
    for path in paths:
        if os.path.isdir(path):
            policy_for(path)  # invalid settings are an error, even if there is nothing to check
            for file in listing.files(path):
                number = policy_for(os.path.dirname(file) or ".")
                policy = policies[number]
                if excluded(file, policy):
                    left.add(file)
                elif file not in tasks:
                    tasks[file] = Task(file, False, number, kind=declared_kind(file, policy))
        elif (task := task_for(path, policy_for, policies, named)) is not None:
            tasks[path] = task
        else:
            left.add(path)
    unique = {shown_path(path): task for path, task in sorted(tasks.items(), key=lambda item: item[1].named)}
    others = {
        shown_path(path): path
        for path in _probed(listing.others)
        if not excluded(path, policies[policy_for(os.path.dirname(path) or ".")])
    }
    return Listed(
        [unique[path] for path in _sorted(unique)],
        [others[path] for path in _sorted(others) if path not in unique],
        _sorted(path for path in map(shown_path, left) if path not in unique),
    )


def _sorted(paths: Iterable[str]) -> list[str]:
    """Return paths in the order of their parts, each once."""
    return sorted(set(paths), key=lambda path: path.split("/"))


def task_for(
    path: str, policy_for: Callable[[str], int], policies: Sequence[Policy], named: Named, data: bytes | None = None
) -> Task | None:
    """Return the task for a file that is passed by name, or None if it is excluded anyway.

    Args:
        path: the file.
        policy_for: as for :func:`list_tasks`.
        policies: the policies.
        named: how files that are passed by name are treated.
        data: its bytes, where they came from elsewhere.
    """
    number = policy_for(os.path.dirname(path) or ".")
    policy = policies[number]
    if named.force_exclude and excluded(path, policy):
        return None
    return Task(path, True, number, data, named.kind or declared_kind(path, policy))


def declared_kind(path: str, policy: Policy) -> str | None:
    """Return the kind that a policy declares for a file, or None."""
    return policy.kind_of(inside_policy(path, policy)) if policy.files else None


def examined(task: Task, policies: Sequence[Policy]) -> frozenset[str]:
    """Return the codes of the rules that a file was checked by, if it was read."""
    policy = policies[task.policy]
    quiet = policy.ignored_in(inside_policy(task.path, policy)) if policy.per_file_ignores else frozenset()
    return policy.enabled - quiet


def excluded(path: str, policy: Policy) -> bool:
    """Return whether a policy leaves a file out."""
    return bool(policy.exclude) and policy.exclude.matches(inside_policy(path, policy))


def inside_policy(path: str, policy: Policy) -> str:
    """Return a path relative to where the policy's patterns start."""
    root = Path.cwd() if policy.root is None else policy.root
    directory, name = os.path.split(Path(path).absolute())
    return os.path.relpath(os.path.join(_real(directory), name), root)


@cache
def _real(directory: str) -> str:
    """Return a directory without links in it: the root of a policy has none either."""
    return os.path.realpath(directory)


def _probed(paths: Iterable[str]) -> Iterator[str]:
    """Yield the files of no known kind in which images are looked for."""
    for path in paths:
        from imgref.sources.traces import is_probed

        if is_probed(path):
            yield path

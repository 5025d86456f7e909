"""A check of files and directories, from their paths to findings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from pathlib import Path

from imgref.check.finding import Finding
from imgref.check.policy import Policy
from imgref.check.result import Checked
from imgref.check.runner import Options, check, unlisted
from imgref.check.settings import Policies, read_policy
from imgref.check.tasks import Named, Task, declared_kind, list_tasks
from imgref.check.unrecognized import unrecognized
from imgref.config import load_config
from imgref.errors import ImgrefError
from imgref.sources.recognition import is_candidate
from imgref.sources.walk import Listing

__all__ = ["Files", "check_paths", "list_files"]


@dataclass(frozen=True, slots=True)
class Files:
    """The files that a check reads.

    Attributes:
        tasks: the files, in the order of their paths.
        unread: what could not be listed, each with its reason.
        warnings: what limits the listing as a whole.
        others: files of no known kind, by their names.
        excluded: what the policy excludes.
    """

    tasks: list[Task]
    unread: list[Checked]
    warnings: list[str]
    others: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)

    def passed_over(self) -> Iterator[Checked]:
        """Yield a result for each excluded file, and for each file of no known kind that seems to have images."""
        for path in self.excluded:
            yield Checked(path, status="excluded", reason="exclude in the settings matches it")
        yield from unrecognized(self.others)


def list_files(
    paths: Sequence[str],
    policies: Policies,
    environ: Mapping[str, str],
    *,
    named: Named = Named(),  # noqa: B008  immutable
    everything: bool = False,
) -> Files:
    """List the files of a check.

    Args:
        paths: files and directories.
        policies: the policy of each directory.
        environ: the environment of git.
        named: how files that are passed by name are treated.
        everything: whether to list what git ignores, too.

    Raises:
        ConfigError: the settings of a directory are not valid.
    """

    def wanted(path: str) -> bool:
        if is_candidate(path):
            return True
        number = policies.number(os.path.dirname(path) or ".")
        return declared_kind(path, policies.found[number]) is not None

    listing = Listing(wanted, environ, everything=everything)
    listed = list_tasks(paths, policies.number, policies.found, listing, named)
    unread = list(unlisted(listing, policies.number, policies.found))
    return Files(listed.tasks, unread, listing.warnings, listed.others, listed.excluded)


def check_paths(
    paths: Sequence[str | os.PathLike[str]],
    policy: Policy | None = None,
    *,
    options: Options | None = None,
    environ: Mapping[str, str] | None = None,
    on_unchecked: Callable[[Checked], None] | None = None,
) -> Iterator[Finding]:
    r"""Check the image references in files, and yield the findings in the order of the files and lines.

    In directories, files that git ignores are skipped; a file that is passed by name is always read.

    Args:
        paths: files and directories.
        policy: the policy of all files, from :func:`imgref.check.load_policy`; by default each directory has that of
            the nearest settings file upwards, as in ``imgref check``.
        options: variables, platform and limits.
        environ: the environment of git; by default that of this process.
        on_unchecked: receives each file that was not checked, or not to its end, with the reason; also excluded files
            and those of no known kind that seem to have images. Without it, such a file is an error after the last
            finding, unless ``imgref check`` would only warn of it or count it.

    Raises:
        ImgrefError: a path does not exist, or a file could not be checked.
        ConfigError: the settings are not valid.

    >>> from imgref.check import load_policy
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as directory:
    ...     _ = Path(directory, "Dockerfile").write_text("FROM redis\n")
    ...     [(found.line, found.column, found.code) for found in check_paths([directory], load_policy("/"))]
    [(1, 6, 'IMG101')]
    """
    names = [os.fspath(path) for path in paths]
    for name in names:
        if not os.path.lexists(name):
            raise ImgrefError(f"{name}: no such file or directory")
    policies = Policies(_policy_of, policy)
    files = list_files(names, policies, os.environ if environ is None else environ)
    results = chain(files.unread, check(files.tasks, policies.found, options or Options()))
    if on_unchecked is not None:
        results = chain(results, files.passed_over())
    return _findings(results, on_unchecked)


def _policy_of(file: Path | None) -> Policy:
    return read_policy(load_config(file), today=date.today())


def _findings(results: Iterable[Checked], on_unchecked: Callable[[Checked], None] | None) -> Iterator[Finding]:
    failed: list[Checked] = []
    for result in results:
        yield from result.findings
        if result.status in {"checked", "nothing"}:
            continue
        if on_unchecked is not None:
            on_unchecked(result)
        elif result.status in {"unknown", "unread"}:
            failed.append(result)
    if failed:
        raise ImgrefError(f"{failed[0].path}: {failed[0].reason or 'the kind of this file is unknown'}")

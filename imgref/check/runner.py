"""Runs a check: lists the files, reads each one, judges it, and gives the results in the order of their paths.

Files are independent of each other but for one thing: the registries that an engine's settings declare insecure hold
for the whole tree. Those few files are read first; then everything is read, by as many processes as there are
processors where there are enough files, and nothing is kept of a file but its results.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Final

from imgref._printable import MASK, masked
from imgref.check.finding import Declaration, Finding, Occurrence, Problem, Reading
from imgref.check.judge import judge
from imgref.check.patterns import HostPattern, is_loopback
from imgref.check.policy import Policy
from imgref.check.processes import available, in_processes
from imgref.check.sources import (
    ENGINE_SETTINGS,
    Place,
    Places,
    Unreadable,
    is_known_by_name,
    lines_of,
    read,
)
from imgref.check.walk import Listing, shown_path
from imgref.errors import ImgrefError

__all__ = ["MAX_SIZE", "Checked", "Options", "Task", "check", "list_tasks"]

MAX_SIZE: Final = 10 * 1024 * 1024
"""How many bytes of a file are read at the most, by default."""

_MANY: Final = 500
"""From how many files on more than one process is worth its start."""

_CHUNK: Final = 32
_USER: Final = re.compile(r"[^\s\"'=/@]++(?=@)")


@dataclass(frozen=True, slots=True)
class Options:
    """How files are read, whatever the policy.

    Attributes:
        build_args: variables of Dockerfiles that are set from outside.
        platform: what the platform variables of Dockerfiles are set to.
        max_size: files with more bytes are not read.
        judging: whether files are judged; else their references are listed only.
        keep: whether occurrences are kept in the results.
    """

    build_args: Mapping[str, str] = field(default_factory=dict)
    platform: str = "linux/amd64"
    max_size: int = MAX_SIZE
    judging: bool = True
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """One file to look at.

    Attributes:
        path: how it is opened.
        named: whether it was given by name.
        policy: the place of its policy in the list of policies.
        data: its bytes, where they came from elsewhere.
    """

    path: str
    named: bool
    policy: int
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check has to say of one file.

    Attributes:
        path: as findings name it.
        kind: the kind of file, or None where it is none that is known.
        findings: sorted by place.
        occurrences: the references in it, where they are kept.
        references: how many there are.
        unresolved: how many texts could not be told.
        warnings: what could not be looked at.
        lines: the lines that findings are about, by number.
    """

    path: str
    kind: str | None = None
    findings: tuple[Finding, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    references: int = 0
    unresolved: int = 0
    warnings: tuple[str, ...] = ()
    lines: Mapping[int, str] = field(default_factory=dict)


def list_tasks(
    paths: Sequence[str], policy_for: Callable[[str], int], policies: Sequence[Policy], listing: Listing
) -> list[Task]:
    """List the files that paths stand for, each once, in the order of their paths.

    Args:
        paths: files and directories.
        policy_for: gives for a directory the place of its policy in ``policies``, which may grow meanwhile.
        policies: the policies.
        listing: lists directories.
    """
    tasks: dict[str, Task] = {}
    for path in paths:
        if Path(path).is_dir():
            for file in listing.files(path):
                number = policy_for(os.path.dirname(file) or ".")
                if file not in tasks and not _excluded(file, policies[number]):
                    tasks[file] = Task(file, False, number)
        else:
            tasks[path] = Task(path, True, policy_for(os.path.dirname(path) or "."))
    unique = {shown_path(path): task for path, task in sorted(tasks.items(), key=lambda item: item[1].named)}
    return [unique[path] for path in sorted(unique, key=lambda path: path.split("/"))]


def _excluded(path: str, policy: Policy) -> bool:
    return bool(policy.exclude) and any(pattern.matches(_inside(path, policy)) for pattern in policy.exclude)


def _inside(path: str, policy: Policy) -> str:
    """Give a path relative to where the policy's patterns start."""
    root = Path.cwd() if policy.root is None else policy.root
    directory, name = os.path.split(Path(path).absolute())
    return os.path.relpath(os.path.join(_real(directory), name), root)


@cache
def _real(directory: str) -> str:
    """Give a directory without links in it: the root of a policy has none either."""
    return os.path.realpath(directory)


def check(
    tasks: Sequence[Task], policies: Sequence[Policy], options: Options, *, jobs: int | None = None
) -> Iterator[Checked]:
    """Check files, and give the results in the order of the tasks.

    Args:
        tasks: the files.
        policies: the policies that the tasks name.
        options: how files are read.
        jobs: how many processes to use; by default one for each processor if there are many files.

    Raises:
        ImgrefError: something that is needed is not installed, or a process was ended from outside.
    """
    worker = _Worker(_with_declared(tasks, policies, options), options)
    jobs = (available() if len(tasks) >= _MANY else 1) if jobs is None else jobs
    if jobs < 2:
        return map(worker.check, tasks)
    chunks = [tasks[start : start + _CHUNK] for start in range(0, len(tasks), _CHUNK)]
    return chain.from_iterable(in_processes(worker.check_all, chunks, jobs))


def _with_declared(tasks: Sequence[Task], policies: Sequence[Policy], options: Options) -> list[Policy]:
    """Add to every policy the registries that engine settings of the tree declare insecure."""
    if not options.judging:
        return list(policies)
    reader = _Worker([], options)
    hosts: dict[str, None] = {}
    for task in tasks:
        if task.path.rpartition("/")[2] in ENGINE_SETTINGS:
            hosts |= {declared.host: None for declared in reader.declarations(task) if not is_loopback(declared.host)}
    declared = tuple(HostPattern(host) for host in hosts)
    return [replace(policy, insecure=(*policy.insecure, *declared)) for policy in policies]


@dataclass(slots=True)
class _Worker:
    """Reads and judges files."""

    policies: Sequence[Policy]
    options: Options
    places: Places = field(default_factory=Places)

    def check_all(self, tasks: Sequence[Task]) -> list[Checked]:
        return [self.check(task) for task in tasks]

    def declarations(self, task: Task) -> tuple[Declaration, ...]:
        """Give what an engine's settings declare; what is wrong with the file is told when its turn comes."""
        with suppress(_Refused):
            reading, _ = self._read(task, self.places.of(task.path))
            return () if reading is None else reading.declarations
        return ()

    def check(self, task: Task) -> Checked:
        path = shown_path(task.path)
        place = self.places.of(task.path)
        try:
            reading, text = self._read(task, place)
        except _Refused as refused:
            if not refused.gone and (task.named or is_known_by_name(place)):
                problem = Problem(1, 1, "IMG901", f"the file {refused}")
                return self._judged(task, path, Reading(place.kind or "file", problems=(problem,)), "")
            return Checked(path, warnings=(f"{path}: {refused}",))
        if reading is None:
            unknown = f"{path}: is no kind of file that is known to hold image references"
            return Checked(path, warnings=(unknown,) if task.named and place.kind is None else ())
        return self._judged(task, path, reading, text)

    def _judged(self, task: Task, path: str, reading: Reading, text: str) -> Checked:
        unresolved = sum(occurrence.role == "unresolved" for occurrence in reading.occurrences)
        findings: list[Finding] = []
        lines: dict[int, str] = {}
        if self.options.judging and (
            reading.occurrences or reading.problems or reading.comments or reading.declarations
        ):
            policy = self.policies[task.policy]
            inside = _inside(task.path, policy) if policy.per_file_ignores else path
            findings = judge(reading, policy, path=path, inside=inside, text=text)
            if findings and text:
                lines = dict(_source_lines(findings, reading, lines_of(reading.kind, text)))
        return Checked(
            path,
            reading.kind,
            tuple(findings),
            reading.occurrences if self.options.keep else (),
            len(reading.occurrences) - unresolved,
            unresolved,
            lines=lines,
        )

    def _read(self, task: Task, place: Place) -> tuple[Reading | None, str]:
        try:
            options = self.options
            data = _bytes_of(task.path, options.max_size) if task.data is None else task.data
            if len(data) > options.max_size:
                raise _TooLarge(options.max_size)
            return read(
                place,
                data,
                named=task.named,
                strict=task.data is not None or task.path.endswith(".json"),
                build_args=options.build_args,
                platform=options.platform,
            )
        except FileNotFoundError as error:
            raise _Refused("is gone", gone=True) from error
        except OSError as error:
            raise _Refused(f"cannot be read: {error.strerror}") from error
        except Unreadable as error:
            raise _Refused(str(error)) from error
        except RecursionError as error:
            raise _Refused("is nested too deeply to be read") from error
        except (_Refused, ImgrefError):
            raise
        # A mistake of ours in one file must not cost the findings of all the others.
        except Exception as error:
            raise _Refused(f"cannot be read by a mistake in imgref: {type(error).__name__}: {error}") from error


def _source_lines(findings: Sequence[Finding], reading: Reading, numbered: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Return the lines that findings are about, with their credentials masked, and every character in its column."""
    secret = {finding.line for finding in findings if MASK in (finding.text or "")}
    secret |= {declaration.line for declaration in reading.declarations}
    for line in {finding.line for finding in findings if finding.line <= len(numbered)}:
        text = numbered[line - 1].rstrip("\r\n")
        if line in secret:
            # A reference with credentials, or a host: whatever is before an @ is secret.
            text = _USER.sub(lambda found: "*" * len(found[0]), text)
        yield line, masked(text, same_length=True)


class _Refused(Exception):
    """Why a file was not read. A file that is gone is nobody's finding."""

    def __init__(self, reason: str, *, gone: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone


class _TooLarge(_Refused):
    def __init__(self, max_size: int) -> None:
        super().__init__(f"has more than {max_size:,} bytes (--max-size), and is not read")


def _bytes_of(path: str, max_size: int) -> bytes:
    """Read a file, and never more of it than is admitted, whatever its size is said to be.

    Most files are small, and there are many: this asks the system for as little as can be.
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(file)
        if stat.S_ISREG(status.st_mode) and status.st_size:
            if status.st_size > max_size:
                raise _TooLarge(max_size)
            return os.read(file, status.st_size)
        with open(file, "rb", closefd=False) as stream:
            return stream.read(max_size + 1)
    finally:
        os.close(file)

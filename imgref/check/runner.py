"""Runs a check: lists the files, reads and checks each one, and yields the results in the order of their paths.

Files are independent, with one exception: registries that a container configuration lists as insecure count
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
from itertools import chain
from typing import Final

from imgref._printable import MASK, masked
from imgref.check.evaluate import evaluate
from imgref.check.finding import Finding
from imgref.check.online import unanswered
from imgref.check.policy import Policy
from imgref.check.processes import available, in_processes
from imgref.check.result import Checked, Status
from imgref.check.tasks import Task, examined, excluded, inside_policy, list_tasks
from imgref.check.unrecognized import PROBED, reason_of, unrecognized
from imgref.errors import ImgrefError
from imgref.hosts import HostPattern
from imgref.sources.beside import files_beside
from imgref.sources.contract import Context
from imgref.sources.decoding import HEAD, Unreadable, is_binary
from imgref.sources.find import read
from imgref.sources.kinds import lines_of
from imgref.sources.occurrence import Declaration, Problem, Reading
from imgref.sources.recognition import Place, Places
from imgref.sources.walk import Listing, shown_path

__all__ = ["MAX_SIZE", "Checked", "Options", "Status", "Task", "check", "list_tasks", "unlisted"]

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
        checking: whether files are checked; else their references are listed only.
        keep: whether occurrences are kept in the results.
    """

    build_args: Mapping[str, str] = field(default_factory=dict)
    platform: str = "linux/amd64"
    max_size: int = MAX_SIZE
    checking: bool = True
    keep: bool = False


def unlisted(listing: Listing, policy_for: Callable[[str], int], policies: Sequence[Policy]) -> Iterator[Checked]:
    """Yield results for what a listing could not look at, except where a policy excludes it.

    Args:
        listing: the listing, after it has listed.
        policy_for: as for :func:`list_tasks`.
        policies: the policies.
    """
    for path, reason, unread, directory in sorted(set(listing.unlisted)):
        policy = policies[policy_for(os.path.dirname(path) or ".")]
        # A directory is also excluded if every file in it would be.
        if not excluded(path, policy) and not (directory and excluded(os.path.join(path, "any"), policy)):
            yield Checked(shown_path(path), status="unread" if unread else "skipped", reason=reason)


def check(
    tasks: Sequence[Task], policies: Sequence[Policy], options: Options, *, jobs: int | None = None
) -> Iterator[Checked]:
    """Check files, and yield the results in the order of the tasks.

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
    """Add to every policy the registries that container configurations in the tree list as insecure."""
    if not options.checking:
        return list(policies)
    reader = _Worker([], options)
    hosts: dict[str, None] = {}
    for task in tasks:
        kind = reader.place(task).kind
        if kind is not None and kind.configures:
            hosts |= {declared.host: None for declared in reader.declarations(task)}
    declared = tuple(pattern for pattern in map(HostPattern, hosts) if not pattern.is_loopback)
    return [replace(policy, insecure=(*policy.insecure, *declared)) for policy in policies]


@dataclass(slots=True)
class _Worker:
    """Reads and checks files."""

    policies: Sequence[Policy]
    options: Options
    places: Places = field(default_factory=Places)

    def check_all(self, tasks: Sequence[Task]) -> list[Checked]:
        return [self.check(task) for task in tasks]

    def declarations(self, task: Task) -> tuple[Declaration, ...]:
        """Return the registries in a container configuration; problems in the file are reported when it is checked."""
        with suppress(_Refused):
            reading, _ = self._read(task, self.place(task))
            return () if reading is None else reading.declarations
        return ()

    def check(self, task: Task) -> Checked:
        path = shown_path(task.path)
        place = self.place(task)
        try:
            reading, text = self._read(task, place)
        except _Refused as refused:
            return self._refused(task, path, place, refused)
        if reading is None:
            return self._of_no_kind(task, path, place, text)
        return self._evaluated(task, path, reading, text)

    def _of_no_kind(self, task: Task, path: str, place: Place, text: str) -> Checked:
        """Return the result for a file of no known kind, which may have images nevertheless."""
        from imgref.sources.traces import is_probed, trace_of

        is_unknown = task.named and not place.may_be_about_anything
        trace = trace_of(text[:PROBED], yaml=place.yaml) if task.named or is_probed(path) else None
        status: Status = "unknown" if is_unknown else "nothing" if trace is None else "unrecognized"
        if trace is None:
            return Checked(path, status=status)
        return Checked(path, status=status, reason=reason_of(trace), line=trace.line)

    def place(self, task: Task) -> Place:
        """Return what is known about a file before it is read."""
        return self.places.of(task.path) if task.kind is None else Place.declared(task.kind)

    def _refused(self, task: Task, path: str, place: Place, refused: _Refused) -> Checked:
        """Return what becomes of a file that was not read: a finding if its kind is known, and never nothing at all."""
        reason = str(refused)
        if refused.binary and not task.named and place.may_be_binary:
            return Checked(path, status="nothing")
        if refused.large and not task.named and place.may_be_object:
            return next(unrecognized([task.path]), Checked(path, status="nothing"))
        if refused.gone:
            return Checked(path, status="unread" if task.named else "skipped", reason=reason)
        if task.named and place.kind is None and not place.may_be_about_anything and refused.by_content:
            return Checked(path, status="unknown", reason=reason)
        if not self.options.checking or not (task.named or place.is_certain):
            return Checked(path, status="unread", reason=reason)
        problem = Problem(1, 1, "IMG901", f"the file {reason}")
        kind = "file" if place.kind is None else place.kind.name
        return self._evaluated(task, path, Reading(kind, problems=(problem,), incomplete=True), "")

    def _evaluated(self, task: Task, path: str, reading: Reading, text: str) -> Checked:
        unresolved = sum(occurrence.role == "unresolved" for occurrence in reading.occurrences)
        findings: list[Finding] = []
        lines: dict[int, str] = {}
        unknown: frozenset[str] = frozenset()
        if self.options.checking and (
            reading.occurrences or reading.problems or reading.comments or reading.declarations
        ):
            policy = self.policies[task.policy]
            inside = inside_policy(task.path, policy) if policy.per_file_ignores else path
            findings = evaluate(reading, policy, path=path, inside=inside, text=text)
            if policy.answers is not None:
                unknown = unanswered(reading, policy, examined(task, self.policies))
            if findings and text:
                lines = dict(_source_lines(findings, reading, lines_of(reading.kind, text)))
        status: Status = "checked"
        reason, line = "", 0
        if reading.trace is not None:
            status, reason, line = "unrecognized", reason_of(reading.trace), reading.trace.line
        if reading.doubt:
            reason, line = reading.doubt, 0
            place = self.place(task)
            status = "skipped" if place.kind or place.may_be_about_anything else "unknown"
        if reading.incomplete and reading.problems and not any(finding.code == "IMG901" for finding in findings):
            status, reason, line = self._unreported(task), _first_problem(reading), 0
        return Checked(
            path,
            reading.kind,
            tuple(findings),
            reading.occurrences if self.options.keep else (),
            len(reading.occurrences) - unresolved,
            unresolved,
            lines,
            status,
            reason,
            complete=not (reading.incomplete or reading.doubt),
            reading=reading if self.options.keep else None,
            line=line,
            unanswered=unknown,
        )

    def _unreported(self, task: Task) -> Status:
        """Return the status of a file without a finding that it was not read to its end."""
        if not self.options.checking:
            return "skipped"
        policy = self.policies[task.policy]
        # Users who switch the rule off by name know about it. Selecting other rules is not such a decision.
        return "skipped" if "IMG901" in policy.enabled | policy.ignored else "unread"

    def _read(self, task: Task, place: Place) -> tuple[Reading | None, str]:
        try:
            options = self.options
            data = _bytes_of(task.path, options.max_size) if task.data is None else task.data
            if len(data) > options.max_size:
                raise _too_large(options.max_size, by_content=task.data is None)
            return read(
                place,
                data,
                named=task.named,
                strict=task.data is not None,
                context=Context(options.build_args, options.platform, beside=files_beside(task.path)),
            )
        except FileNotFoundError as error:
            raise _gone(task) from error
        except OSError as error:
            raise _Refused(f"cannot be read: {error.strerror}") from error
        except Unreadable as error:
            raise _Refused(str(error), by_content=True) from error
        except RecursionError as error:
            raise _Refused("is nested too deeply to be read") from error
        except (_Refused, ImgrefError):
            raise
        # A mistake of ours in one file must not cost the findings of all the others.
        except Exception as error:
            raise _Refused(f"cannot be read by a mistake in imgref: {type(error).__name__}: {error}") from error


def _first_problem(reading: Reading) -> str:
    problem = reading.problems[0]
    return f"line {problem.line}: {problem.message}"


def _source_lines(findings: Sequence[Finding], reading: Reading, numbered: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines that findings are about, with their credentials masked, and every character in its column."""
    secret = {finding.line for finding in findings if MASK in (finding.text or "")}
    secret |= {declaration.line for declaration in reading.declarations}
    for line in {finding.line for finding in findings if finding.line <= len(numbered)}:
        text = numbered[line - 1].rstrip("\r\n")
        if line in secret:
            # A reference with credentials, or a host: whatever is before an @ is secret.
            text = _USER.sub(lambda found: "*" * len(found[0]), text)
        yield line, masked(text, same_length=True)


class _Refused(Exception):
    """Why a file was not read.

    Attributes:
        gone: whether it does not exist; a file that was deleted during the check is not a finding.
        by_content: whether it could be read, and is not what can be checked.
        large: whether it is too large.
        binary: whether its first bytes are not text.
    """

    def __init__(
        self,
        reason: str,
        *,
        gone: bool = False,
        by_content: bool = False,
        large: bool = False,
        binary: bool = False,
    ) -> None:
        super().__init__(reason)
        self.gone = gone
        self.by_content = by_content
        self.large = large
        self.binary = binary


def _gone(task: Task) -> _Refused:
    if os.path.islink(task.path):  # noqa: PTH114
        return _Refused("is a link to a file that does not exist")
    return _Refused("does not exist" if task.named else "was deleted during the check", gone=True)


def _too_large(max_size: int, *, by_content: bool = True, head: bytes = b"") -> _Refused:
    reason = f"has more than {max_size:,} bytes (--max-size), and is not read"
    return _Refused(reason, by_content=by_content, large=True, binary=is_binary(head))


def _bytes_of(path: str, max_size: int) -> bytes:
    """Read a file, but never more than the limit, whatever its size is reported to be.

    Most files are small, and there are many: this asks the system for as little as can be.
    """
    # Opening a FIFO would wait for somebody who writes to it.
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise _Refused("is not a regular file; - reads standard input")
        if status.st_size:
            if status.st_size > max_size:
                raise _too_large(max_size, head=os.read(file, HEAD))
            return os.read(file, status.st_size)
        with open(file, "rb", closefd=False) as stream:
            return stream.read(max_size + 1)
    finally:
        os.close(file)

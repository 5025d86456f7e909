"""Dockerfiles, read as BuildKit reads them: which images a build pulls, and which names are stages of the file itself.

The reader has layers: ``instructions`` splits the file, ``refusals`` reports what BuildKit would reject, and
``arguments`` substitutes variables. Here stages are distinguished from images, once all of them are known.
https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from imgref.errors import InvalidReference
from imgref.reference import parse
from imgref.sources.builds import Stage
from imgref.sources.contract import Context
from imgref.sources.dockerfile.arguments import Arguments
from imgref.sources.dockerfile.editing import Editing, Word
from imgref.sources.dockerfile.frontend import Frontend, find_frontend
from imgref.sources.dockerfile.grammar import STAGE_NAME, check, unknown_instruction, words
from imgref.sources.dockerfile.instructions import Instruction, Line, Refused, Scan, Span, scan
from imgref.sources.dockerfile.mounts import mount_source
from imgref.sources.dockerfile.shell_words import BadWord, RequiredVariable, expand
from imgref.sources.occurrence import Occurrence, Problem, Reading, Role
from imgref.sources.target import Target, TextSpan

__all__ = ["read", "read_dockerfile"]

_NO_BUILD_ARGS: Final[Mapping[str, str]] = {}
_INDEX: Final = re.compile(r"[+-]?[0-9]{1,18}")
_EMPTY_IMAGE: Final = "scratch"


def read(text: str, context: Context) -> Reading:
    """Find the image references of a Dockerfile, as :func:`read_dockerfile` does."""
    return read_dockerfile(text, build_args=context.build_args, platform=context.platform)


def read_dockerfile(
    text: str, *, build_args: Mapping[str, str] = _NO_BUILD_ARGS, platform: str = "linux/amd64"
) -> Reading:
    r"""Find the image references of a Dockerfile.

    Args:
        text: the file, without a byte order mark.
        build_args: values for ARGs, as ``docker build --build-arg`` sets them: only for those that are declared.
        platform: ``os/architecture/variant`` for the platform ARGs, the target's and the builder's.

    An instruction that BuildKit refuses is a problem and has no occurrence; everything else is still found.

    >>> reading = read_dockerfile("ARG V=1\nFROM golang:$V AS build\nFROM scratch\nCOPY --from=build /app /\n")
    >>> [(one.line, one.column, one.text, one.resolved, one.role) for one in reading.occurrences]
    ... # doctest: +NORMALIZE_WHITESPACE
    [(2, 6, 'golang:$V', 'golang:1', 'external'), (3, 6, 'scratch', 'scratch', 'scratch'),
     (4, 13, 'build', 'build', 'stage')]
    """
    source = scan(text)
    return _Reader(text, source, Arguments(build_args, platform, source.escape)).read(find_frontend(text))


class _Stage(NamedTuple):
    """A FROM: the name of its stage, and the word for its base, unless it was refused."""

    name: str
    line: Line
    base: Span | None


class _Use(NamedTuple):
    """An image or a stage that an instruction inside a stage copies from."""

    line: Line
    span: Span
    text: str
    value: str
    construct: str
    triggered: bool  # by ONBUILD, in a build to come, whose stages are not those of this file


@dataclass(slots=True)
class _Unknown:
    """Consecutive lines that are not instructions: one problem, since a missing backslash could cause dozens."""

    first: Problem
    more: int = 0

    def problem(self) -> Problem:
        first = self.first
        if not self.more:
            return first
        also = f"{first.message} (and {self.more} more after it)"
        return Problem(first.line, first.column, first.code, also, first.end_column, first.hint)


class _Reader:
    def __init__(self, text: str, source: Scan, arguments: Arguments) -> None:
        self.text = text
        self.source = source
        self.escape = source.escape
        self.arguments = arguments
        self.occurrences: list[Occurrence] = []
        self.problems: list[Problem] = []
        self.continued: list[range] = []
        self.stages: list[_Stage] = []
        self.uses: list[_Use] = []
        self.is_built = False  # a FROM that can be read has come
        self.has_instructions = False
        self.is_early = False  # something else has come before any

    def read(self, frontend: Frontend | None) -> Reading:
        found = self.source
        self._walk(found.instructions)
        self.problems += found.problems
        if not self.is_built and not self.problems:
            message = "there is no FROM instruction" if self.has_instructions else "the file has no instructions"
            self.problems.append(Problem(1, 1, "IMG901", message))
        self._resolve()
        if frontend is not None:
            if frontend.foreign:  # whatever could not be read is in the frontend's own language
                self.problems.clear()
            self.occurrences.append(_image(frontend.line, frontend.column, frontend.text, frontend.image, "syntax"))
        return Reading(
            "dockerfile",
            tuple(sorted(self._targeted(), key=lambda one: (one.line, one.column))),
            tuple(sorted(self.problems, key=lambda one: (one.line, one.column))),
            tuple(found.comments),
            continued=tuple(self.continued) if found.comments else (),
            stages=tuple(Stage(stage.name, stage.line.numbers[0]) for stage in self.stages),
        )

    def _targeted(self) -> list[Occurrence]:
        """Return the occurrences, those of images with the spans where they can be edited."""
        lines, targets = self.source.lines, dict[int, Target]()
        words: dict[int, Word] = {}
        for number, one in enumerate(self.occurrences):
            if one.role == "external":
                at = lines.offset(one.line, one.column)
                if one.text == one.resolved and self.text.startswith(one.text, at):
                    targets[number] = Target(TextSpan(at, at + len(one.text)))
                else:
                    words[number] = Word(one.text, at, one.resolved or "")
        if words:
            found = Editing(self.text, lines, self.arguments, list(words.values())).targets()
            targets.update(zip(words, found, strict=True))
        return [
            one.with_target(targets[number]) if number in targets else one
            for number, one in enumerate(self.occurrences)
        ]

    def _walk(self, instructions: Iterable[Instruction]) -> None:
        """Sort the instructions into stages, what they use, and variables."""
        unknown: list[_Unknown] = []
        in_a_row = in_doubt = False
        for instruction in instructions:
            self.has_instructions = True
            numbers = instruction.line.numbers
            if len(numbers) > 1:
                self.continued.append(range(numbers[0], numbers[-1] + 1))
            if not instruction.is_known:
                if in_a_row:
                    unknown[-1].more += 1
                elif not in_doubt:
                    unknown.append(_Unknown(instruction.line.problem(unknown_instruction(instruction))))
                    in_a_row = True
                continue
            in_a_row = False
            try:
                check(instruction, self.escape)
                self._take(instruction)
            except Refused as refused:
                self.problems.append(instruction.line.problem(refused))
                if instruction.keyword == "from":
                    self.stages.append(_Stage(_claimed_name(instruction), instruction.line, None))
                # What follows a heredoc without an end may well be its body, up to the next stage.
                in_doubt = in_doubt or instruction.is_open
            else:
                in_doubt = in_doubt and instruction.keyword != "from"
        self.problems += [lines.problem() for lines in unknown]

    def _take(self, instruction: Instruction) -> None:
        keyword, line = instruction.keyword, instruction.line
        if keyword == "from":
            base, *named = instruction.spans()
            name = line.text[named[1].start : named[1].end].lower() if named else ""
            self.stages.append(_Stage(name, line, base))
            self.is_built = True
        elif keyword == "arg":
            for span in words(instruction, self.escape):
                self.arguments.declare(line, span, late=self.is_built)
        elif not self.stages:
            if not self.is_early:
                self.is_early = True  # one problem for all of them
                raise Refused(
                    instruction.span, f"{keyword.upper()} is before the first FROM; only ARG is allowed there"
                )
        elif keyword == "onbuild" and instruction.inner is not None:
            self._use(instruction.inner, triggered=True)
        else:
            self._use(instruction, triggered=False)

    def _use(self, instruction: Instruction, *, triggered: bool) -> None:
        line = instruction.line
        found: list[_Use] = []
        for flag in instruction.flags:
            if flag.name == "from" and flag.value:
                span = Span(line.text.index("=", flag.span.start) + 1, flag.span.end)
                self._refuse_variables(flag.value, span)
                text = line.text[span.start : span.end]
                found.append(_Use(line, span, text, flag.value, "copy-from", triggered))
            elif flag.name == "mount" and (source := mount_source(flag)) is not None:
                value, span = source
                found.append(_Use(line, span, value, value, "mount-from", triggered))
        self.uses += found

    def _refuse_variables(self, value: str, span: Span) -> None:
        try:
            same = expand(value, {}, self.escape).text == value
        except (BadWord, RequiredVariable):
            same = False
        if not same:
            what = "variables" if "$" in value else "quotes within quotes and no escapes"
            raise Refused(span, f"COPY --from takes no {what}: name a stage with FROM … AS, and copy from that")

    def _resolve(self) -> None:
        """Substitute variables, and distinguish stages from images."""
        target = next((stage.name for stage in self.stages[::-1] if stage.base), "")
        self.problems += self.arguments.settle(target)
        latest: dict[str, int] = {}
        bases: list[int | None] = []  # the occurrence that each stage is built on in the end
        for number, stage in enumerate(self.stages):
            bases.append(None)
            if stage.base is not None:
                occurrence = self._base(stage.line, stage.base, latest)
                if occurrence is not None and occurrence.role == "stage":
                    bases[-1] = bases[latest[occurrence.resolved or ""]]
                elif occurrence is not None and occurrence.role != "invalid":
                    bases[-1] = len(self.occurrences)
                if occurrence is not None:
                    self.occurrences.append(occurrence)
            if stage.name:
                latest[stage.name] = number
        final = next((base for stage, base in zip(self.stages[::-1], bases[::-1], strict=True) if stage.base), None)
        if final is not None:
            self.occurrences[final] = replace(self.occurrences[final], final=True)
        for use in self.uses:
            self._resolve_use(use, latest)

    def _base(self, whole: Line, span: Span, stages: Mapping[str, int]) -> Occurrence | None:
        """Return what a FROM is built on; what cannot be read is a problem, and None."""
        line, column = whole.place(span.start)
        text = whole.text[span.start : span.end]
        try:
            resolved, reason = self.arguments.resolve(text)
            if not resolved and reason is None:
                raise BadWord("nothing is in its quotes")
        except BadWord as error:
            self.problems.append(whole.problem(Refused(span, f"{text} cannot be read: {error}")))
            return None
        if reason is None:
            if resolved in stages:
                return Occurrence(line, column, text, resolved, "stage", "from")
            if (meant := resolved.lower()) in stages:
                why = "names of stages are in lower case, and FROM takes them as they are written"
                return Occurrence(line, column, text, resolved, "invalid", "from", reason=why, hint=meant)
            one = _image(line, column, text, resolved, "from")
            if one.role != "invalid" or (reason := self.arguments.blame(text, resolved)) is None:
                return one
        return Occurrence(line, column, text, None, "unresolved", "from", reason=reason)

    def _resolve_use(self, use: _Use, stages: Mapping[str, int]) -> None:
        line, column = use.line.place(use.span.start)
        role: Role | None = "stage" if use.value.lower() in stages else None
        if use.construct == "copy-from" and _INDEX.fullmatch(use.value) is not None:
            role = "stage"
            if not (use.triggered or 0 <= int(use.value) < len(self.stages)):
                message = (
                    f"there is no stage {use.value}: they are counted from 0, and this file has {len(self.stages)}"
                )
                self.problems.append(use.line.problem(Refused(use.span, message)))
                return
        if role is None:
            self.occurrences.append(_image(line, column, use.text, use.value, use.construct))
        else:
            self.occurrences.append(Occurrence(line, column, use.text, use.value, role, use.construct))


def _image(line: int, column: int, text: str, resolved: str, construct: str) -> Occurrence:
    """Return the occurrence of anything but a stage: an image, ``scratch``, or an invalid reference."""
    if resolved == _EMPTY_IMAGE:
        return Occurrence(line, column, text, resolved, "scratch" if construct != "syntax" else "external", construct)
    try:
        parse(resolved)
    except InvalidReference as error:
        hint = error.hint
        return Occurrence(line, column, text, resolved, "invalid", construct, reason=error.reason, hint=hint)
    return Occurrence(line, column, text, resolved, "external", construct)


def _claimed_name(instruction: Instruction) -> str:
    """Return the stage name of a refused FROM, so that references to it are not reported as well."""
    given = instruction.args.lower().split()
    if len(given) > 1 and given[-2] == "as" and STAGE_NAME.fullmatch(given[-1]) is not None:
        return given[-1]
    return ""

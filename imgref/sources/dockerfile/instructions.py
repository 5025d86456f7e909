"""Splits a Dockerfile into instructions, and maps each character back to its position.

The order of steps is that of BuildKit's parser: lines are cut at newlines only, comments and blank lines inside an
instruction vanish, what remains is joined, and only then is it taken apart into keyword, flags and arguments.
The format: https://docs.docker.com/reference/dockerfile/#format
"""

from __future__ import annotations

import json
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from itertools import chain, islice
from typing import Final, NamedTuple

from imgref.errors import quote
from imgref.sources._lines import TextLines
from imgref.sources.dockerfile.shell_words import SPACE, BadWord, Heredoc, find_heredocs
from imgref.sources.occurrence import Comment, Problem

__all__ = ["Flag", "Instruction", "Line", "Refused", "Scan", "Span", "scan"]

LONGEST_LINE: Final = 65535
"""BuildKit's limit for one line, in bytes of UTF-8."""

_BLANK: Final = "[\\t\\v\\f\\r ]"
_KEYWORD: Final = re.compile(f"([^\\t\\v\\f\\r ]+){_BLANK}*")
_NEWLINE: Final = re.compile("\n")
_SPACES: Final = re.compile(f"[{SPACE}]*")
_FLAG_SPACES: Final = re.compile("[\\t\\n\\v\\f\\r ]*")  # flags are read byte by byte, so these are ASCII only
_FLAG: Final = re.compile(r"""--([^\t\n\v\f\r '"\\=]*+)(?:=([^\t\n\v\f\r '"\\]*+))?+(?=[\t\n\v\f\r ]|\Z)""")
_DIRECTIVE: Final = re.compile(
    f"#[{SPACE}]*([a-zA-Z][a-zA-Z0-9]*)[\\t\\n\\f\\r ]*=[\\t\\n\\f\\r ]*([^\\t\\n\\f\\r ].*)"
)
_COMMENT: Final = re.compile("#[ \\t]*imgref:(.*)")
_DIRECTIVES: Final = frozenset({"syntax", "escape", "check"})
_JSON_FORMS: Final = frozenset({"add", "cmd", "copy", "entrypoint", "run", "shell", "volume"})
KEYWORDS: Final = frozenset({
    "add", "arg", "cmd", "copy", "entrypoint", "env", "expose", "from", "healthcheck", "label", "maintainer",
    "onbuild", "run", "shell", "stopsignal", "user", "volume", "workdir",
})  # fmt: skip
_WITH_HEREDOCS: Final = frozenset({"add", "copy", "run"})


class Refused(Exception):
    """What BuildKit refuses: start and end in an instruction's text, the reason, and a suggestion."""

    def __init__(self, span: Span, message: str, hint: str | None = None) -> None:
        super().__init__(span, message, hint)
        self.span = span
        self.message = message
        self.hint = hint


class Span(NamedTuple):
    """Where something begins and ends in the text of an instruction."""

    start: int
    end: int


@dataclass(slots=True)
class Line:
    """The joined text of one instruction: where each piece of it begins, its line, and the column offset of the first.

    Pieces may be as many as the lines of the file, so that they are in arrays.
    """

    text: str
    starts: array[int]
    numbers: array[int]
    indent: int

    def place(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column of a character."""
        piece = bisect_right(self.starts, offset) - 1
        return self.numbers[piece], (0 if piece else self.indent) + offset - self.starts[piece] + 1

    def problem(self, refused: Refused) -> Problem:
        """Return where in the file something was refused."""
        line, column = self.place(refused.span.start)
        # A span that goes on in another line is shown to the end of its first: a Problem is about one line.
        piece = bisect_right(self.starts, refused.span.start)
        limit = self.starts[piece] if piece < len(self.starts) else len(self.text)
        end = column + min(refused.span.end, limit) - refused.span.start
        return Problem(line, column, "IMG901", refused.message, max(end, column + 1), refused.hint)


class Flag(NamedTuple):
    """``--name=value`` without its quotes; ``at`` has the offset of each character of the value in the text."""

    name: str
    value: str | None
    span: Span
    at: Sequence[int]


@dataclass(slots=True)
class Instruction:
    """One instruction: keyword in lower case, flags, and the rest; ``words`` if that is a JSON array of strings."""

    line: Line
    keyword: str
    span: Span
    flags: list[Flag]
    args: str
    args_at: int
    words: list[str] | None = None
    inner: Instruction | None = None
    refused: Refused | None = None
    is_open: bool = False  # a heredoc of it has no end

    @property
    def is_known(self) -> bool:
        """Whether BuildKit has an instruction of this name."""
        return self.keyword in KEYWORDS

    @property
    def end(self) -> int:
        """The offset after the last argument."""
        return self.args_at + len(self.args)

    def spans(self) -> list[Span]:
        """Return the positions of the arguments between spaces."""
        found = re.finditer("[^\\t\\v\\f\\r ]+", self.args)
        return [Span(self.args_at + match.start(), self.args_at + match.end()) for match in found]


@dataclass(slots=True)
class Scan:
    """The instructions of a file, taken once, and what was found on the way to them, whole after the last one."""

    lines: TextLines
    escape: str = "\\"
    instructions: Iterator[Instruction] = field(default_factory=lambda: iter(()))
    comments: list[Comment] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def scan(text: str) -> Scan:
    r"""Read the instructions of a Dockerfile; a byte order mark is taken off before.

    >>> [instruction.keyword for instruction in scan("FROM a\nrun <<E\nFROM b\nE\n").instructions]
    ['from', 'run']
    """
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines = TextLines(text, _NEWLINE)
        self.dropped: set[int] = set()
        self.at = 0
        self.found = Scan(self.lines)
        self.seen: set[str] | None = set()  # directives; None once they are over
        self.ends: dict[bool, dict[str, list[int]]] = {}
        if len(text) > LONGEST_LINE // 4:
            self._drop_long_lines()

    def _drop_long_lines(self) -> None:
        for number, line in enumerate(self.lines):
            if len(line) > LONGEST_LINE // 4 and len(line.encode("utf-8", "surrogatepass")) > LONGEST_LINE:
                message = f"the line is longer than the {LONGEST_LINE} bytes that BuildKit reads"
                self.found.problems.append(Problem(number + 1, 1, "IMG901", message))
                self.dropped.add(number)

    def run(self) -> Scan:
        """Read to the first instruction, before which all directives are; the others are read as they are taken."""
        instructions = self._instructions()
        first = list(islice(instructions, 1))
        self.found.instructions = chain(first, instructions)
        return self.found

    def _next(self) -> str:
        line = "" if self.at in self.dropped else self.lines[self.at]
        self.at += 1
        return line

    def _instructions(self) -> Iterator[Instruction]:
        while self.at < len(self.lines):
            raw = self._next()
            stripped = raw.lstrip(SPACE)
            if not stripped:
                self.seen = None
            elif stripped[0] == "#":
                self._comment(raw, stripped)
            else:
                self.seen = None
                instruction = _split(self._logical(raw, stripped))
                if "<<" in instruction.line.text:
                    self._skip_heredocs(instruction)
                yield instruction

    def _comment(self, raw: str, stripped: str) -> None:
        column = len(raw) - len(stripped) + 1
        if "imgref:" in stripped and (match := _COMMENT.match(stripped)) is not None:
            self.found.comments.append(Comment(self.at, column, match[1].strip(), False))
        if self.seen is None:
            return
        match = _DIRECTIVE.match(stripped)
        name = "" if match is None else match[1].lower()
        if match is None or name not in _DIRECTIVES:
            self.seen = None
            return
        value = match[2].rstrip()
        place, end = (self.at, column + match.start(2), "IMG901"), column + match.start(2) + len(value)
        if name in self.seen:
            message = f"only one '{name}' directive is allowed"
            self.found.problems.append(Problem(*place, message, end))
        elif name == "escape" and value in ("\\", "`"):
            self.found.escape = value
        elif name == "escape":
            message = f"the escape character is either \\ or `, and not {quote(value)}"
            self.found.problems.append(Problem(*place, message, end))
        self.seen.add(name)

    def _logical(self, raw: str, stripped: str) -> Line:
        """Join an instruction's lines, the first of which has been taken."""
        lines, escape = self.lines, self.found.escape
        part = stripped.rstrip("\r")
        cut = part.rstrip(" \t")
        joined = StringIO(newline="")
        starts, numbers, indent = array("I", [0]), array("I", [self.at]), len(raw) - len(stripped)
        # As in BuildKit, an escape character after another one does not continue the line.
        while cut.endswith(escape) and not cut.endswith(escape * 2):
            joined.write(cut[:-1])
            part = ""
            while self.at < len(lines):
                raw = self._next()
                stripped = raw.lstrip(SPACE)
                if stripped and stripped[0] != "#":
                    break
                if stripped:
                    self._comment(raw, stripped)
            else:
                break
            part = raw.rstrip("\r")
            cut = part.rstrip(" \t")
            starts.append(joined.tell())
            numbers.append(self.at)
        joined.write(part)
        return Line(joined.getvalue(), starts, numbers, indent)

    def _skip_heredocs(self, instruction: Instruction) -> None:
        """Go over the bodies of an instruction's heredocs; without their ends, reading goes on right after it."""
        doer = instruction.inner or instruction
        if doer.keyword not in _WITH_HEREDOCS or doer.words is not None:
            return
        start = self.at
        try:
            for heredoc in find_heredocs(instruction.line.text):
                ends = self._ends(heredoc)
                following = bisect_left(ends, start)
                if following == len(ends):
                    span = Span(heredoc.start, heredoc.start + 2)
                    raise Refused(span, f"the heredoc is not closed: no line is {quote(heredoc.name)}")
                start = ends[following] + 1
        except BadWord as error:
            instruction.refused = Refused(instruction.span, f"the name of a heredoc cannot be read: {error}")
        except Refused as refused:
            instruction.refused = refused
            instruction.is_open = True
        else:
            self.at = start

    def _ends(self, heredoc: Heredoc) -> list[int]:
        """Return the numbers of all lines that would end it. Asked of an index: files full of heredocs stay linear."""
        if (index := self.ends.get(heredoc.indented)) is None:
            index = self.ends[heredoc.indented] = {}
            for number, line in enumerate(self.lines):
                line = line.rstrip("\r")
                index.setdefault(line.lstrip("\t") if heredoc.indented else line, []).append(number)
        return index.get(heredoc.name, [])


def _split(line: Line, start: int = 0, *, nested: bool = False) -> Instruction:
    """Take an instruction apart; ``start`` is where an ONBUILD's own begins."""
    text = line.text.rstrip(SPACE)
    at = _past(_SPACES, text, start)
    match = _KEYWORD.match(text, at)
    if match is None:
        return Instruction(line, "", Span(start, len(text)), [], "", len(text))
    flags, at = _flags(text, match.end()) if text.startswith("--", match.end()) else ([], match.end())
    found = Instruction(line, match[1].lower(), Span(match.start(1), match.end(1)), flags, text[at:], at)
    if found.keyword in _JSON_FORMS:
        _read_json(found, at)
    elif found.keyword == "healthcheck" and (command := re.match(r"\S+\s*", found.args)):
        _read_json(found, at + command.end())
    elif found.keyword == "onbuild" and not nested and found.args:
        found.inner = _split(line, at, nested=True)
        found.refused = found.inner.refused
    return found


def _read_json(instruction: Instruction, start: int) -> None:
    """Parse the arguments as a JSON array if they are one; BuildKit treats everything else as a plain string."""
    text = instruction.args[start - instruction.args_at :]
    if not text.startswith("["):
        return
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return
    if all(isinstance(word, str) for word in words):
        instruction.words = words
    else:
        instruction.refused = Refused(Span(start, instruction.end), "a JSON array here has strings only")


def _flags(text: str, at: int) -> tuple[list[Flag], int]:
    """Read the words that begin with ``--``, and return where the arguments begin."""
    flags = []
    while text.startswith("--", at):
        match = _FLAG.match(text, at)
        if match is None:
            flag = _quoted_flag(text, at)
        else:
            value_at = range(match.start(2), match.end(2)) if match[2] is not None else ()
            flag = Flag(match[1], match[2], Span(at, match.end()), value_at)
        at = _past(_FLAG_SPACES, text, flag.span.end)
        if flag.name == "" and flag.value is None:
            break  # a bare -- ends them
        flags.append(flag)
    return flags, at


def _quoted_flag(text: str, start: int) -> Flag:
    """Read a flag with quotes or backslashes in it: BuildKit takes both away, whatever the escape character is."""
    kept = list(_unquoted(text, start))
    end = kept.pop()
    equals = next((number for number, at in enumerate(kept) if text[at] == "="), None)
    name = "".join(text[at] for at in kept[2:equals])
    if equals is None:
        return Flag(name, None, Span(start, end), ())
    value = kept[equals + 1 :]
    return Flag(name, "".join(text[at] for at in value), Span(start, end), value)


def _unquoted(text: str, at: int) -> Iterator[int]:
    """Yield the offsets of the characters of a word without its quotes, and last of all where it ends."""
    closing = ""
    while at < len(text):
        char = text[at]
        if not closing and char in "\t\n\v\f\r ":
            break
        if char == "\\":
            at += 1
            if at < len(text):
                yield at
        elif char == closing:
            closing = ""
        elif not closing and char in "'\"":
            closing = char
        else:
            yield at
        at += 1
    yield min(at, len(text))


def _past(blanks: re.Pattern[str], text: str, at: int) -> int:
    found = blanks.match(text, at)
    return at if found is None else found.end()

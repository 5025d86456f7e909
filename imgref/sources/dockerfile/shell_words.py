"""Shell words as BuildKit reads them: variables with their operators, quotes, escapes, and heredocs.

BuildKit reads the words of a Dockerfile with its own small shell, which is neither sh nor bash:
https://docs.docker.com/reference/dockerfile/#environment-replacement. An expansion here remembers besides which
variables that were needed and are not known, so that a guess is never mistaken for a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from imgref.sources.dockerfile.globs import Glob, InvalidGlob

__all__ = ["SPACE", "BadWord", "Expansion", "Heredoc", "RequiredVariable", "TooLong", "expand", "find_heredocs"]

SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"  # fmt: skip  # noqa: E501
"""What Go's unicode.IsSpace takes for blank; Python's own idea has four control characters more."""

_DEEPEST: Final = 64
"""How deep ``${A:-${B:-…}}`` may nest."""

_LONGEST: Final = 4096
"""How long a value may grow by expansion: a few lines of ``ARG A=$B$B`` would otherwise double it beyond memory."""

_SPECIAL: Final = re.compile(r"[$'\"\\`]")
_NAME: Final = re.compile(r"[0-9]+|[@*#?$!-]|[^\W\d]\w*")
_LESS: Final = re.compile(f"<<[{SPACE}]*|<")
_WORD: Final = re.compile(f"[^{SPACE}]+|[{SPACE}]+")
_HEREDOC: Final = re.compile(f"[0-9]*<<(-?+)[{SPACE}]*+([^<]+)")
_PLAIN: Final = {
    (escape, stop): re.compile(f"[^$'\"<{re.escape(escape + stop)}]+") for escape in "\\`" for stop in ("", "}", "/")
}
_QUOTED: Final = {escape: re.compile(f'[^"${re.escape(escape)}]+') for escape in "\\`"}


class BadWord(Exception):
    """A word that BuildKit refuses, and why."""


class TooLong(BadWord):
    """A word that would become too long for a reference."""


class RequiredVariable(Exception):
    """A ``${NAME:?message}`` whose variable is not set."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(name, message)
        self.name = name
        self.message = message


class Expansion(NamedTuple):
    """A string with variables substituted, and the first unknown one: unknown variables count as empty."""

    text: str
    unknown: str = ""


class Heredoc(NamedTuple):
    """A ``<<NAME`` in an instruction: the line that ends it, whether that may be indented by tabs, and its offset."""

    name: str
    indented: bool
    start: int


class _Piece(NamedTuple):
    text: str
    splits: bool  # whether blanks in it part words: those in quotes and behind an escape do not
    start: int
    unknown: str = ""


def expand(word: str, variables: Mapping[str, Expansion], escape: str = "\\") -> Expansion:
    r"""Put variables into a word and take away its quotes and escapes.

    Raises:
        BadWord: the word cannot be read.
        RequiredVariable: a variable that the word insists on is not set.

    >>> expand('"golang:${VERSION:-1.22}"', {})
    Expansion(text='golang:1.22', unknown='')
    >>> expand("golang:$VERSION", {})
    Expansion(text='golang:', unknown='VERSION')
    """
    if _SPECIAL.search(word) is None:
        return Expansion(word)
    return _joined(_Lexer(word, variables, escape).until("", escapes=False))


def find_heredocs(line: str) -> list[Heredoc]:
    """Find the heredocs of an instruction that may have some; one that is quoted wrongly has none.

    Raises:
        BadWord: the name of a heredoc cannot be read.

    >>> find_heredocs("RUN <<-'END' cat")
    [Heredoc(name='END', indented=True, start=4)]
    """
    try:
        pieces = _Lexer(line, None, "\\", keep=True).until("", escapes=True)
    except BadWord:
        return []
    found = []
    for start, word in _words(pieces):
        match = _HEREDOC.fullmatch(word)
        if match is not None:
            names = [name for _, name in _words(_Lexer(match[2], None, "\\").until("", escapes=False))]
            if len(names) == 1:
                found.append(Heredoc(names[0], match[1] == "-", start))
    return found


def _words(pieces: list[_Piece]) -> Iterator[tuple[int, str]]:
    parts: list[str] = []
    start = 0
    for piece in pieces:
        for part in _WORD.finditer(piece.text) if piece.splits else (None,):
            text = piece.text if part is None else part[0]
            if part is not None and text[0] in SPACE:
                if word := "".join(parts):
                    yield start, word
                parts = []
            else:
                if not parts:
                    start = piece.start + (0 if part is None else part.start())
                parts.append(text)
    if word := "".join(parts):
        yield start, word


def _joined(pieces: list[_Piece]) -> Expansion:
    if len(pieces) == 1:
        return Expansion(pieces[0].text, pieces[0].unknown)
    unknown = next((piece.unknown for piece in pieces if piece.unknown), "")
    return Expansion("".join(piece.text for piece in pieces), unknown)


class _Lexer:
    """One pass over a string. Without ``variables`` they stay as written; ``keep`` keeps quotes, too."""

    def __init__(
        self, text: str, variables: Mapping[str, Expansion] | None, escape: str, *, keep: bool = False
    ) -> None:
        self.text = text
        self.variables = variables
        self.escape = escape
        self.keep = keep
        self.keep_escapes = keep
        self.at = 0
        self.depth = 0

    def until(self, stop: str, *, escapes: bool) -> list[_Piece]:
        """Read up to ``stop`` and over it, or all; ``escapes`` keeps the escape characters."""
        outer, self.keep_escapes = self.keep_escapes, escapes
        text, plain = self.text, _PLAIN[self.escape, stop]
        pieces: list[_Piece] = []
        grown = 0
        while self.at < len(text) and text[self.at] != stop:
            piece = self._piece(plain)
            pieces.append(piece)
            grown += len(piece.text)
            if grown > _LONGEST and self.variables is not None:
                raise TooLong(f"it grows to more than {_LONGEST} characters")
        if stop:
            if self.at >= len(text):
                raise BadWord(f"a '{stop}' is missing after '${{'")
            self.at += 1
        self.keep_escapes = outer
        return pieces

    def _piece(self, plain: re.Pattern[str]) -> _Piece:
        text, start = self.text, self.at
        if (run := plain.match(text, start) or _LESS.match(text, start)) is not None:
            self.at = run.end()
            return _Piece(run[0], text[start] != "<", start)
        char = text[start]
        if char == "$":
            value = self._variable(start)
            return _Piece(value.text, True, start, value.unknown)
        if char == "'":
            end = text.find("'", start + 1)
            if end < 0:
                raise BadWord("a closing ' is missing")
            self.at = end + 1
            return _Piece(text[start : end + 1] if self.keep else text[start + 1 : end], False, start)
        if char == '"':
            return self._double(start)
        self.at = start + 2
        return _Piece(text[start if self.keep_escapes else start + 1 : start + 2], False, start)

    def _double(self, start: int) -> _Piece:
        text, plain = self.text, _QUOTED[self.escape]
        parts = ['"' if self.keep else ""]
        unknown = ""
        self.at += 1
        while self.at < len(text) and text[self.at] != '"':
            char = text[self.at]
            if (run := plain.match(text, self.at)) is not None:
                parts.append(run[0])
                self.at = run.end()
            elif char == "$":
                value = self._variable(self.at)
                parts.append(value.text)
                unknown = unknown or value.unknown
            else:
                self.at += 1
                if self.keep_escapes:
                    parts.append(char)
                after = text[self.at : self.at + 1]
                escaped = bool(after) and after in '"$' + self.escape
                self.at += escaped
                parts.append(after if escaped else char)
        if self.at >= len(text):
            raise BadWord('a closing " is missing')
        self.at += 1
        if self.keep:
            parts.append('"')
        return _Piece("".join(parts), False, start, unknown)

    def _name(self) -> str:
        match = _NAME.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match[0]

    def _variable(self, start: int) -> Expansion:
        text = self.text
        self.at = start + 1
        if text[self.at : self.at + 1] != "{":
            name = self._name()
            return self._value(name, start) if name else Expansion("$")
        self.at += 1
        if self.depth >= _DEEPEST:
            raise BadWord(f"variables nest more than {_DEEPEST} deep")
        if text[self.at : self.at + 1] in ("{", "}", ":"):
            raise BadWord("'${' is not followed by a name")
        self.depth += 1
        value = self._braces(start)
        self.depth -= 1
        return value

    def _braces(self, start: int) -> Expansion:
        name = self._name()
        operator = self.text[self.at : self.at + 1]
        if not operator:
            raise BadWord("a '}' is missing after '${'")
        self.at += 1
        if operator == "}":
            return self._value(name, start)
        if operator == "/":
            return self._replace(name, start)
        empty_is_unset = operator == ":"
        if empty_is_unset:
            operator = self.text[self.at : self.at + 1]
            self.at += 1
        elif operator not in "+-?#%":
            raise BadWord(f"'${{{name}{operator}' is not a valid substitution")
        word = _joined(self.until("}", escapes=operator in ("#", "%")))
        if self.variables is None:
            return Expansion(self.text[start : self.at])
        value = self.variables.get(name)
        empty = value is None or (empty_is_unset and not value.text)
        if operator in ("-", "+"):
            return word if empty == (operator == "-") else (value or Expansion(""))
        if operator == "?":
            if empty:
                raise RequiredVariable(
                    name, word.text or f"is not allowed to be {'unset' if value is None else 'empty'}"
                )
            return value or Expansion("")
        if operator not in ("#", "%"):
            raise BadWord(f"'${{{name}:{operator}' is not a valid substitution")
        longest = word.text.startswith(operator)
        if value is None:
            return Expansion("", name)
        glob = _glob(word.text[longest:], value)
        cut = glob.without_prefix if operator == "#" else glob.without_suffix
        return Expansion(cut(value.text, longest=longest), value.unknown or word.unknown)

    def _replace(self, name: str, start: int) -> Expansion:
        everywhere = self.text[self.at : self.at + 1] == "/"
        self.at += everywhere
        pattern = _joined(self.until("/", escapes=True))
        replacement = _joined(self.until("}", escapes=True))
        if self.variables is None:
            return Expansion(self.text[start : self.at])
        value = self.variables.get(name, Expansion("", name))
        replaced = _glob(pattern.text, value).replace(value.text, replacement.text, everywhere=everywhere)
        return Expansion(replaced, value.unknown or pattern.unknown or replacement.unknown)

    def _value(self, name: str, start: int) -> Expansion:
        if self.variables is None:
            return Expansion(self.text[start : self.at])
        return self.variables.get(name, Expansion("", name))


def _glob(pattern: str, value: Expansion) -> Glob:
    if len(value.text) > _LONGEST:
        raise TooLong(f"a value of more than {_LONGEST} characters is not edited")
    try:
        return Glob(pattern)
    except InvalidGlob as error:
        raise BadWord(str(error)) from error

"""Where the references of a Dockerfile can be edited: in the word itself, or in the default of an ARG."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final, NamedTuple

from imgref.sources._lines import TextLines
from imgref.sources.dockerfile.arguments import Arguments, Declared
from imgref.sources.target import Target, TextSpan

__all__ = ["Editing", "Word"]

_VARIABLE: Final = r"\$(?:(?P<bare>[^\W\d]\w*)|\{(?P<braced>[^\W\d]\w*)(?::?-(?P<default>[^${}\"'\\]*))?\})"
_WHOLE: Final = re.compile(_VARIABLE)
_TAG: Final = re.compile(
    rf"(?P<repository>[^$\"'\\]*[^$:\"'\\]):(?P<tag>{_VARIABLE})(?:@(?P<digest>[a-z0-9]+:[0-9a-f]+))?"
)
_USE: Final = re.compile(r"\$\{?([^\W\d]\w*)")

_SPLIT: Final = "it is written with escapes or over several lines"
_PART: Final = "a variable holds a part of it"
_FROZEN: Final = "a variable holds its tag, and a digest would freeze it"


class Word(NamedTuple):
    """A word as written, the index where it begins, and what it resolves to."""

    text: str
    start: int
    resolved: str


class _Fixed(Exception):
    """Why a word cannot be edited."""


class Editing:
    """Finds the spans of the references of one file.

    Args:
        text: the content of the file.
        lines: its lines.
        arguments: its ARGs.
        words: the words that refer to images.
    """

    def __init__(self, text: str, lines: TextLines, arguments: Arguments, words: Sequence[Word]) -> None:
        self._text = text
        self._lines = lines
        self._arguments = arguments
        self._words = words

    def targets(self) -> Iterator[Target]:
        """Yield the target of each word, in the same order."""
        for word in self._words:
            try:
                yield self._target(word)
            except _Fixed as fixed:
                yield Target(fixed=str(fixed))

    def _target(self, word: Word) -> Target:
        inner, start = self._inner(word.text, word.start)
        if inner == word.resolved:
            return Target(whole=TextSpan(start, start + len(inner)))
        if "$" not in inner:
            raise _Fixed(_SPLIT)
        if (whole := _WHOLE.fullmatch(inner)) is not None:
            return Target(whole=self._value(whole, start, word.resolved, self._whole_uses))
        if (found := _TAG.fullmatch(inner)) is None:
            raise _Fixed(_PART)
        tag = word.resolved.partition("@")[0].removeprefix(f"{found['repository']}:")
        digest = None if found["digest"] is None else TextSpan(start + found.start("digest"), start + found.end())
        span = self._value(found, start, tag, self._tag_uses[found["repository"]])
        return Target(tag=span, digest=digest, unpinnable=_FROZEN)

    def _inner(self, text: str, start: int) -> tuple[str, int]:
        """Return a word without the quotes around it, and where that begins.

        Raises:
            _Fixed: the word is not in the file as it is.
        """
        if not self._text.startswith(text, start):
            raise _Fixed(_SPLIT)
        bare = _unquoted(text)
        return bare, start + (bare is not text)

    def _value(self, found: re.Match[str], start: int, value: str, uses: Counter[str]) -> TextSpan:
        """Return the span of a variable's value: its default in braces, or that of its ARG.

        Raises:
            _Fixed: the value is neither, or the variable is used for something else too.
        """
        name = found["bare"] or found["braced"]
        declared = self._declared.get(name, [])
        own = found["default"]
        in_braces = own == value and all(one.default is None for one in declared)
        if not (in_braces and uses is self._whole_uses):
            self._refuse_other_uses(name, uses)
        if in_braces:
            return TextSpan(start + found.start("default"), start + found.end("default"))
        if len(declared) != 1 or declared[0].default is None or own is not None:
            raise _Fixed(_PART)
        line, span = declared[0].line, declared[0].span
        if not declared[0].default:
            raise _Fixed(_PART)
        place = line.place(span.start + len(name) + 1)
        default, at = self._inner(declared[0].default, self._lines.offset(*place))
        if default != value:
            raise _Fixed(_PART)
        return TextSpan(at, at + len(value))

    def _refuse_other_uses(self, name: str, uses: Counter[str]) -> None:
        if name in self._arguments.late:
            raise _Fixed(f"ARG {name} is used in a stage too")
        if self._uses[name] != uses[name]:
            raise _Fixed(f"the variable {name} is used for something else too")

    @cached_property
    def _uses(self) -> Counter[str]:
        """How often each variable is used anywhere in the file, comments included."""
        return Counter(_USE.findall(self._text))

    @cached_property
    def _whole_uses(self) -> Counter[str]:
        """How often each variable is a whole reference."""
        found = (_WHOLE.fullmatch(_unquoted(word.text)) for word in self._words)
        return Counter(one["bare"] or one["braced"] for one in found if one is not None)

    @cached_property
    def _tag_uses(self) -> dict[str, Counter[str]]:
        """How often each variable is the tag of an image, by repository."""
        uses: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for word in self._words:
            if "$" in word.text and (one := _TAG.fullmatch(_unquoted(word.text))) is not None:
                uses[one["repository"]][one["bare"] or one["braced"]] += 1
        return uses

    @cached_property
    def _declared(self) -> dict[str, list[Declared]]:
        """The ARGs before the first FROM, by name."""
        found: defaultdict[str, list[Declared]] = defaultdict(list)
        for one in self._arguments.declared:
            found[one.name].append(one)
        return found


def _unquoted(text: str) -> str:
    """Return a word without the quotes around it; single quotes stay, since a ``$`` in them is not a variable."""
    if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0] and text[0] not in text[1:-1]:
        return text if text[0] == "'" and "$" in text else text[1:-1]
    return text

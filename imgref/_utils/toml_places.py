"""The positions of values in TOML: the standard library returns values only, and a check needs positions, too."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

__all__ = ["Path", "key_lines", "places"]

Path = tuple[str | int, ...]
"""The keys and indexes of a value."""

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*+")
_KEY: Final = re.compile(r"""[ \t]*("(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'|[A-Za-z0-9_-]++)[ \t]*(\.?)""")
_VALUE: Final = re.compile(
    r'''"""(?:[^"\\]|\\.|"(?!""))*+"{3,5}|"(?:[^"\\\n]|\\.)*+"'''
    r"""|\'\'\'(?:[^']|'(?!''))*+'{3,5}|'[^'\n]*+'|[^\s,\]}#]++(?: (?=[0-9]{2}:)[^\s,\]}#]++)?""",
    re.DOTALL,
)


def places(text: str) -> Mapping[Path, int]:
    r"""Return the offset of each value except tables and arrays, in a document that ``tomllib`` accepts.

    >>> places('[[a]]\nb = ["x"]')
    {('a', 0, 'b', 0): 11}
    """
    return _Places(text).found


def key_lines(text: str) -> Mapping[Path, int]:
    r"""Return the 1-based line of the first mention of each key and table, in a document that ``tomllib`` accepts.

    >>> key_lines('[a.b]\nc.d = 1\n[[e]]')
    {('a',): 1, ('a', 'b'): 1, ('a', 'b', 'c'): 2, ('a', 'b', 'c', 'd'): 2, ('e',): 3, ('e', 0): 3}
    """
    line, at = 1, 0
    lines: dict[Path, int] = {}
    for path, offset in _Places(text).keys.items():
        line += text.count("\n", at, offset)
        lines[path], at = line, offset
    return lines


class _Places:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {}
        self.keys: dict[Path, int] = {}
        self.tables: dict[Path, int] = defaultdict(int)  # how many tables an array of them has so far
        table: Path = ()
        self._skip()
        while self.at < len(text):
            if text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip()

    def _skip(self) -> None:
        if (match := _BLANK.match(self.text, self.at)) is not None:
            self.at = match.end()

    def _mention(self, path: Path, offset: int) -> Path:
        self.keys.setdefault(path, offset)
        return path

    def _header(self) -> Path:
        start = self.at
        many = self.text.startswith("[[", self.at)
        self.at += 1 + many
        keys = self._keys()
        self.at += 1 + many
        path: Path = ()
        for key in keys[:-1]:
            path = self._latest(self._mention((*path, key), start))
        path = self._mention((*path, keys[-1]), start)
        if many:
            self.tables[path] += 1
        return self._mention(self._latest(path), start)

    def _latest(self, path: Path) -> Path:
        count = self.tables.get(path)
        return (*path, count - 1) if count else path

    def _keys(self) -> list[str]:
        keys = []
        while (match := _KEY.match(self.text, self.at)) is not None:
            self.at = match.end()
            keys.append(_plain(match[1]))
            if not match[2]:
                break
        return keys

    def _pair(self, path: Path) -> None:
        start = self.at
        for key in self._keys():
            path = self._mention((*path, key), start)
        self.at += 1  # the =
        self._skip()
        self._value(path)

    def _value(self, path: Path) -> None:
        opening = self.text[self.at]
        if isinstance(path[-1], int):
            self._mention(path, self.at)
        if opening not in "[{":
            match = _VALUE.match(self.text, self.at)
            self.found[path] = self.at
            self.at = self.at + 1 if match is None else match.end()
            return
        closing = "]" if opening == "[" else "}"
        self.at += 1
        self._skip()
        index = 0
        while self.at < len(self.text) and self.text[self.at] != closing:
            if opening == "[":
                self._value((*path, index))
            else:
                self._pair(path)
            index += 1
            self._skip()
            if self.text.startswith(",", self.at):
                self.at += 1
                self._skip()
        self.at += 1


def _plain(key: str) -> str:
    return next(iter(tomllib.loads(f"{key} = 0"))) if key[0] in "\"'" else key

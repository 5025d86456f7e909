"""Which kind of file a path names, before anything of the file is read."""

from __future__ import annotations

import os
import re
from functools import cache, lru_cache
from itertools import chain
from typing import Final, NamedTuple

from imgref.sources.kinds import KINDS, Kind

__all__ = ["Place", "Places", "is_candidate", "pattern_source"]

_YAML: Final = (".yml", ".yaml")
_TOKEN: Final = re.compile(r"/\*\*$|\*\*/|\*|[{},]|\.yaml$|.", re.DOTALL)
_FIXED_BEGIN: Final = re.compile(r"(?:(?!\.yaml\Z)[^*{])*")
_FIXED_END: Final = re.compile(r"[^*}]*\Z")
_MEANINGS: Final = {
    "/**": "(?:/.*)?",
    "**/": "(?:.*/)?",
    "*": "[^/]*",
    "{": "(?:",
    "}": ")",
    ".yaml": r"\.ya?ml",
}


class Place(NamedTuple):
    """The classification of a file by its path.

    Attributes:
        kind: the kind, or None where the name does not decide it.
        maybe: the kinds among which the content decides.
        yaml: whether the file is YAML by its ending, so that each document in it decides.
        json: whether it is JSON by its ending.
        template: whether it is below the ``templates`` of a chart.
    """

    kind: Kind | None = None
    maybe: tuple[Kind, ...] = ()
    yaml: bool = False
    json: bool = False
    template: bool = False

    @classmethod
    def declared(cls, name: str) -> Place:
        """Return the classification of a file that is configured as a kind, whatever its own name.

        >>> Place.declared("compose").kind.label
        'Compose'
        """
        return cls(KINDS[name])

    @property
    def is_certain(self) -> bool:
        """Whether the name determines the kind of the file, so that it must be readable."""
        return self.kind is not None and not self.template

    @property
    def may_be_binary(self) -> bool:
        """Whether binary files can have such names, too, so that one found in a directory is skipped."""
        return not self.yaml and (self.kind is None or self.kind.ending_only)

    @property
    def may_be_object(self) -> bool:
        """Whether it is JSON of no certain kind, which may be a Kubernetes object."""
        return self.kind is None and self.json

    @property
    def may_be_about_anything(self) -> bool:
        """Whether files with such an ending are often about something else than images."""
        return self.yaml or self.json


class Places:
    """Recognizes paths. It looks at each directory once."""

    def __init__(self) -> None:
        self._above: dict[tuple[str, str], str | None] = {}
        self._directories: dict[str, str] = {}
        self._templates: dict[str, bool] = {}

    def of(self, path: str) -> Place:
        """Classify a file by its path, also by the directories above the working directory."""
        before, _, name = path.rpartition("/")
        directory = self._absolute(f"{before}/" if path.startswith("/") else before)
        certain, maybe = _by_name(name, _directory_patterns(directory))
        kind = next((kind for kind in certain if self._is_beside(kind, directory)), None)
        low = name.lower()
        yaml = low.endswith(_YAML)
        return Place(kind, maybe, yaml, low.endswith(".json"), yaml and self._is_template(directory))

    def _absolute(self, directory: str) -> str:
        if directory not in self._directories:
            # The name of a link counts, not that of its target.
            self._directories[directory] = os.path.abspath(directory)  # noqa: PTH100
        return self._directories[directory]

    def _is_beside(self, kind: Kind, directory: str) -> bool:
        return not kind.beside or self._directory_with(kind.beside, directory) is not None

    def _is_template(self, directory: str) -> bool:
        if directory not in self._templates:
            chart = self._directory_with("Chart.yaml", directory)
            inside = chart is not None and f"{directory}/".startswith(f"{chart.rstrip('/')}/templates/")
            self._templates[directory] = inside
        return self._templates[directory]

    def _directory_with(self, name: str, directory: str) -> str | None:
        """Return the nearest directory upwards with a file, up to the top of a repository."""
        key = name, directory
        if key not in self._above:
            parent = os.path.dirname(directory)
            found: str | None = None
            if os.path.isfile(f"{directory}/{name}"):
                found = directory
            elif parent != directory and not os.path.lexists(f"{directory}/.git"):
                found = self._directory_with(name, parent)
            self._above[key] = found
        return self._above[key]


def is_candidate(path: str) -> bool:
    """Return whether a file may contain references, going by its path alone.

    >>> [is_candidate(name) for name in ("a/Dockerfile.dev", "a/Dockerfile.dev.md", "x.yml", "x.py")]
    [True, False, True, False]
    """
    if path[-5:].lower().endswith(_YAML):
        return True
    before, _, name = path.rpartition("/")
    return any(_by_name(name, _directory_patterns(before)))


def pattern_source(pattern: str) -> str:
    r"""Return the regular expression of a pattern of names, for :func:`re.fullmatch` in any case.

    >>> pattern_source("{docker-,}compose*.yaml")
    '(?:docker\\-|)compose[^/]*\\.ya?ml'
    """
    parts = []
    inside = False
    for part in _TOKEN.findall(pattern):
        inside = part == "{" or (inside and part != "}")
        parts.append("|" if inside and part == "," else _MEANINGS.get(part) or re.escape(part))
    return "".join(parts)


class _NamePattern:
    """A pattern of names. Most names do not begin and end as it does, so few patterns are ever compiled."""

    __slots__ = ("_begin", "_ends", "_pattern")

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._begin = _FIXED_BEGIN.match(pattern)[0].lower()  # type: ignore[index]  # it matches the empty string
        end = pattern[_FIXED_END.search(pattern).start() :].lower()  # type: ignore[union-attr]
        self._ends = (end, f"{end.removesuffix('.yaml')}.yml") if end.endswith(".yaml") else end

    @property
    def source(self) -> str:
        """The regular expression."""
        return pattern_source(self._pattern)

    def may_match(self, name: str) -> bool:
        """Return whether a name begins and ends as the pattern does."""
        low = name.lower()
        return not name.isascii() or (low.startswith(self._begin) and low.endswith(self._ends))

    def matches(self, name: str) -> bool:
        """Return whether a name is of this pattern."""
        return self.may_match(name) and _compiled(self._pattern).fullmatch(name) is not None


class _Row(NamedTuple):
    """A pattern of a kind: that of the directory, as it is written, and that of the name."""

    kind: Kind
    directory: str
    name: _NamePattern


@lru_cache(maxsize=10_000)
def _by_name(name: str, directories: tuple[str, ...]) -> tuple[tuple[Kind, ...], tuple[Kind, ...]]:
    """Return the kinds of which a name is enough, in order, and those with which the content decides.

    Args:
        name: the name of the file.
        directories: the patterns of directories that its directory matches.
    """
    if _any_row("names").fullmatch(name) is None and _any_row("maybe").fullmatch(name) is None:
        return (), ()  # most files of a tree
    lookalikes, unsure = _matching("lookalikes", name), _matching("unsure", name)
    named = [kind for kind in _matching("names", name, directories) if kind not in lookalikes]
    certain = tuple(kind for kind in named if kind not in unsure)
    suggested = (kind for kind in (*named, *_matching("maybe", name, directories)) if kind not in certain)
    return certain, tuple(dict.fromkeys(suggested))


def _matching(attribute: str, name: str, directories: tuple[str, ...] = ("",)) -> tuple[Kind, ...]:
    rows = (row for row in _rows(attribute) if row.directory in directories and row.name.matches(name))
    return tuple(dict.fromkeys(row.kind for row in rows))


@cache
def _any_row(attribute: str) -> re.Pattern[str]:
    """Return a pattern of all names that one of the rows matches: most files have none of them."""
    names = dict.fromkeys(row.name.source for row in _rows(attribute))
    return re.compile("|".join(f"(?:{name})" for name in names), re.IGNORECASE | re.DOTALL)


@cache
def _rows(attribute: str) -> tuple[_Row, ...]:
    """Return the patterns that the kinds have in an attribute: more specific ones come first."""
    rows = []
    for kind in KINDS.values():
        for pattern in getattr(kind, attribute):
            directory, _, name = pattern.rpartition("/")
            rows.append(_Row(kind, directory, _NamePattern(name)))
    return tuple(sorted(rows, key=lambda row: (not row.directory, not row.kind.beside)))


@lru_cache(maxsize=10_000)
def _directory_patterns(directory: str) -> tuple[str, ...]:
    """Return the patterns of directories that a directory matches; the empty one matches all."""
    listed = dict.fromkeys(row.directory for row in chain(_rows("names"), _rows("maybe")))
    return tuple(one for one in listed if not one or _compiled(f"**/{one}").fullmatch(directory))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern_source(pattern), re.IGNORECASE | re.DOTALL)

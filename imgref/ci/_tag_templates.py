"""Templates of tags, such as ``{branch}-{date:%Y%m%d}-{sha}``, and the values of their placeholders."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from imgref.ci._build import Build
from imgref.errors import InvalidTag, UnknownBuild
from imgref.tags import sanitize_tag
from imgref.versions import Version

__all__ = ["PLACEHOLDERS", "UNIQUE", "Facts", "NoTag", "Template"]

PLACEHOLDERS: Final = (
    "version", "major", "minor", "patch", "branch", "slug", "pr", "sha", "date", "commit-date", "base", "build",
)  # fmt: skip

UNIQUE: Final = frozenset({"sha", "date", "commit-date", "build"})
"""Placeholders whose value no version has."""

_DAY: Final = "%Y%m%d"
_DIRECTIVES: Final = {"Y", "y", "m", "d", "H", "M", "S", "j", "G", "V", "u"}
_NUMBERS: Final = ("major", "minor", "patch")


class NoTag(Exception):
    """A template has no tag for this kind of build; the argument is the reason."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What templates can substitute.

    Attributes:
        build: the build.
        version: the version of its git tag, or None.
        branch: the tag of the branch, which cannot be that of a version, or None.
        now: the time of the build.
        commit_time: returns the time of a commit in seconds, or None if it cannot be known.
    """

    build: Build
    version: Version | None
    branch: str | None
    now: datetime
    commit_time: Callable[[str], int | None]


class _Part(NamedTuple):
    """A placeholder with what follows its colon, or a literal string if it has no name."""

    name: str
    text: str


class Template:
    """A template, which is read once and rendered for a build.

    Raises:
        InvalidTag: it cannot result in a tag.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts = tuple(_parts(text))

    @property
    def names(self) -> frozenset[str]:
        """The placeholders."""
        return frozenset(part.name for part in self._parts) - {""}

    def begins_with(self, name: str) -> bool:
        """Return whether the placeholder comes first, perhaps after a ``v``."""
        parts = self._parts[1:] if self._parts[0] == ("", "v") else self._parts
        return bool(parts) and parts[0].name == name

    def render(self, facts: Facts) -> str:
        """Return the string with the values of a build; it may be longer than a tag.

        Raises:
            NoTag: a placeholder has no value for this kind of build.
            UnknownBuild: a value should be known, and is not.
        """
        return "".join(part.text if not part.name else _VALUES[part.name](facts, part.text) for part in self._parts)


def _parts(text: str) -> list[_Part]:
    parts: list[_Part] = []
    at = 0
    for found in re.finditer(r"\{([^{}:]*)(?::([^{}]*))?\}", text):
        if found.start() > at:
            parts.append(_Part("", text[at : found.start()]))
        name, spec = found[1], found[2]
        if name not in PLACEHOLDERS:
            from imgref._utils.suggest import did_you_mean

            raise InvalidTag(text, f"{found[0]} is not a placeholder{did_you_mean(name, PLACEHOLDERS)}")
        parts.append(_Part(name, _checked(text, name, spec)))
        at = found.end()
    if at < len(text):
        parts.append(_Part("", text[at:]))
    literal = "".join(part.text for part in parts if not part.name)
    if wrong := re.search("[^A-Za-z0-9_.-]", literal):
        raise InvalidTag(text, f"a tag cannot contain {wrong[0]!r}")
    if not parts or (not parts[0].name and parts[0].text[0] in ".-"):
        raise InvalidTag(text, "a tag begins with a letter, a digit or '_'")
    return parts


def _checked(text: str, name: str, spec: str | None) -> str:
    """Return what follows the colon of a placeholder, or its default."""
    if name == "sha":
        if spec is not None and not (re.fullmatch("[1-9][0-9]?", spec, re.ASCII) and 7 <= int(spec) <= 64):
            raise InvalidTag(text, f"{{sha:{spec}}}: the number of digits is from 7 to 64")
        return spec or "7"
    if name in ("date", "commit-date"):
        spec = _DAY if spec is None else spec
        for directive in re.findall("%(.?)", spec, re.DOTALL):
            if directive not in _DIRECTIVES:
                known = ", ".join(f"%{letter}" for letter in sorted(_DIRECTIVES))
                raise InvalidTag(text, f"%{directive} is not known in {{{name}:…}}; known are {known}")
        if wrong := re.search("[^A-Za-z0-9_.-]", spec.replace("%", "")):
            raise InvalidTag(text, f"a tag cannot contain {wrong[0]!r}")
        if not spec:
            raise InvalidTag(text, f"{{{name}:}} has no format")
        return spec
    if spec is not None:
        raise InvalidTag(text, f"{{{name}}} has no format, so there is nothing to write after a colon")
    return ""


def _what(facts: Facts) -> str:
    names = {"tag": "git tag", "merge-group": "merge group", "pull-request": "pull request"}
    return f"this is a build of a {names.get(facts.build.event, facts.build.event)}"


def _version(facts: Facts, _: str) -> str:
    if facts.version is None:
        raise NoTag(f"{_what(facts)}, which has no version")
    return facts.version.text


def _number(facts: Facts, index: int) -> str:
    if facts.version is None:
        raise NoTag(f"{_what(facts)}, which has no version")
    if len(facts.version.parts) <= index:
        raise NoTag(f"{facts.version.text} has no {_NUMBERS[index]} number")
    return facts.version.parts[index]


def _branch(facts: Facts, _: str) -> str:
    if facts.branch is None:
        raise NoTag(f"{_what(facts)}, which has no branch")
    return facts.branch


def _slug(facts: Facts, _: str) -> str:
    if facts.build.pull_request is not None:
        return f"pr-{facts.build.pull_request}"
    if facts.build.tag is not None:
        return sanitize_tag(facts.build.tag)
    return _branch(facts, "")


def _pull_request(facts: Facts, _: str) -> str:
    if facts.build.pull_request is None:
        raise NoTag(f"{_what(facts)}, not of a pull request")
    return facts.build.pull_request


def _sha(facts: Facts, digits: str) -> str:
    sha = _commit(facts, "sha")
    if len(sha) < int(digits):
        raise UnknownBuild(f"{{sha:{digits}}}: only {len(sha)} digits of the commit are known", facts.build.system)
    return sha[: int(digits)].lower()


def _commit(facts: Facts, name: str) -> str:
    if facts.build.sha is None:
        raise UnknownBuild(f"{{{name}}}: the commit is not known; name it with --commit", facts.build.system)
    return facts.build.sha


def _date(facts: Facts, spec: str) -> str:
    return facts.now.astimezone(UTC).strftime(spec)


def _commit_date(facts: Facts, spec: str) -> str:
    seconds = facts.commit_time(_commit(facts, "commit-date"))
    if seconds is None:
        raise UnknownBuild("{commit-date}: git does not have the commit here, so its date is not known")
    return datetime.fromtimestamp(seconds, UTC).strftime(spec)


def _base(facts: Facts, _: str) -> str:
    if facts.build.event != "pull-request":
        raise NoTag(f"{_what(facts)}, not of a pull request")
    if facts.build.base is None:
        raise UnknownBuild("{base}: the base branch of the pull request is not known", facts.build.system)
    return sanitize_tag(facts.build.base)


def _build(facts: Facts, _: str) -> str:
    if facts.build.number is None:
        raise UnknownBuild("{build}: the number of the build is not known", facts.build.system)
    return sanitize_tag(facts.build.number)


_VALUES: Final[dict[str, Callable[[Facts, str], str]]] = {
    "version": _version,
    "major": lambda facts, _: _number(facts, 0),
    "minor": lambda facts, _: _number(facts, 1),
    "patch": lambda facts, _: _number(facts, 2),
    "branch": _branch,
    "slug": _slug,
    "pr": _pull_request,
    "sha": _sha,
    "date": _date,
    "commit-date": _commit_date,
    "base": _base,
    "build": _build,
}

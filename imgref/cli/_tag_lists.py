"""Reads the tags that a file or standard input lists, and refuses whatever may not be a list of tags.

A program that fails writes a message, an error page or nothing at all where a list was expected. A word of a message is
often a valid tag, so that a list is read only in the formats below; a floating tag could move backwards otherwise.

- One name per line. A single name must contain a version, or be one that many repositories have: ``unauthorized`` is
  also the whole of an error message.
- Several names on a line, with commas or whitespace between them. Each must contain a digit or be one that many
  repositories have, and one must be a version: a sentence has words that are neither.
- What names its format by itself: lines of ``git ls-remote``, ``refs/tags/…``, references of the images, and JSON.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from imgref._grammar import TAG, is_a
from imgref.errors import ImgrefError, InvalidReference, quote
from imgref.reference import ImageReference, parse
from imgref.tags import MOVING, ExistingTags, TagPolicy
from imgref.versions import SCHEMES, Version, read_name

__all__ = ["TagListError", "read_tag_list"]

ACCEPTED: Final = (
    "accepted are one tag per line, tags with commas or whitespace between them, the JSON of the tags API, "
    "the output of git ls-remote --tags, refs/tags/…, and references of --image"
)

_COMMON: Final = frozenset((*MOVING, "main", "master", "stable", "alpha", "beta", "rc", "dev"))
"""Names without a version that many repositories have, and that are not words of an error message."""

_LONGEST_VERSION: Final = 256
_OBJECT: Final = r"[0-9a-f]{40}(?:[0-9a-f]{24})?(?: (?:commit|tag|tree|blob))?[ \t]+(HEAD|refs/\S+)"
"""A line of ``git ls-remote``, ``git show-ref`` or ``git for-each-ref``."""

_GIT_NAME: Final = r"(?!-)(?!.*(?:\.\.|@\{|//))[^\s\x00-\x1f\x7f~^:?*\[\\]+(?<![/.])"
"""https://git-scm.com/docs/git-check-ref-format"""

Kind = Literal["list", "git", "registry"]


class TagListError(ImgrefError):
    """A list of tags that cannot be read with certainty, or that is empty."""


class _Name(NamedTuple):
    """A name in a list, and where names in this form come from."""

    name: str
    kind: Kind = "list"


class _Reader(NamedTuple):
    """Reads the names of one list.

    Attributes:
        label: what to call the list in messages.
        images: the repositories whose tags are listed.
        policy: the prefix and the suffixes that names may have.
    """

    label: str
    images: Sequence[ImageReference]
    policy: TagPolicy

    def names(self, text: str) -> dict[Kind, dict[str, None]]:
        """Return the names of each kind, in the order of the list and each once."""
        if text.lstrip()[:1] in ("{", "["):
            from imgref.cli._tag_json import NotAList, json_names

            try:
                listed, is_registry = json_names(text, self.images)
            except NotAList as error:
                raise self.refused(error.reason, error.line) from None
            return {"registry" if is_registry else "list": dict.fromkeys(listed)} if listed else {}
        # No list of all lines, and no object for each name: either would take many times the memory of the input.
        names: dict[Kind, dict[str, None]] = {}
        for number, line in enumerate(re.finditer("([^\n]*)\n?", text), 1):
            found = re.fullmatch(_OBJECT, line[1].strip(), re.ASCII)
            for name, kind in self._of_ref(found[1], number) if found else self._of_line(line[1], number):
                names.setdefault(kind, {})[name] = None
        self._check_alone(names.get("list", {}))
        return names

    def _of_line(self, line: str, number: int) -> Iterator[_Name]:
        words = [word for word in re.split(r"[\s,]+", line, flags=re.ASCII) if word]
        bare = []
        for word in words:
            if word.startswith("refs/tags/"):
                yield from self._of_ref(word, number)
            elif is_a(TAG, word) or _is_plus_version(word):
                bare.append(word)
            elif ":" in word or "@sha" in word:
                yield self._of_reference(word, number)
            elif len(words) == 1 and self._is_git_name(word):
                bare.append(word)
            else:
                raise self.refused(f"{quote(word)} is not a valid tag", number)
        if len(words) > 1 and bare:
            self._check_beside(bare, number)
        yield from map(_Name, bare)

    def _of_ref(self, ref: str, number: int) -> Iterator[_Name]:
        if not ref.startswith("refs/tags/"):
            return
        name = ref.removeprefix("refs/tags/").removesuffix("^{}")
        if not re.fullmatch(_GIT_NAME, name):
            raise self.refused(f"{quote(ref)} is not the name of a git tag", number)
        yield _Name(name, "git")

    def _of_reference(self, word: str, number: int) -> _Name:
        try:
            ref = parse(word, default_tag=None)
        except InvalidReference:
            raise self.refused(f"{quote(word)} is not a valid tag", number) from None
        if ref.repository not in {image.repository for image in self.images}:
            other = "a reference of another repository than --image" if self.images else "a reference, without --image"
            raise self.refused(f"{quote(word)} is {other}", number)
        if ref.tag is None:
            raise self.refused(f"{quote(word)} is a reference without a tag", number)
        return _Name(ref.tag, "registry")

    def _is_git_name(self, word: str) -> bool:
        """Whether a word that is not a valid tag is a git tag: `app/v1.2.3`, `app@1.2.3`, or one with the prefix."""
        return bool(re.fullmatch(_GIT_NAME, word)) and (any(_versions_in(word)) or self._is_prefixed(word))

    def _is_prefixed(self, name: str) -> bool:
        return self.policy.prefix != "" and name.startswith(self.policy.prefix)

    def _check_beside(self, words: list[str], number: int) -> None:
        """Refuse several words on a line that may be a sentence."""
        tails = {word.partition("-")[2] for word in words if any(_versions_in(word))}
        common = _COMMON | set(self.policy.suffixes) | tails
        strange = next((word for word in words if word not in common and not re.search("[0-9]", word)), None)
        if strange is not None:
            reason = (
                f"{quote(strange)} may be a word of a message; on a line with several tags, each must contain a digit"
            )
            raise self.refused(f"{reason} or be one of {', '.join(sorted(_COMMON))}", number)
        if not any(map(self._is_version, words)):
            reason = f"{quote(words[0])} and what follows may be a message: none of the tags is a version"
            raise self.refused(reason, number)

    def _check_alone(self, names: Collection[str]) -> None:
        """Refuse a single word that may be a message."""
        if len(names) != 1:
            return
        (name,) = names
        is_common = name in _COMMON or name in self.policy.suffixes
        if not (is_common or self._is_version(name) or self._is_prefixed(name)):
            raise self.refused(f"{quote(name)} is the only name and not a version, so that it may be a message")

    def _is_version(self, name: str) -> bool:
        """Whether a name is certainly a version; `404` may be a status, if versions are not bare numbers."""
        return any(not version.is_bare or self.policy.scheme != "semver" for version in _versions_in(name))

    def refused(self, reason: str, number: int | None = None) -> TagListError:
        place = self.label if number is None else f"{self.label}, line {number}"
        return TagListError(f"{place}: {reason}; {ACCEPTED}")


def read_tag_list(
    data: bytes, source: str, *, images: Sequence[ImageReference], policy: TagPolicy, allow_empty: bool = False
) -> list[ExistingTags]:
    """Read the tags that a file or standard input lists.

    Args:
        data: its content.
        source: its name, or ``-`` for standard input.
        images: the repositories whose tags are listed.
        policy: the prefix and the suffixes that names may have.
        allow_empty: whether an empty list is accepted.

    Returns:
        the names, usually as one source. Names of git and of a registry are kept apart, because they have the prefix
        and the suffix in other cases.

    Raises:
        TagListError: the list cannot be read with certainty, or is empty.
    """
    reader = _Reader("standard input" if source == "-" else source, images, policy)
    names = reader.names(_decoded(data, reader))
    if not names:
        if allow_empty:
            return [ExistingTags((), source)]
        empty = "lists no tags" if data.strip() else "is empty"
        raise TagListError(
            f"{reader.label} {empty}: what wrote it may have failed; for the very first release, pass --allow-empty"
        )
    return list(_by_kind(names, source, policy))


def _by_kind(names: dict[Kind, dict[str, None]], source: str, policy: TagPolicy) -> Iterator[ExistingTags]:
    # The tags of a registry have no prefix; those that have it were not made by imgref, and count with it.
    if any(name.startswith(policy.prefix) for name in names.get("registry", ())):
        names["list"] = {**names.get("list", {}), **names.pop("registry")}
    for kind, listed in names.items():
        yield ExistingTags(tuple(listed), source, kind)


def _decoded(data: bytes, reader: _Reader) -> str:
    wrong, reason = data.find(b"\0"), "it has a NUL byte, as UTF-16 and binary data have"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = ""
        if wrong < 0 or error.start < wrong:
            wrong, reason = error.start, f"the byte 0x{data[error.start]:02x} is not valid UTF-8"
    if wrong >= 0:
        raise reader.refused(reason, data.count(b"\n", 0, wrong) + 1)
    return text


def _is_plus_version(word: str) -> bool:
    return "+" in word and _read(word) is not None


def _versions_in(name: str) -> Iterator[Version]:
    """Yield what reads as a version at the end of a name, in any scheme; an epoch, as in `1!2.0`, is in none."""
    for found in re.finditer(r"(?<![A-Za-z0-9.!])v?[0-9]", name, re.ASCII):
        if len(name) - found.start() <= _LONGEST_VERSION:
            version = _read(name[found.start() :])
            if version is not None:
                yield version


def _read(text: str) -> Version | None:
    return next((version for scheme in SCHEMES if (version := read_name(text, scheme))), None)

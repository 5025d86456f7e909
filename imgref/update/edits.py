"""Edits: what changes in a file, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from imgref._grammar import REFERENCE
from imgref.sources.decoding import encoding_of
from imgref.sources.target import UNSURE, TextSpan
from imgref.update.consumers import DOTENV, takes_tag_and_digest
from imgref.update.source import Source

__all__ = ["Edit", "Refused", "Wanted", "edited", "replaced", "texts_for"]

_NUMBER: Final = re.compile(
    r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?|[-+]?0[box]?[0-9a-fA-F_]+"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?|[0-9]+(?::[0-9]+)+(?:\.[0-9]*)?"
    r"|true|false|yes|no|on|off|null|y|n|~",
    re.ASCII | re.IGNORECASE,
)
"""What YAML 1.1 or 1.2 takes for a number, a date, a boolean or null where it is not quoted."""


class Refused(Exception):
    """Why a reference is not edited."""


class Wanted(NamedTuple):
    """The planned tag and digest of a reference; None means no digest."""

    tag: str
    digest: str | None


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """One change in a file.

    Attributes:
        path: the file.
        start: the byte where it begins.
        end: the byte after its last one.
        old: what is there.
        new: what replaces it.
        why: what for, in words.
    """

    path: str
    start: int
    end: int
    old: str
    new: str
    why: str


def replaced(reference: str, wanted: Wanted) -> str:
    """Return a reference with another tag and digest, and everything before them as written.

    >>> replaced("nginx", Wanted("latest", None)), replaced("a.b/c:1@sha256:" + 64 * "0", Wanted("2", None))
    ('nginx:latest', 'a.b/c:2')
    """
    found = REFERENCE.fullmatch(reference)
    if found is None:
        raise ValueError(f"invalid reference {reference!r}")
    return reference[: found.end(2)] + _suffix(wanted)


def _suffix(wanted: Wanted) -> str:
    return f":{wanted.tag}" if wanted.digest is None else f":{wanted.tag}@{wanted.digest}"


def texts_for(source: Source, index: int, wanted: Wanted, *, helm_tag: bool) -> dict[TextSpan, str]:
    """Return what has to be written where, so that a reference has a tag and a digest.

    Args:
        source: the file.
        index: the number of the occurrence.
        wanted: the tag and the digest.
        helm_tag: whether a digest may go into a Helm map's tag.

    Raises:
        Refused: the reference cannot be edited like that.
    """
    occurrence = source.reading.occurrences[index]
    target = occurrence.target
    adds_digest = wanted.digest is not None and "@" not in (occurrence.resolved or "")
    if adds_digest and not takes_tag_and_digest(source.reading.kind, occurrence.construct):
        raise Refused(UNSURE)
    if target is None:
        raise Refused("references in this kind of file are not edited")
    if target.fixed or (adds_digest and target.whole is not None and target.unpinnable):
        raise Refused(target.fixed or target.unpinnable)
    text = source.text
    if target.whole is not None:
        if adds_digest and target.unpinnable:
            raise Refused(target.unpinnable)
        found = REFERENCE.fullmatch(text, *target.whole)
        if found is None:
            raise Refused("the file does not have the reference there")
        return {TextSpan(found.end(2), target.whole.end): _suffix(wanted)}
    if target.tag is None:
        raise Refused("its tag is not in this file")
    written = text[slice(*target.tag)]
    in_tag = "@" in written
    needs_key = wanted.digest is not None and target.digest is None and not in_tag
    if needs_key and target.unpinnable and not (target.in_tag and helm_tag):
        raise Refused(target.unpinnable)
    changes: dict[TextSpan, str] = {}
    digest_here = target.digest is not None and not in_tag
    tag = wanted.tag if digest_here or wanted.digest is None else f"{wanted.tag}@{wanted.digest}"
    if tag != written:
        _refuse_number(source, target.tag, tag, before=written)
        changes[target.tag] = tag
    if digest_here and target.digest is not None and wanted.digest is None and text[target.digest.start - 1] == "@":
        # Behind a tag in a variable, the digest has no separate key.
        changes[TextSpan(target.digest.start - 1, target.digest.end)] = ""
    elif digest_here and target.digest is not None:
        value = _digest_value(text, target.digest, wanted.digest)
        if value != text[slice(*target.digest)]:
            changes[target.digest] = value
    return changes


def _digest_value(text: str, span: TextSpan, digest: str | None) -> str:
    """Return what to write as the value of a key for digests."""
    quoted = text[span.start - 1 : span.start] in {"'", '"'}
    if digest is None:
        empty = span.start == span.end or text[slice(*span)].lower() in {"~", "null"}
        return text[slice(*span)] if empty else "" if quoted else '""'
    # The value of a key without one begins right behind the colon.
    return f" {digest}" if text[span.start - 1 : span.start] == ":" and span.start == span.end else digest


def _refuse_number(source: Source, span: TextSpan, tag: str, *, before: str) -> None:
    """Refuse a tag that YAML would not read as a string, since 1.30 would become 1.3.

    Removing a digest restores such a tag, which was there before.
    """
    plain = source.reading.kind not in {"dockerfile", DOTENV} and source.text[span.start - 1 : span.start] not in {
        "'",
        '"',
    }
    if plain and _NUMBER.fullmatch(tag) and before.partition("@")[0] != tag:
        raise Refused(f"the tag {tag} is a number in YAML; put the tag in quotes")


def edited(source: Source, edits: Iterable[Edit]) -> bytes:
    """Return the bytes of a file after edits, which must not overlap.

    Raises:
        ValueError: the file does not have what an edit is to replace.
    """
    encoding, _ = encoding_of(source.data)
    parts = []
    at = 0
    for edit in sorted(set(edits)):
        old = edit.old.encode(encoding, "surrogateescape")
        if edit.start < at or source.data[edit.start : edit.end] != old:
            raise ValueError(f"{edit.path}: the bytes {edit.start} to {edit.end} are not {edit.old!r}")
        parts += [source.data[at : edit.start], edit.new.encode(encoding)]
        at = edit.end
    return b"".join((*parts, source.data[at:]))

"""Baselines: existing findings that are accepted, so that a policy can be enforced for everything new.

A finding is recognized by its file, rule and reference, not by its line, so it can move within the file. Paths
are relative to the baseline's own directory, so that it does not matter where a check is started.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from imgref._printable import masked
from imgref.check.finding import Finding
from imgref.errors import ConfigError

__all__ = ["Baseline", "Examined"]

_VERSION: Final = 1
_FIELDS: Final = ("path", "code", "text")

_Key = tuple[str, str, str]


class Examined:
    """What a check covers: which files, each by which rules. It knows nothing about all others.

    Args:
        roots: the directories below which it has looked for files.
    """

    def __init__(self, roots: Iterable[str] = ()) -> None:
        self._roots = [os.path.join(os.path.abspath(root), "") for root in roots]  # noqa: PTH100
        self._codes: dict[str, frozenset[str]] = {}

    def add(self, path: str, codes: frozenset[str]) -> None:
        """Add a file that was checked by the rules with these codes."""
        self._codes[os.path.abspath(path)] = codes  # noqa: PTH100

    def covers(self, path: str, code: str) -> bool:
        """Return whether a check would have found a finding of a rule in a file, by its absolute path."""
        codes = self._codes.get(path)
        if codes is not None:
            return code in codes
        # A file that was looked for and does not exist any more has no findings.
        return path.startswith(tuple(self._roots)) and not os.path.lexists(path)


class Baseline:
    """Findings that are known, each with how often it is there.

    Args:
        path: the file; it need not be there.
        known: what is known.
    """

    def __init__(self, path: str, known: Counter[_Key] | None = None) -> None:
        self._directory = os.path.dirname(os.path.abspath(path))  # noqa: PTH100
        self._waiting: Counter[_Key] = Counter() if known is None else Counter(known)

    @classmethod
    def read(cls, path: str, text: str) -> Baseline:
        """Read the result of :meth:`written`.

        Raises:
            ConfigError: the string is not a valid baseline.
        """
        import json

        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError("is not a baseline: write one with --write-baseline", path) from error
        version = content.get("version") if isinstance(content, dict) else None
        if isinstance(version, int) and not isinstance(version, bool) and version != _VERSION:
            raise ConfigError(f"is a baseline of version {version}, not {_VERSION}", path)
        findings = content.get("findings") if version is not None else None
        if type(version) is not int or not isinstance(findings, list):
            raise ConfigError("is not a baseline: write one with --write-baseline", path)
        known: Counter[_Key] = Counter()
        for number, entry in enumerate(findings, 1):
            key, count = _entry(entry, f"{path}: finding {number}")
            known[key] += count
        return cls(path, known)

    def new(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings that are not known; each known one is used up by one finding."""
        new = []
        for finding in findings:
            key = self._key(finding)
            if self._waiting[key] > 0:
                self._waiting[key] -= 1
            else:
                new.append(finding)
        return new

    def gone(self, examined: Examined) -> int:
        """Return how many known findings were looked for and not found any more."""
        return sum(count for key, count in self._waiting.items() if self._is_examined(key, examined))

    def written(self, findings: Iterable[Finding], examined: Examined | None = None) -> str:
        """Return the content of a baseline with these findings, and with those that the check did not cover.

        Args:
            findings: what was found.
            examined: where it was looked for; by default everywhere.
        """
        import json

        counts = Counter(map(self._key, findings))
        if examined is not None:
            counts.update(dict(self._kept(examined)))
        entries = [dict(zip(_FIELDS, key, strict=True)) | {"count": counts[key]} for key in sorted(counts)]
        return json.dumps({"version": _VERSION, "findings": entries}, indent=2) + "\n"

    def _kept(self, examined: Examined) -> Iterator[tuple[_Key, int]]:
        for key, count in self._waiting.items():
            if count and not self._is_examined(key, examined):
                yield key, count

    def _is_examined(self, key: _Key, examined: Examined) -> bool:
        return examined.covers(os.path.normpath(os.path.join(self._directory, key[0])), key[1])

    def _key(self, finding: Finding) -> _Key:
        path = os.path.relpath(finding.path, self._directory)
        return path, finding.code, finding.message if finding.text is None else finding.text


def _entry(entry: Any, where: str) -> tuple[_Key, int]:  # noqa: ANN401  any JSON value
    """Read one finding of a baseline. Nothing in it is guessed: a wrong count could hide findings.

    Raises:
        ConfigError: it is not one.
    """
    if not isinstance(entry, dict):
        raise ConfigError("must be an object with path, code, text and count", where)
    for field in _FIELDS:
        if not isinstance(entry.get(field), str):
            raise ConfigError(f"{field} must be a string", where)
    count = entry.get("count")
    if type(count) is not int or count < 1:
        raise ConfigError("count must be a whole number of 1 or more", where)
    return (entry["path"], entry["code"], masked(entry["text"])), count

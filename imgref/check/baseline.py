"""Baselines: the findings of a day, which wait, so that a policy can hold from now on for everything new.

A finding is known by its file, its rule and its text, not by its line: what moves within a file stays known. Paths
are relative to the baseline's own directory, so that it does not matter where a check is started.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from typing import Final

from imgref._printable import masked
from imgref.check.finding import Finding
from imgref.errors import ConfigError

__all__ = ["Baseline"]

_VERSION: Final = 1
_FIELDS: Final = ("path", "code", "text")

_Key = tuple[str, str, str]


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
        """Read what :meth:`written` has given.

        Raises:
            ConfigError: the text is no baseline.
        """
        import json

        try:
            content = json.loads(text)
            if content["version"] != _VERSION:
                raise ConfigError(f"is a baseline of version {content['version']!r}, not {_VERSION}", path)
            known: Counter[_Key] = Counter()
            for entry in content["findings"]:
                file, code, said = (str(entry[field]) for field in _FIELDS)
                known[file, code, masked(said)] += int(entry["count"])
        except (ValueError, LookupError, TypeError, OverflowError, RecursionError) as error:
            raise ConfigError("is no baseline: write one with --write-baseline", path) from error
        return cls(path, known)

    def new(self, findings: Iterable[Finding]) -> list[Finding]:
        """Give the findings that are not known; each known one is used up by one finding."""
        new = []
        for finding in findings:
            key = self._key(finding)
            if self._waiting[key] > 0:
                self._waiting[key] -= 1
            else:
                new.append(finding)
        return new

    @property
    def gone(self) -> int:
        """How many known findings were not there any more."""
        return self._waiting.total()

    def written(self, findings: Iterable[Finding]) -> str:
        """Give the text of a baseline in which these findings are known."""
        import json

        counts = Counter(map(self._key, findings))
        entries = [dict(zip(_FIELDS, key, strict=True)) | {"count": counts[key]} for key in sorted(counts)]
        return json.dumps({"version": _VERSION, "findings": entries}, indent=2) + "\n"

    def _key(self, finding: Finding) -> _Key:
        path = os.path.relpath(finding.path, self._directory)
        return path, finding.code, finding.message if finding.text is None else finding.text

"""The identity of findings across runs (file, rule and reference, but not the line), and the paths of files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from urllib.parse import quote

from imgref.check.finding import Finding

__all__ = ["fingerprints", "relative", "uri_of"]


def fingerprints(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield an identity for each finding; the second of two equal ones has another than the first."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for finding in findings:
        key = (finding.path, finding.code, finding.message if finding.text is None else finding.text)
        seen[key] += 1
        words = "\0".join((*key, str(seen[key])))
        yield sha256(words.encode("utf-8", "surrogatepass")).hexdigest()


def relative(path: str) -> str:
    """Return a path relative to the working directory, also where it is outside of it."""
    return os.path.relpath(path) if os.path.isabs(path) else path


def uri_of(path: str) -> str:
    """Return a relative URI; a colon in its first component would otherwise end a scheme."""
    return quote(os.fsencode(relative(path)), safe="/~!$&'()*+,;=@")

"""The policy: which rules apply, which images are trusted, and what is accepted.

A policy is data. All patterns in it are compiled, so that a mistake is reported before any file is
read. The client that talks to registries never uses it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from imgref.check.finding import Severity
from imgref.check.patterns import ImagePattern, PathPatterns
from imgref.hosts import HostPattern
from imgref.reference import ImageReference

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from imgref.check.rules.rule import Answer

__all__ = ["Exemption", "Policy"]


@dataclass(frozen=True, slots=True)
class Exemption:
    """Images that some rules accept, one of ``[[check.exceptions]]``.

    Attributes:
        image: which repositories.
        codes: the rules.
        reason: why, or None.
        expires: the last day on which it counts, or None.
        where: the location in the settings, as ``path:line``.
    """

    image: ImagePattern
    codes: frozenset[str]
    reason: str | None
    expires: date | None
    where: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What a check requires of files.

    Attributes:
        enabled: the codes of the rules that report.
        allowed: the only repositories that may be used, or None for any.
        denied: repositories that may not be used, or None for none.
        golden: what images are to be built on, or None for anything.
        golden_scope: ``final`` for the last stage of a Dockerfile, ``all`` for every one.
        insecure: registries that are configured as insecure, here or in a container configuration in the tree.
        exclude: files that are not read unless they are passed by name.
        per_file_ignores: patterns of paths, each with the codes that are not reported there.
        exceptions: images that some rules accept.
        root: the directory that the patterns of paths start from, or None for the working directory.
        files: patterns of paths, each with the kind of the files there; of several that match, the last one counts.
        ignored: the codes that the settings or the command line switch off by name, rather than by not selecting them.
        require_reason: whether an ignore comment needs a reason; None means no.
        inline_ignores: whether ignore comments count at all.
        severities: rules, each with how grave its findings are; all others have that of the rule.
        baseline: a file with findings that do not fail the check, or None.
        today: the day on which exceptions are looked at; None is a day before any of them expires.
        answers: what registries answered about each image, or None if they are not asked.
    """

    enabled: frozenset[str]
    allowed: tuple[ImagePattern, ...] | None = None
    denied: tuple[ImagePattern, ...] | None = None
    golden: tuple[ImagePattern, ...] | None = None
    golden_scope: str = "final"
    insecure: tuple[HostPattern, ...] = ()
    exclude: PathPatterns = PathPatterns()  # noqa: RUF009  immutable
    per_file_ignores: tuple[tuple[PathPatterns, frozenset[str]], ...] = ()
    exceptions: tuple[Exemption, ...] = ()
    root: Path | None = None
    files: tuple[tuple[PathPatterns, str], ...] = ()
    ignored: frozenset[str] = frozenset()
    require_reason: bool | None = None
    inline_ignores: bool = True
    severities: tuple[tuple[str, Severity], ...] = ()
    baseline: Path | None = None
    today: date | None = None
    answers: Mapping[ImageReference, Answer] | None = field(default=None, compare=False)

    def ignored_in(self, path: str) -> frozenset[str]:
        """Return the codes that are not reported in a file; ``path`` is relative to :attr:`root`."""
        found = [codes for pattern, codes in self.per_file_ignores if pattern.matches(path)]
        return frozenset().union(*found)

    def kind_of(self, path: str) -> str | None:
        """Return the kind that :attr:`files` declares for a file, or None; ``path`` is relative to :attr:`root`."""
        return next((kind for pattern, kind in reversed(self.files) if pattern.matches(path)), None)

    def exemption(self, code: str, ref: ImageReference) -> tuple[Exemption | None, Exemption | None]:
        """Return the exception that lets this image pass a rule, and one that would if it had not expired."""
        expired = None
        for entry in self.exceptions:
            if code in entry.codes and entry.image.matches(ref):
                if not self.has_expired(entry):
                    return entry, None
                expired = entry
        return None, expired

    def has_expired(self, entry: Exemption) -> bool:
        """Return whether the last day of an exception is over."""
        return entry.expires is not None and self.today is not None and entry.expires < self.today

"""How far tags may move, from the ``[update]`` settings and the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from imgref.reference import ImageReference
from imgref.update.candidates import Level
from imgref.versions import VersionRange

__all__ = ["LEVELS", "ImageRule", "Rule", "To", "UpdatePolicy"]

To = Literal["patch", "minor", "major", "digest"]
LEVELS: Final[tuple[To, ...]] = ("patch", "minor", "major", "digest")


@dataclass(frozen=True, slots=True)
class Rule:
    """How far a tag may move.

    Attributes:
        to: the greatest change; ``digest`` keeps the tag and moves its digest only.
        min_age: how old an image must be.
        within: the versions that are allowed, or None for any.
        pre: whether pre-releases are allowed.
    """

    to: To = "minor"
    min_age: timedelta = timedelta()
    within: VersionRange | None = None
    pre: bool = False

    @property
    def level(self) -> Level | None:
        """The greatest change of the tag, or None where it stays."""
        return None if self.to == "digest" else self.to


@dataclass(frozen=True, slots=True)
class ImageRule:
    """A rule for some images, one of ``[[update.images]]``.

    Attributes:
        matches: whether it is for an image.
        rule: the rule.
    """

    matches: Callable[[ImageReference], bool]
    rule: Rule


@dataclass(frozen=True, slots=True)
class UpdatePolicy:
    """The rules of a project.

    Attributes:
        rule: the rule for images without their own.
        images: the rules for some images; the first that matches applies.
    """

    rule: Rule = Rule()
    images: tuple[ImageRule, ...] = ()

    def rule_for(self, ref: ImageReference) -> Rule:
        """Return the rule that applies to an image."""
        return next((entry.rule for entry in self.images if entry.matches(ref)), self.rule)

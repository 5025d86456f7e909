"""What a rule is: a code and a name, a function from an image to a violation, and a page that explains it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from imgref.check.finding import Severity
from imgref.check.policy import Policy
from imgref.errors import InvalidReference
from imgref.reference import ImageReference
from imgref.sources.occurrence import Declaration, Occurrence

__all__ = ["Answer", "CheckImage", "Example", "Image", "Page", "Rule", "Violation"]


@dataclass(frozen=True, slots=True)
class Image:
    """An image that a file asks for.

    Attributes:
        occurrence: its position and role.
        text: the reference with variables substituted.
        ref: the parsed reference; an omitted tag is filled in, unless it comes from elsewhere.
        left_out: which of ``registry`` and ``tag`` are omitted; a digest counts as a tag.
    """

    occurrence: Occurrence
    text: str
    ref: ImageReference
    left_out: tuple[str, ...]


class Violation(NamedTuple):
    """What a rule has against an image: one line, what to do, and the reference to show if not that in the file."""

    message: str
    hint: str | None = None
    shown: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What registries answered about an image.

    Attributes:
        known: the codes of the rules that have their answer here.
        missing: what does not exist, as in ``the tag '1.27' does not exist``, or None.
        moved: the digest that the tag points to, if that is another image than the one that is pinned.
        one_platform: whether the pinned digest is that of one platform, and the tag points to an index.
        newer: the newest tag that the policy allows, or None if nothing newer is.
    """

    known: frozenset[str] = frozenset()
    missing: str | None = None
    moved: str | None = None
    one_platform: bool = False
    newer: str | None = None


CheckImage = Callable[[Image, Policy], Violation | None]
CheckUnresolved = Callable[[Occurrence], Violation | None]
CheckInvalid = Callable[[Occurrence, InvalidReference | None], Violation]
CheckAnswer = Callable[[Image, Answer], Violation | None]
CheckDeclaration = Callable[[Declaration], Violation | None]


class Example(NamedTuple):
    """A file for a rule's page; a test checks it with the settings beside it."""

    file: str
    text: str
    settings: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A rule's page, in Markdown.

    Attributes:
        what: what the rule finds.
        why: why that is bad.
        bad: a file with a finding.
        good: the same without.
        fix: how to get from one to the other.
        settings: the settings that it goes by, or what it means that there are none.
    """

    what: str
    why: str
    bad: Example
    good: Example
    fix: str
    settings: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        code: such as ``IMG101``.
        name: such as ``implicit-latest``.
        summary: what it finds, in a few words.
        page: its page.
        image: checks an image that is pulled.
        unresolved: checks a reference whose value is not known.
        invalid: checks a value that is not a valid reference, with the error of the parser if there is one.
        declaration: checks a registry that is configured as insecure.
        online: checks an image by the answers of registries. A rule with none of the five is reported by readers.
        default: whether it is on if nothing selects it.
        waits_for: the settings without which it never reports anything.
        level: how grave its findings are, unless the policy sets another severity.
        enforced: whether it is on with ``--enforce``, whatever is selected.
    """

    code: str
    name: str
    summary: str
    page: Page
    image: CheckImage | None = None
    unresolved: CheckUnresolved | None = None
    invalid: CheckInvalid | None = None
    declaration: CheckDeclaration | None = None
    online: CheckAnswer | None = None
    default: bool = True
    waits_for: tuple[str, ...] = ()
    level: Severity = "warning"
    enforced: bool = False

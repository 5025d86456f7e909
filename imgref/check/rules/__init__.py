"""The rules, each a piece of data.

``tags`` checks tags, ``origin`` where an image comes from, ``files`` what cannot be read,
and ``online`` what registries answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from imgref.check.policy import Policy
from imgref.check.rules import files, online, origin, tags
from imgref.check.rules.rule import Answer, Example, Image, Page, Rule, Violation
from imgref.errors import ImgrefError

__all__ = [
    "ONLINE",
    "RULES",
    "Answer",
    "Example",
    "Image",
    "Page",
    "Rule",
    "Violation",
    "codes_of",
    "default_codes",
    "waiting",
]

_ALL: Final = (*tags.RULES, *origin.RULES, *files.RULES, *online.RULES)

RULES: Final[dict[str, Rule]] = {rule.code: rule for rule in sorted(_ALL, key=lambda rule: rule.code)}
"""Every rule by its code, in order."""

ONLINE: Final = frozenset(code for code, rule in RULES.items() if rule.online is not None)
"""The codes of the rules that run with ``--online`` only."""


def default_codes() -> frozenset[str]:
    """Return the codes of the rules that are on if nothing selects them."""
    return frozenset(code for code, rule in RULES.items() if rule.default)


def codes_of(selectors: Iterable[str]) -> frozenset[str]:
    """Return the codes that codes or prefixes of codes select; ``ALL`` selects every one.

    Raises:
        ImgrefError: one selects nothing; the nearest code is named.

    >>> sorted(codes_of(["IMG9", "IMG101"]))
    ['IMG101', 'IMG901', 'IMG902', 'IMG903']
    """
    selected: set[str] = set()
    for selector in selectors:
        found = [code for code in RULES if selector == "ALL" or (selector and code.startswith(selector))]
        if not found:
            from imgref._utils.suggest import did_you_mean

            meant = did_you_mean(selector.upper(), RULES)
            raise ImgrefError(f"no rule's code begins with {selector!r}{meant}")
        selected.update(found)
    return frozenset(selected)


def waiting(codes: Iterable[str], policy: Policy) -> Iterator[str]:
    """Yield those of some rules that have nothing to go by, since a policy leaves out the settings for them."""
    for code in codes:
        if RULES[code].online is not None and policy.answers is None:
            yield code
        settings = RULES[code].waits_for
        if settings and all(getattr(policy, name) is None for name in settings):
            yield code

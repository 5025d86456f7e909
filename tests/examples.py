"""How many examples a property test takes, in proportion to the profile of hypothesis that tests/conftest.py loads."""

from __future__ import annotations

from hypothesis import settings


def examples(share: float) -> int:
    """Return a number of examples: fewer than usual for a slow test, more for one that needs luck.

    Args:
        share: how many there are for each example of the profile.
    """
    return max(1, round(settings().max_examples * share))

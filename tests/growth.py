"""How the time of a function grows with its input, measured by comparing sizes and not by a clock on the wall."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

STEP = 4
"""Each input is so many times longer than the one before: time that grows with the square takes 16 times as long."""

ALLOWED = 2.5
"""How much more than the size the time may grow, since other programs use the processor and its caches too."""

ENOUGH = 0.05
"""Seconds; a step that takes longer is the last one, since time that does not grow in proportion shows by then."""

MEASURABLE = 0.002
"""Seconds; shorter times are mostly noise, and count as this long."""


def assert_linear(make: Callable[[int], T], run: Callable[[T], object], smallest: int = 1_000, steps: int = 4) -> None:
    """Assert that a function's time grows in proportion to the size of its input.

    The sizes grow step by step, so that a function that takes far too long is found at a small one.

    Args:
        make: makes an input of a size.
        run: what is measured.
        smallest: the first size.
        steps: how often the size is multiplied by ``STEP``.
    """
    size, value = smallest, make(smallest)
    before = _seconds(run, value)
    for _ in range(steps):
        longer_size, longer = size * STEP, make(size * STEP)
        after = _seconds(run, longer)
        for _ in range(4):
            if after <= max(before, MEASURABLE) * STEP * ALLOWED:
                break
            before, after = min(before, _seconds(run, value)), min(after, _seconds(run, longer))
        else:
            raise AssertionError(f"size {size} takes {before:.4f} s, size {longer_size} takes {after:.4f} s")
        if after > ENOUGH:
            break
        size, value, before = longer_size, longer, after


def _seconds(run: Callable[[T], object], value: T) -> float:
    # The collector visits all objects again and again, which grows faster than their number.
    gc.disable()
    try:
        started = time.process_time()
        run(value)
        return time.process_time() - started
    finally:
        gc.enable()

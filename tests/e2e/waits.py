"""Waits that are cut short, for tests of what happens after them; how long they are, quick tests see with a clock."""

from __future__ import annotations

import threading
import time

LONGEST = 0.01
"""Seconds that a wait takes at most."""

_sleep, _wait = time.sleep, threading.Event.wait


def short_sleep(seconds: float) -> None:
    """Sleep, but not for long."""
    _sleep(min(seconds, LONGEST))


def short_wait(event: threading.Event, timeout: float | None = None) -> bool:
    """Wait for an event; with a limit, not for long."""
    return _wait(event, timeout if timeout is None else min(timeout, LONGEST))


def cut_short() -> None:
    """Replace the waits of this process, until it ends."""
    setattr(time, "sleep", short_sleep)  # noqa: B010 - the types of both differ in how strict they are
    setattr(threading.Event, "wait", short_wait)  # noqa: B010


def patience(seconds: float) -> None:
    """Replace how long this process waits for a list of tags to become right."""
    from imgref.registry import listing
    from imgref.registry.release.model import WAITS

    WAITS.update(dict.fromkeys(WAITS, seconds))
    defaults = listing.existing_tags.__kwdefaults__
    assert defaults
    defaults["patience"] = seconds

"""How the tests run: the same examples every time in CI, new ones elsewhere, and no clock on any."""

from __future__ import annotations

import os
import signal

from hypothesis import settings

settings.register_profile("new", deadline=None)
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("many", deadline=None, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same" if os.environ.get("CI") else "new"))

# A shell starts what runs in the background with interrupts ignored, and every process started from here would inherit
# that: those whose interrupts are tested must hear them.
signal.signal(signal.SIGINT, signal.default_int_handler)

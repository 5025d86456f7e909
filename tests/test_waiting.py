"""No quick test sleeps: it waits for what must happen, or replaces the clock."""

from __future__ import annotations

import re
from pathlib import Path

from tables import each
from vectors import ROOT

TESTS = ROOT / "tests"

SLEEPS = {
    "archive/test_staging.py": "a process sleeps until it is killed",
    "archive/test_writer.py": "a process waits for a file that the test creates",
    "check/test_processes.py": "a process sleeps until it is killed",
    "faults.py": "a server that answers late, for the end-to-end tests",
    "registry/conftest.py": "the replaced clock",
    "registry/test_authorization.py": "the replaced clock",
    "registry/transfer/test_moves.py": "a thread gives others a chance to run",
    "registry/transport/test_reading.py": "a server sends slowly over a real socket, which has real timeouts",
    "test_ci_run.py": "a process sleeps until it is killed",
    "registry/transport/test_sender.py": "a thread gives others a chance to run",
}
"""Files in which something sleeps, and why."""

FILES = [path for path in sorted(TESTS.rglob("*.py")) if path.relative_to(TESTS).parts[0] not in {"bench", "e2e"}]


def sleeping(source: str) -> list[int]:
    """Return the lines in which a program sleeps; programs in strings count too."""
    return [number for number, line in enumerate(source.split("\n"), 1) if re.search(r"(?<!def )\bsleep\(", line)]


@each("path", FILES)
def test_quick_test_does_not_sleep_without_a_reason(path: Path) -> None:
    name = str(path.relative_to(TESTS))
    found = [] if path == Path(__file__) else sleeping(path.read_text(encoding="utf-8"))
    assert bool(found) == (name in SLEEPS), f"{name} sleeps in the lines {found}"


@each(
    ("source", "lines"),
    [
        ("import time\ntime.sleep(1)", [2]),
        ("sleep(1)", [1]),
        ("a = 'time.sleep(1)'", [1]),
        ("def sleep(a): asleep(1)", []),
    ],
)
def test_lines_that_sleep_are_found(source: str, lines: list[int]) -> None:
    assert sleeping(source) == lines

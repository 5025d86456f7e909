from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tables import each

from imgref import ImgrefError, InvalidReference, parse
from imgref.check.processes import available, in_processes


def square(number: int) -> int:
    return number * number


@each("jobs", [1, 2, 3, 7])
@each("pieces", [0, 1, 5, 100])
def test_results_are_in_the_order_of_the_work(jobs: int, pieces: int) -> None:
    assert list(in_processes(square, range(pieces), jobs)) == [number * number for number in range(pieces)]


def test_results_may_be_large() -> None:
    assert [len(text) for text in in_processes(lambda number: "x" * number, [10**6] * 9, 2)] == [10**6] * 9


def test_an_error_is_raised_here() -> None:
    with pytest.raises(InvalidReference, match="must be lowercase"):
        list(in_processes(parse, ["nginx", "redis", "Ubuntu"], 2))


@pytest.mark.parametrize("end", [lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: os._exit(0), lambda: 1 / 0])
def test_process_that_dies_is_reported(end: Callable[[], object], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ImgrefError, match="was killed"):
        list(in_processes(lambda number: end() if number == 3 else number, range(6), 2))
    assert capfd.readouterr() == ("", "")


def test_nothing_is_left_behind_where_the_rest_is_not_wanted() -> None:
    before = children()
    results = in_processes(lambda number: time.sleep(number * 60), [0, 1, 1, 1], 2)
    assert next(results) is None
    assert children() > before
    results.close()  # type: ignore[attr-defined]
    assert children() == before


def children() -> set[str]:
    """Return the process IDs of all children, some of which may be those of other tests."""
    lists = Path("/proc/self/task").glob("*/children")
    return {number for path in lists for number in path.read_text().split()}


def test_a_program_with_threads_is_not_forked() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    assert available() == 1
    done.set()
    thread.join()
    assert available() >= 1

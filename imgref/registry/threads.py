"""Several tasks at a time, in threads that never keep the process alive."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Final, TypeAlias, TypeVar

__all__ = ["join_soon", "run_all"]

_PATIENCE: Final = 2.0
"""Seconds for what is under way to end in, once something has gone wrong or the user has had enough."""

_T = TypeVar("_T")
_Ended: TypeAlias = "SimpleQueue[tuple[int, _T | None, BaseException | None]]"


def run_all(
    jobs: int,
    tasks: Sequence[Callable[[], _T]],
    stop: threading.Event,
    each: Callable[[_T], None] | None = None,
) -> tuple[_T, ...]:
    """Run tasks, some at a time, and call back as each ends; the first error stops them all, and is raised.

    The threads are daemons: after Ctrl-C none that waits for a silent registry keeps the process alive, as those of
    :mod:`concurrent.futures` would.
    """
    waiting = deque(enumerate(tasks))
    ended: _Ended[_T] = SimpleQueue()
    threads = [
        threading.Thread(target=_work, args=(waiting, ended, stop), daemon=True) for _ in range(min(jobs, len(tasks)))
    ]
    results: dict[int, _T] = {}
    try:
        for thread in threads:
            thread.start()
        for _ in tasks:
            index, result, error = ended.get()
            if error is not None:
                raise error
            results[index] = result  # type: ignore[assignment]
            if each is not None:
                each(result)  # type: ignore[arg-type]
    except BaseException:
        stop.set()
        join_soon(threads)
        raise
    return tuple(results[index] for index in range(len(tasks)))


def _work(waiting: deque[tuple[int, Callable[[], _T]]], ended: _Ended[_T], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            index, task = waiting.popleft()
        except IndexError:
            return
        try:
            ended.put((index, task(), None))
        except BaseException as error:  # noqa: BLE001 - raised by the one who waits
            # First the error, then the stop: what others raise because they are stopped comes after it.
            ended.put((index, None, error))
            stop.set()


def join_soon(threads: Sequence[threading.Thread]) -> None:
    """Wait for threads to end, but not for long."""
    deadline = time.monotonic() + _PATIENCE
    for thread in threads:
        # An interrupt may come before all are started, and those cannot be waited for.
        if thread.is_alive():
            thread.join(max(0.0, deadline - time.monotonic()))

"""The parts of a transfer that need no registry: running tasks, and remembering what was pushed where."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from imgref.reference import parse
from imgref.registry.pushed import PushedBlobs
from imgref.registry.workers import run_all

DIGEST = "sha256:" + 64 * "a"


def test_tasks_run_some_at_a_time_and_are_told_as_they_end() -> None:
    active, most = [0], [0]
    told: list[int] = []
    lock = threading.Lock()

    def task(number: int) -> int:
        with lock:
            active[0] += 1
            most[0] = max(most[0], active[0])
        time.sleep(0.01)
        with lock:
            active[0] -= 1
        return number

    tasks = [lambda number=number: task(number) for number in range(12)]
    assert run_all(3, tasks, threading.Event(), told.append) == tuple(range(12))
    assert sorted(told) == list(range(12))
    assert most == [3]
    assert run_all(3, [], threading.Event()) == ()


def test_the_first_error_stops_the_rest_and_is_raised() -> None:
    done: list[int] = []
    stop = threading.Event()

    def fail() -> None:
        raise RuntimeError("first")

    tasks = [fail, *(lambda number=number: done.append(number) for number in range(1000))]
    with pytest.raises(RuntimeError, match="first"):
        run_all(1, tasks, stop)
    assert stop.is_set()
    assert done == []


def test_what_the_one_who_hears_raises_stops_the_tasks() -> None:
    stop = threading.Event()

    def interrupt(result: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_all(2, [lambda: None] * 5, stop, interrupt)
    assert stop.is_set()


def test_an_interrupt_while_threads_start_goes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def interrupted(thread: threading.Thread) -> None:
        if started:
            raise KeyboardInterrupt
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_all(4, [lambda: None] * 8, threading.Event())


def test_the_last_repositories_of_a_blob_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "pushed.json"
    for name in ("a", "b", "c", "a"):
        PushedBlobs(file).remember(parse(f"registry.local:5001/x/{name}", default_tag=None), [DIGEST])
    assert PushedBlobs(file).places("registry.local:5001", DIGEST) == ["x/a", "x/c"]
    assert PushedBlobs(file).places("registry.local:5002", DIGEST) == []
    assert [path.name for path in file.parent.iterdir()] == ["pushed.json"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "[" * 100_000, '{"r d": 1}', f'{{"registry.local:5001 {DIGEST}": ["../x", 1]}}'],
)
def test_a_damaged_memory_is_no_memory(tmp_path: Path, text: str) -> None:
    file = tmp_path / "pushed.json"
    file.write_text(text)
    assert PushedBlobs(file).places("registry.local:5001", DIGEST) == []
    PushedBlobs(file).remember(parse("registry.local:5001/x/a", default_tag=None), [DIGEST])
    assert PushedBlobs(file).places("registry.local:5001", DIGEST) == ["x/a"]


def test_a_memory_that_cannot_be_written_is_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = PushedBlobs(tmp_path / "file" / "pushed.json")
    memory.remember(parse("registry.local:5001/x/a", default_tag=None), [DIGEST])
    assert memory.places("registry.local:5001", DIGEST) == ["x/a"]

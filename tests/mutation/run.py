"""Mutation testing, by hand: ``tests/mutation/run.py [--sample N] [--survivors] [--list] [--least P] [MODULE...]``.

Each mutant of a module is written into a temporary copy of the project, and the quick tests that concern the module run
against it until the first fails. Mutants that no test notices are printed with their place, and the scores are written
to tests/mutation/scores.toml. tests/mutation/modules.toml has the modules, their tests, and the mutants that change
nothing. ``.ci/weekly`` runs all modules, and fails if the score of one is below 95 %.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mutation.mutants import Finder, Mutant

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "tests" / "mutation" / "modules.toml"
SCORES = ROOT / "tests" / "mutation" / "scores.toml"
PARTS = (
    "imgref",
    "tests",
    "docs",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "pyproject.toml",
    ".pre-commit-hooks.yaml",
    ".ci",
)
SEED = 20
"""The same mutants are sampled each time."""


@dataclass
class Score:
    """What became of a module's mutants.

    Attributes:
        mutants: how many there are.
        tried: how many were run, all or a sample.
        killed: how many a test noticed, or ran into the time limit.
        equivalent: those that are known to change nothing.
        survivors: those that no test noticed.
    """

    mutants: int
    tried: int
    killed: int = 0
    equivalent: list[Mutant] = field(default_factory=list)
    survivors: list[Mutant] = field(default_factory=list)

    @property
    def percent(self) -> float:
        """The killed ones of those that change something, in percent."""
        return round(100 * self.killed / max(1, self.tried - len(self.equivalent)), 1)


class Copy:
    """A copy of the project, in which one mutant after the other is tested."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for part in PARTS:
            source, target = ROOT / part, directory / part
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "bench"))
            elif source.exists():
                shutil.copy2(source, target)
        (directory / ".git").mkdir()

    def passes(self, tests: list[str], limit: float) -> bool:
        """Run tests until one fails or the time is over; returns whether all passed."""
        environ = {
            **os.environ, "PYTHONPATH": str(self.directory), "PYTHONDONTWRITEBYTECODE": "1",
            "HYPOTHESIS_PROFILE": "same", "PYTHONHASHSEED": "0",
        }  # fmt: skip
        base = self.directory / "base"
        options = (
            "-x",
            "-q",
            "--no-header",
            "--tb=no",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:randomly",
            "-m",
            "not e2e",
            f"--basetemp={base}",
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=self.directory, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            return process.wait(timeout=limit) == 0
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return False


def modules() -> dict[str, dict[str, object]]:
    """Read which tests concern which module, and which of its mutants change nothing."""
    return tomllib.loads(MODULES.read_text(encoding="utf-8"))


def equivalent_changes(settings: dict[str, object]) -> dict[tuple[str, str], str]:
    """Return the lines and their changes that are known to change nothing, each with the reason."""
    listed = settings.get("equivalent", [])
    assert isinstance(listed, list)
    return {(str(row["code"]), change): str(row["reason"]) for row in listed for change in row["changes"]}


def chosen(
    module: str, mutants: list[Mutant], equivalent: dict[tuple[str, str], str], options: argparse.Namespace
) -> list[Mutant]:
    """Return the mutants to run: all, a sample, or those that no test noticed the last time."""
    unnoticed = saved()[module]["survivors"] if options.survivors else []
    most = int(saved()[module]["tried"]) if options.survivors else options.sample
    if most is not None and most < len(mutants):
        mutants = sorted(random.Random(SEED).sample(mutants, most), key=lambda mutant: mutant.start)
    if not options.survivors:
        return mutants
    return [
        mutant
        for mutant in mutants
        if f"{mutant.place}: {mutant.change}" in unnoticed
        or f"{mutant.code}: {mutant.change}: {equivalent.get((mutant.code, mutant.change))}"
        in saved()[module]["equivalent"]
    ]


def score(module: str, settings: dict[str, object], options: argparse.Namespace, copies: Queue[Copy]) -> Score:
    """Run the mutants of a module."""
    path = Path("imgref") / f"{module}.py"
    source = (ROOT / path).read_bytes()
    mutants = Finder(source).mutants()
    equivalent = equivalent_changes(settings)
    tried = chosen(module, mutants, equivalent, options)
    tests = settings["tests"]
    assert isinstance(tests, list)
    result = Score(len(mutants), len(tried))
    if options.survivors:
        result.tried = int(saved()[module]["tried"])
        result.killed = result.tried - len(tried)
    for code, change in equivalent.keys() - {(mutant.code, mutant.change) for mutant in mutants}:
        print(f"{MODULES.name}: {module}: no such mutant any more: {code}: {change}", flush=True)
    limit = time_limit(tests, copies)

    def killed(mutant: Mutant) -> bool:
        copy = copies.get()
        try:
            (copy.directory / path).write_bytes(mutant.applied(source))
            return not copy.passes(tests, limit)
        finally:
            (copy.directory / path).write_bytes(source)
            copies.put(copy)

    with ThreadPoolExecutor(copies.qsize()) as pool:
        for mutant, noticed in zip(tried, pool.map(killed, tried), strict=True):
            if noticed:
                result.killed += 1
            elif (mutant.code, mutant.change) in equivalent:
                result.equivalent.append(mutant)
            else:
                result.survivors.append(mutant)
                print(f"{path}:{mutant.place}: {mutant.change}", flush=True)
    return result


def time_limit(tests: list[str], copies: Queue[Copy]) -> float:
    """Return the seconds that a mutant gets: five times what the tests take without one, and ten more."""
    copy = copies.get()
    started = time.monotonic()
    passed = copy.passes(tests, 600)
    copies.put(copy)
    if not passed:
        sys.exit(f"the tests fail without any mutant: {' '.join(tests)}")
    return 5 * (time.monotonic() - started) + 10


def table(scores: dict[str, dict[str, object]]) -> Iterator[str]:
    """Write the scores as TOML."""
    yield "# Written by tests/mutation/run.py. Where fewer mutants were tried than there are, they are a sample, the"
    yield f"# same each time (seed {SEED}). The percentage is that of killed mutants among those that change something."
    for module, row in sorted(scores.items()):
        yield f'\n["{module}"]'
        for name, value in row.items():
            if isinstance(value, list):
                yield f"{name} = ["
                yield from (f"    {toml_string(str(item))}," for item in value)
                yield "]"
            else:
                yield f"{name} = {value}"


def toml_string(text: str) -> str:
    """Write a string for TOML."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def saved() -> dict[str, dict[str, Any]]:
    """Read the table of scores."""
    return tomllib.loads(SCORES.read_text(encoding="utf-8")) if SCORES.exists() else {}


def save(module: str, result: Score, reasons: dict[tuple[str, str], str]) -> None:
    """Put a module's score into the table, and leave those of other modules."""
    scores = saved()
    row: dict[str, object] = {
        "mutants": result.mutants, "tried": result.tried, "killed": result.killed, "percent": result.percent,
        "equivalent": [f"{each.code}: {each.change}: {reasons[each.code, each.change]}" for each in result.equivalent],
        "survivors": [f"{mutant.place}: {mutant.change}" for mutant in result.survivors],
    }  # fmt: skip
    scores[module] = row
    SCORES.write_text("\n".join(table(scores)) + "\n", encoding="utf-8")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="such as tags or registry/release; all by default")
    parser.add_argument("--sample", type=int, help="run at most this many mutants of a module")
    parser.add_argument(
        "--survivors", action="store_true", help="run those that survived the last time, of the same code"
    )
    parser.add_argument("--list", action="store_true", help="print the mutants and stop")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--least", type=float, default=0, metavar="PERCENT", help="fail if the score of a module is lower"
    )
    options = parser.parse_args()
    known = modules()
    if unknown := [module for module in options.modules if module not in known]:
        parser.error(f"{', '.join(unknown)}: not in modules.toml; known: {', '.join(known)}")
    low: list[str] = []
    with tempfile.TemporaryDirectory(prefix="imgref-mutants-") as directory:
        copies: Queue[Copy] = Queue()
        for number in range(0 if options.list else options.jobs):
            copies.put(Copy(Path(directory) / str(number)))
        for module in options.modules or known:
            if options.list:
                for mutant in Finder((ROOT / "imgref" / f"{module}.py").read_bytes()).mutants():
                    print(f"imgref/{module}.py:{mutant.place}: {mutant.change}")
                continue
            started = time.monotonic()
            result = score(module, known[module], options, copies)
            save(module, result, equivalent_changes(known[module]))
            print(
                f"{module}: {result.killed} of {result.tried} killed, {len(result.equivalent)} equivalent, "
                f"{result.percent} % ({time.monotonic() - started:.0f} s)",
                flush=True,
            )
            low += [f"{module}: {result.percent} %"] * (result.percent < options.least)
    if low:
        sys.exit(f"less than {options.least:g} % of the mutants were noticed in {', '.join(low)}")


if __name__ == "__main__":
    main()

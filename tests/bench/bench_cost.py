"""What transfers and questions cost, beside skopeo, crane and one SHA-256 pass; run by hand.

    python tests/bench/bench_cost.py --mib 256

Every tool has its turn in every round, since a machine is never quiet. The CPU time is that of the tool alone, without
the registry's. Needs docker-registry, skopeo, and three times the size on disk; crane only if it is on PATH.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeAlias

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.bench_transfer import MIB, make_layout
from e2e.servers import Registry, run_registry

LAUNCH = """
import json, os, sys, time
start = time.perf_counter()
null = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
number = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=null)
_, status, used = os.wait4(number, 0)
wall = time.perf_counter() - start
print(json.dumps([wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)]))
"""
"""A process inherits the peak memory of the one that starts it, so that one must be small."""

HASH = """
import hashlib, sys
buffer = memoryview(bytearray(1 << 20))
for path in sys.argv[1:]:
    found = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            found.update(buffer[:count])
"""

IMGREF = str(Path(sys.executable).with_name("imgref"))


Tool: TypeAlias = Callable[[str, Path], Sequence[str]]
"""Makes a command from a registry and an empty directory."""

Tools: TypeAlias = Mapping[str, Tool]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of a command used: seconds, CPU seconds, and MiB of memory."""

    wall: float
    cpu: float
    memory: float


def measure(command: Sequence[str], environ: Mapping[str, str]) -> Cost:
    launched = subprocess.run(
        [sys.executable, "-S", "-E", "-c", LAUNCH, *command], env=environ, check=True, stdout=subprocess.PIPE
    )
    wall, cpu, memory, code = json.loads(launched.stdout)
    if code:
        raise SystemExit(f"{' '.join(command)} failed")
    return Cost(wall, cpu, memory)


class Bench:
    """Runs commands, each with a home of its own."""

    def __init__(self, work: Path, registry: Registry, rounds: int) -> None:
        self._work, self.host, self._rounds = work, registry.host, rounds

    def rounds(self, tools: Tools) -> dict[str, list[Cost]]:
        """Measure every tool once a round, each in a directory of its own.

        Whoever comes first has the colder cache, so that changes.
        """
        found: dict[str, list[Cost]] = {name: [] for name in tools}
        names = list(tools)
        for number in range(self._rounds):
            for name in names[number % len(names) :] + names[: number % len(names)]:
                with tempfile.TemporaryDirectory(dir=self._work) as place:
                    environ = {"PATH": os.environ["PATH"], "HOME": place, "XDG_RUNTIME_DIR": place}
                    found[name].append(measure(tools[name](self.host, Path(place)), environ))
        return found

    def pushes(self, tools: Tools) -> dict[str, list[Cost]]:
        """Measure every tool once a round, each with a registry that has nothing yet: skopeo remembers the others."""
        found: dict[str, list[Cost]] = {name: [] for name in tools}
        for _ in range(self._rounds):
            for name in tools:
                with tempfile.TemporaryDirectory(dir=self._work) as place, run_registry(Path(place)) as registry:
                    environ = {"PATH": os.environ["PATH"], "HOME": place, "XDG_RUNTIME_DIR": place}
                    found[name].append(measure(tools[name](registry.host, Path(place)), environ))
        return found


def show(what: str, found: Mapping[str, Sequence[Cost]], goal: str, *, wall: bool = False) -> None:
    """Print the medians, and those of the ratios of each round."""
    ours = found["imgref"]
    print(f"{what}:")
    for name, costs in found.items():
        cpu, memory = median(cost.cpu for cost in costs), median(cost.memory for cost in costs)
        line = f"  {name:<22} {cpu:7.3f} s CPU {median(cost.wall for cost in costs):7.3f} s {memory:5.0f} MiB"
        if costs is not ours:
            pairs = zip(ours, costs, strict=True)
            ratios = [mine.wall / other.wall if wall else mine.cpu / other.cpu for mine, other in pairs]
            line += f"   imgref: {median(ratios):.2f} of its {'time' if wall else 'CPU time'}"
        print(line)
    print(f"  goal: {goal}", flush=True)


def skopeo(source: str, target: str, side: str) -> Sequence[str]:
    return ["skopeo", "copy", "--quiet", f"--{side}-tls-verify=false", source, target]


def with_crane(tools: Tools, command: Tool) -> Tools:
    return {**tools, "crane": command} if shutil.which("crane") else tools


def transfers(bench: Bench, what: str, layout: str, goals: Sequence[str], *, wall: bool = False) -> None:
    """Measure push, and pull to a directory and to a tar."""
    blobs = sorted(str(path) for path in (Path(layout) / "blobs/sha256").iterdir())
    name = f"{bench.host}/{Path(layout).name}:1"
    measure([IMGREF, "push", "-q", layout, name], {"PATH": os.environ["PATH"], "HOME": "/nowhere"})
    hashing: Tools = {"one SHA-256 pass": lambda host, place: [sys.executable, "-S", "-E", "-c", HASH, *blobs]}
    push: Tools = {
        "imgref": lambda host, place: [IMGREF, "push", "-q", layout, f"{host}/app:1"],
        "skopeo": lambda host, place: skopeo(f"oci:{layout}", f"docker://{host}/app:1", "dest"),
    }
    push = with_crane(push, lambda host, place: ["crane", "--insecure", "push", layout, f"{host}/app:1"])
    show(f"push {what}", bench.pushes({**push, **hashing}), goals[0], wall=wall)
    directory: Tools = {
        "imgref": lambda host, place: [IMGREF, "pull", "-q", name, f"{place}/out"],
        "skopeo": lambda host, place: skopeo(f"docker://{name}", f"oci:{place}/out", "src"),
    }
    directory = with_crane(
        directory, lambda host, place: ["crane", "--insecure", "pull", "--format=oci", name, f"{place}/out"]
    )
    show(f"pull {what} to a directory", bench.rounds({**directory, **hashing}), goals[1], wall=wall)
    tar: Tools = {
        "imgref": lambda host, place: [IMGREF, "pull", "-q", name, f"{place}/out.tar"],
        "skopeo": lambda host, place: skopeo(f"docker://{name}", f"oci-archive:{place}/out.tar", "src"),
    }
    tar = with_crane(tar, lambda host, place: ["crane", "--insecure", "pull", name, f"{place}/out.tar"])
    show(f"pull {what} to a tar", bench.rounds({**tar, **hashing}), goals[2], wall=wall)


def questions(bench: Bench, name: str) -> None:
    """Measure what asks a registry for little."""
    for words in (("digest",), ("exists",), ("ls",)):
        found = bench.rounds(
            {
                "imgref": lambda host, place, words=words: [IMGREF, *words, name if words == ("ls",) else f"{name}:1"],  # type: ignore[misc]
                "import click, urllib3": lambda host, place: [sys.executable, "-c", "import click, urllib3"],
            }
        )
        show(f"imgref {words[0]}", found, "at most 1.25 of the CPU time of import click, urllib3")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mib", type=int, default=1024, help="size of the four layers together")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["large", "small", "questions"], help="measure this part alone")
    parser.add_argument("--directory", default=None, help="where to work")
    options = parser.parse_args()
    if not shutil.which("crane"):
        print("crane is not on PATH: it is not measured")
    parts = [options.only] if options.only else ["questions", "small", "large"]
    with tempfile.TemporaryDirectory(prefix="imgref-bench-", dir=options.directory) as directory:
        work = Path(directory)
        (work / "registry").mkdir()
        with run_registry(work / "registry") as registry:
            few = make_layout(work / "few", [20_000] * 2)
            environ = {"PATH": os.environ["PATH"], "HOME": "/nowhere"}
            measure([IMGREF, "push", "-q", few, f"{registry.host}/few:1"], environ)
            if "questions" in parts:
                questions(Bench(work, registry, 3 * options.rounds), f"{registry.host}/few")
            if "small" in parts:
                small = make_layout(work / "small", [20_000] * 200)
                goal = "at most the time of crane (or skopeo)"
                transfers(Bench(work, registry, options.rounds), "200 layers of 20 kB", small, [goal] * 3, wall=True)
            if "large" in parts:
                large = make_layout(work / "large", [options.mib * MIB // 4] * 4)
                goals = [
                    "at most 1.35 of one SHA-256 pass; 40 MiB",
                    "at most 1.25 of crane (or skopeo); 40 MiB",
                    "less than crane (or skopeo); 40 MiB",
                ]
                transfers(Bench(work, registry, options.rounds), f"{options.mib} MiB in four layers", large, goals)


if __name__ == "__main__":
    main()

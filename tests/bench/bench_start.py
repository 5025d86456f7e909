"""What a start costs, in CPU time, as ratios to ``python -c 'import click'`` in the same run.

Run by hand: ``python tests/bench/bench_start.py``.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 31
IMGREF = str(Path(sys.executable).with_name("imgref"))
COMMANDS = {
    "imgref parse diamol/golang": ([IMGREF, "parse", "diamol/golang"], 1.5),
    "imgref tags 2.1.3": ([IMGREF, "tags", "2.1.3"], 1.9),
    "imgref --help": ([IMGREF, "--help"], 1.6),
}


def cpu_seconds(command: list[str], folder: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, cwd=folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    base = [sys.executable, "-c", "import click"]
    with tempfile.TemporaryDirectory() as folder:
        for command in (base, *(command for command, _ in COMMANDS.values())):
            cpu_seconds(command, folder)
        for what, (command, bound) in COMMANDS.items():
            pairs = [(cpu_seconds(command, folder), cpu_seconds(base, folder)) for _ in range(ROUNDS)]
            mine, peer = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
            ratio = mine / peer
            print(f"{what:<28} {mine * 1000:6.1f} ms   {peer * 1000:6.1f} ms   {ratio:.2f} times, bound {bound}")


if __name__ == "__main__":
    main()

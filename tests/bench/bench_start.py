"""What a start costs, in CPU time, as ratios to ``python -c 'import click'`` in the same run.

Run by hand: ``python tests/bench/bench_start.py``, after ``python -m compileall imgref``, since a start that has to
compile imgref takes twice as long.
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
    "imgref parse diamol/golang": ([IMGREF, "parse", "diamol/golang"], 1.1),
    "imgref tags 2.1.3": ([IMGREF, "tags", "2.1.3"], 1.25),
    "imgref --help": ([IMGREF, "--help"], 1.1),
    "imgref check Dockerfile": ([IMGREF, "check", "Dockerfile"], 1.25),
    "imgref check deploy.yaml": ([IMGREF, "check", "deploy.yaml"], 1.25),
}

FILES = {
    "Dockerfile": "FROM golang:1.23.1 AS build\nFROM gcr.io/distroless/static:nonroot\nCOPY --from=build /out /app\n",
    "deploy.yaml": "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: registry.local:5001/acme/app:1.2.3\n",
}


def cpu_seconds(command: list[str], folder: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, cwd=folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    base = [sys.executable, "-c", "import click"]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            Path(folder, name).write_text(text)
        for command in (base, *(command for command, _ in COMMANDS.values())):
            cpu_seconds(command, folder)
        for what, (command, bound) in COMMANDS.items():
            pairs = [(cpu_seconds(command, folder), cpu_seconds(base, folder)) for _ in range(ROUNDS)]
            mine, peer = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
            ratio = mine / peer
            print(f"{what:<28} {mine * 1000:6.1f} ms   {peer * 1000:6.1f} ms   {ratio:.2f} times, bound {bound}")


if __name__ == "__main__":
    main()

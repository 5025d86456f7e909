"""How much CPU time `imgref check` takes for trees, against another version of it; prints ratios.

Run by hand, with the interpreter of a virtual environment that has the other version::

    python tests/bench/bench_trees.py BEFORE/.venv/bin/python [DIRECTORY...]

Without directories, the tree has definitions of custom resources, services and deployments, workflows, and files that
are about something else. Both versions take turns, and medians are compared, since other programs use the machine, too.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROUNDS = 5
CHECK = ("-m", "imgref", "check", "--exit-zero", "--show-skipped", "--format", "concise", ".")
FIELD = """\
{space}field{number}:
{space}  description: The image of the object that this field of the container refers to.
{space}  type: string
"""
DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things{number}.example.com
spec:
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        properties:
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: app{number}
  labels: {{app: app{number}, image-policy: strict}}
spec:
  ports:
  - port: 80
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app{number}
spec:
  template:
    spec:
      containers:
      - name: app
        image: quay.io/acme/app:v1.{number}.0
"""
WORKFLOW = """\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
    - uses: actions/checkout@v4
    - run: make image
"""


def write(root: Path) -> None:
    """Write a tree: of its documents, a few have images."""
    fields = "".join(FIELD.format(space=" " * 10, number=number) for number in range(300))
    for number in range(400):
        documents = [SERVICE, DEPLOYMENT, SERVICE] if number % 4 == 0 else [SERVICE]
        for name, text in {
            f"base/{number}.yaml": "---\n".join(documents).format(number=number),
            f"crds/{number % 40}.yaml": DEFINITION.format(number=number) + fields,
            f".github/workflows/{number % 40}.yaml": WORKFLOW,
            f"source/{number}.py": "a = 1\n",
        }.items():
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


def seconds(python: str, at: Path) -> float:
    """Return the CPU time of a check with all its processes."""
    before = os.times()
    subprocess.run([python, *CHECK], cwd=at, capture_output=True, check=True)
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


def compare(python: str, at: Path) -> None:
    """Print how the times of two versions for one tree compare."""
    both: dict[str, list[float]] = {python: [], sys.executable: []}
    for _ in range(ROUNDS):
        for one, times in both.items():
            times.append(seconds(one, at))
    before, now = map(statistics.median, both.values())
    print(f"{at}: {now:.2f} s of CPU time, {now / before:.2f} of the {before:.2f} s before")


def main() -> None:
    python, *directories = sys.argv[1:]
    with TemporaryDirectory() as directory:
        if not directories:
            write(Path(directory))
        for one in directories or [directory]:
            compare(python, Path(one))


if __name__ == "__main__":
    main()

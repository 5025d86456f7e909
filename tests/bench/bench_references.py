"""How fast references are parsed, as ratios against docker-image-py and Go's distribution/reference in the same run.

Run by hand, after ``pip install -e '.[bench]'``: ``python tests/bench/bench_references.py``. The Go program is built if
Debian's packages golang-go and golang-github-docker-distribution-dev are installed.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from docker_image.reference import Reference

from imgref import parse

ROUNDS = 7
DISTINCT = 50_000
LINES = 400_000
MEGABYTE = 1_000_000
GO_SOURCES = "/usr/share/gocode"


# The command, which tells its memory at the end; and the loop of which it is to be faster.
MAIN = r"""
import re, sys
from imgref.cli.main import main
try:
    main(["parse", "-"])
finally:
    print(re.search(r"VmHWM:\s+(\d+) kB", open("/proc/self/status").read())[1], file=sys.stderr)
"""
PEER = """
import sys
from docker_image.reference import Reference
for line in sys.stdin:
    Reference.parse_normalized_named(line.rstrip())
"""


def references(count: int) -> list[str]:
    """Write references such as fleets have: short names, accounts, private registries, tags, some digests."""
    source = random.Random(20_24)
    words = ["redis", "nginx", "golang", "gallery", "ui", "base-image", "web_app", "api", "worker", "kube-proxy"]
    registries = ["", "", "", "ghcr.io/", "registry.local:5001/", "quay.io/", "localhost:5000/",
                  "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/"]  # fmt: skip
    suffixes = ["", ":latest", ":v1", ":1.2.3", ":3.19-alpine"]
    made = []
    for number in range(count):
        account = source.choice(["", source.choice(words) + "/"])
        digest = f"@sha256:{source.getrandbits(256):064x}" if source.random() < 0.15 else ""
        made.append(
            f"{source.choice(registries)}{account}{source.choice(words)}{number}{source.choice(suffixes)}{digest}"
        )
    return made


def paired(mine: Callable[[str], object], peer: Callable[[str], object], texts: Sequence[str]) -> tuple[float, float]:
    """Return the median microseconds a reference of both, taken in turn."""

    def once(function: Callable[[str], object]) -> float:
        begin = time.perf_counter()
        for text in texts:
            function(text)
        return (time.perf_counter() - begin) / len(texts) * 1e6

    pairs = [(once(mine), once(peer)) for _ in range(ROUNDS)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def show(what: str, mine: float, peer: float, unit: str) -> None:
    print(
        f"{what:<42} imgref {mine:9.3f} {unit}   docker-image-py {peer:9.3f} {unit}   {peer / mine:6.1f} times as fast"
    )


def stream(texts: Sequence[str]) -> None:
    """Time ``imgref parse -`` against docker-image-py's bare loop over the same lines."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "lines")
        path.write_text("\n".join(texts))
        seconds = []
        for command in ([sys.executable, "-c", MAIN], [sys.executable, "-c", PEER]):
            with path.open() as lines:
                begin = time.perf_counter()
                done = subprocess.run(command, stdin=lines, capture_output=True, check=True)
                seconds.append(time.perf_counter() - begin)
            if command[2] == MAIN:
                assert done.stdout.decode().splitlines() == [str(parse(text)) for text in texts]
                peak = int(done.stderr) / 1024
    show(f"imgref parse - on {len(texts):,} lines", seconds[0], seconds[1], "s")
    print(f"{'its memory at the most':<42} {peak:.0f} MiB")


def cpu_and_wall(command: Sequence[str], path: Path) -> tuple[float, float]:
    """Return the CPU seconds and the seconds that a command takes for the lines of a file."""
    begin = time.perf_counter()
    with path.open() as lines, subprocess.Popen(command, stdin=lines, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert not process.returncode
    return used.ru_utime + used.ru_stime, time.perf_counter() - begin


def beside_go() -> None:
    """Compare with Go: a reference in a loop, and ``imgref parse -`` with a program that does the same."""
    if not shutil.which("go") or not Path(GO_SOURCES, "src/github.com/docker/distribution/reference").is_dir():
        print(
            f"no comparison with Go: golang-go and golang-github-docker-distribution-dev (in {GO_SOURCES}) are missing"
        )
        return
    with tempfile.TemporaryDirectory() as folder:
        lines, program = Path(folder, "lines"), str(Path(folder, "references"))
        environ = {
            **os.environ,
            "GOPATH": GO_SOURCES,
            "GO111MODULE": "off",
            "GOFLAGS": "",
            "GOCACHE": f"{folder}/cache",
        }
        source = str(Path(__file__).with_name("references.go"))
        subprocess.run(["go", "build", "-o", program, source], env=environ, check=True)
        texts = references(1_000_000)
        lines.write_text("\n".join(texts) + "\n")
        loop = [sys.executable, "-c", "import sys; from imgref import parse\nfor line in sys.stdin: parse(line[:-1])"]
        imgref = str(Path(sys.executable).with_name("imgref"))
        for what, mine, peer in (
            ("1,000,000 distinct references", loop, [program, "loop"]),
            ("imgref parse - on 1,000,000 lines", [imgref, "parse", "-"], [program, "stream"]),
        ):
            pairs = [(cpu_and_wall(mine, lines), cpu_and_wall(peer, lines)) for _ in range(ROUNDS)]
            cpu, wall = (statistics.median(a[side] / b[side] for a, b in pairs) for side in (0, 1))
            seconds = statistics.median(a[0] for a, _ in pairs)
            print(f"{what:<42} imgref {seconds:9.3f} s of CPU, {cpu:.2f} of Go's; {wall:.2f} of its time")


def worst_megabytes() -> None:
    """Time the slowest of many texts of a megabyte."""
    slowest = (0.0, "")
    for piece in ("a/", "a.", "a-", "@", "a:b@", ":", "/", "${", "%a", "A/", " a", "+", "é", "a@sha256:", "sha256:a/"):
        for frame in ("{}", "{}!", "a:{}", "a.b/{}!", "https://{}", "[{}]/x"):
            text = frame.format(piece * (MEGABYTE // len(piece)))
            begin = time.perf_counter()
            try:
                parse(text)
            except ValueError as error:
                str(error)
            slowest = max(slowest, (time.perf_counter() - begin, text[:12]))
    print(f"{'slowest of 90 texts of a megabyte':<42} {slowest[0]:.2f} s, {slowest[1]!r}…")


def main() -> None:
    texts = references(DISTINCT)
    peer = Reference.parse_normalized_named
    show(f"{DISTINCT:,} distinct references, no cache hit", *paired(parse, peer, texts), "µs")
    show("1,000 references, again and again", *paired(parse, peer, texts[:1000]), "µs")
    stream(references(LINES))
    beside_go()
    worst_megabytes()


if __name__ == "__main__":
    main()

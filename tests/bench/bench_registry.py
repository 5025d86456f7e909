"""What ``imgref ls`` of 2,500 tags costs in CPU time, as a multiple of importing what it needs. Run by hand:

    python tests/bench/bench_registry.py

starts a registry and a shell's worth of processes, and prints the ratio; it should be at most 2.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from e2e.images import link_tags, put_image
from e2e.servers import run_registry

ROUNDS = 15


def cpu(*command: str, environ: dict[str, str]) -> float:
    """Run a command and give the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure both in turn, so that whatever else the machine does weighs on both."""
    with tempfile.TemporaryDirectory() as directory, run_registry(Path(directory)) as registry:
        image = put_image(registry, "app", "latest")
        link_tags(registry, "app", image, [f"{n // 500}.{n // 20 % 25}.{n % 20}" for n in range(2499)])
        environ = {"PATH": os.environ["PATH"], "HOME": directory}
        listing, importing = [], []
        for _ in range(ROUNDS):
            ls = (str(Path(sys.executable).with_name("imgref")), "ls", f"{registry.host}/app")
            listing.append(cpu(*ls, environ=environ))
            importing.append(cpu(sys.executable, "-c", "import click, urllib3, semver", environ=environ))
    print(f"imgref ls of 2,500 tags: {median(listing) * 1000:.0f} ms of CPU time")
    print(f"import click, urllib3, semver: {median(importing) * 1000:.0f} ms")
    print(f"ratio: {median(listing) / median(importing):.2f}")


if __name__ == "__main__":
    main()

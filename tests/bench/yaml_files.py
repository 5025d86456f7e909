"""How much faster the YAML readers are than yamllint on 2,000 files: ``python tests/bench/yaml_files.py [DIRECTORY]``.

Without a directory the files are the tests' own fixtures, many times over. yamllint must be on PATH.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path, PurePosixPath

FIXTURES = Path(__file__).parents[1] / "data" / "yaml"
FILES = 2_000
READ = """
import sys
from imgref.sources.recognition import Places
from imgref.sources.yaml.reader import read_yaml
places = Places()
for name in sys.stdin.read().splitlines():
    with open(name, encoding="utf-8", errors="surrogateescape", newline="") as file:
        kind = places.of(name).kind
        read_yaml(file.read(), kind=kind and kind.name)
"""


def copies(directory: Path) -> list[str]:
    fixtures = [path for path in sorted(FIXTURES.rglob("*.y*ml")) if "broken" not in path.parts]
    names = []
    for number in range(FILES):
        source = fixtures[number % len(fixtures)]
        target = directory / str(number // len(fixtures)) / source.relative_to(FIXTURES)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        names.append(str(target))
    return names


def seconds(command: list[str], text: str = "") -> float:
    start = time.perf_counter()
    subprocess.run(command, input=text, text=True, stdout=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        if len(sys.argv) > 1:
            names = [
                str(path)
                for path in sorted(Path(sys.argv[1]).rglob("*"))
                if PurePosixPath(path).suffix in {".yml", ".yaml"}
            ][:FILES]
        else:
            names = copies(Path(directory))
        read = min(seconds([sys.executable, "-c", READ], "\n".join(names)) for _ in range(3))
        lint = seconds(["yamllint", "-f", "parsable", *names])
    print(f"{len(names)} files: readers {read:.2f} s, yamllint {lint:.2f} s, {lint / read:.1f} times as long")


if __name__ == "__main__":
    main()

"""Memory and time for large inputs: in proportion to their size."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from vectors import clean_environ

from imgref.sources.yaml import kubernetes
from imgref.sources.yaml.collector import Found
from imgref.sources.yaml.composer import compose

MEGABYTE = 1 << 20
SIZE = MEGABYTE // 3

SCRIPT = """
import re, sys
from imgref.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
with open("/proc/self/status") as file:
    print(re.search(r"VmHWM:\\s*(\\d+) kB", file.read())[1], file=sys.stderr)
"""
"""Runs a command and prints its peak memory; ``getrusage`` would count that of the tests' own process as well."""


def filled(begin: str, unit: str) -> str:
    return begin + unit * (SIZE // len(unit))


POD = "- apiVersion: v1\n  kind: Pod\n  metadata: {name: some-name}\n  spec:\n    containers:\n    - image: a:1.2\n"
CASES = {
    "many short instructions": ("Dockerfile", filled("FROM a:1\n", "RUN x\n"), 8),
    "one instruction of many lines": ("Dockerfile", filled("FROM a:1\nRUN x", "x \\\n"), 28),
    "one instruction of many lines below a comment": (
        "Dockerfile",
        filled("# imgref: ignore[IMG101] x\nFROM a:1\nRUN x", "x \\\n"),
        28,
    ),
    "one instruction of many words": ("Dockerfile", filled("FROM a:1\nENV", " A=b \\\n"), 24),
    "one setting of many lines": ("a.container", filled("[Container]\nImage=a:1\nExec=x", " \\\n x"), 10),
    "one long line": ("Dockerfile", filled("FROM a:1\nRUN ", "x"), 8),
    "empty lines": ("Dockerfile", filled("FROM a:1\n", "\n"), 18),
    "the same tag": ("tags.txt", filled("", "1.2.3\n"), 6),
    "different tags": ("tags.txt", "".join(f"1.{n % 1000}.{n}\n" for n in range(SIZE // 12)), 18),
    "names that are no versions": ("tags.txt", "".join(f"name-{n}\n" for n in range(SIZE // 12)), 15),
    "one YAML document": ("list.yaml", filled("apiVersion: v1\nkind: List\nitems:\n", POD), 45),
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak memory is read from /proc")
@pytest.mark.parametrize("case", CASES)
def test_command_takes_memory_in_proportion_to_its_input(case: str, tmp_path: Path) -> None:
    name, content, times = CASES[case]
    assert peak(tmp_path / name, content) - least(name) < times * len(content)


@cache
def least(name: str) -> int:
    """Return the memory that a command takes for a short file of this name."""
    content = next(content for other, content, _ in CASES.values() if other == name)
    with TemporaryDirectory() as directory:
        return peak(Path(directory, name), content[:1000])


def peak(path: Path, content: str) -> int:
    """Return the most memory, in bytes, that a command takes for a file."""
    path.write_text(content, encoding="utf-8")
    name = path.name
    arguments = ["tags", "1.2.3", "--existing", name] if name == "tags.txt" else ["check", name, "--exit-zero"]
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=path.parent,
        env=clean_environ(),
        capture_output=True,
        text=True,
        check=True,
    )
    return int(ran.stderr.splitlines()[-1]) * 1024


class _Counted(str):
    """A text that counts how often it is searched."""

    searched = 0

    def __contains__(self, word: object) -> bool:
        _Counted.searched += 1
        return isinstance(word, str) and self.find(word) >= 0


def test_kubernetes_manifests_search_their_file_once_however_many_they_are() -> None:
    text = "---\napiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'a:1'}]}\n" * 50
    found = Found(_Counted(text), lambda name: None)
    for document in compose(text).documents:
        kubernetes.read(document, found)
    assert len(found.occurrences()) == 50
    assert _Counted.searched <= 2

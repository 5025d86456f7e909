"""The diagram of docs/architecture.md, from the imports in the code: ``python tests/architecture.py --write``."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

from vectors import ROOT

PACKAGE = ROOT / "imgref"
PAGE = ROOT / "docs" / "architecture.md"
BLOCK = re.compile(r"(?<=```mermaid\n).*?(?=```\n)", re.DOTALL)
EVERYWHERE = {"errors"}
"""Parts that nearly everything imports, which would only fill the diagram with arrows."""


def parts() -> list[str]:
    """Return the names of the packages and public modules below ``imgref``."""
    found = (path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists())
    return sorted(name for name in found if not name.startswith("_"))


def arrows() -> list[tuple[str, str]]:
    """Return which part imports which; what private modules import counts for those that use them."""
    direct = {name: set(_imported(name)) for name in _names()}

    def reached(name: str, seen: frozenset[str]) -> Iterator[str]:
        for target in direct[name]:
            if not target.startswith("_"):
                yield target
            elif target not in seen:
                yield from reached(target, seen | {target})

    shown = set(parts()) - EVERYWHERE
    return [
        (name, target) for name in sorted(shown) for target in sorted(set(reached(name, frozenset())) & shown - {name})
    ]


def shortest(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out arrows to what is also reached over another part."""
    graph = {name: {target for source, target in pairs if source == name} for name, _ in pairs}

    def below(name: str) -> set[str]:
        return set().union(*({target} | below(target) for target in graph.get(name, ())))

    return [
        (name, target) for name, target in pairs if not any(target in below(other) for other in graph[name] - {target})
    ]


def diagram() -> str:
    """Return the diagram in Mermaid's language."""
    lines = [f"    {name} --> {target}" for name, target in shortest(arrows())]
    return "\n".join(["flowchart TD", *lines, ""])


def _names() -> list[str]:
    return [path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]


def _imported(name: str) -> Iterator[str]:
    path = PACKAGE / name
    names = set(_names())
    for file in path.rglob("*.py") if path.is_dir() else (path.with_suffix(".py"),):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            modules = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [f"{node.module}.{alias.name}" for alias in node.names]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for module in modules:
                first, _, rest = module.partition(".")
                if first == "imgref" and rest.partition(".")[0] in names - {name}:
                    yield rest.partition(".")[0]


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(BLOCK.sub(lambda _: diagram(), PAGE.read_text(encoding="utf-8"), count=1), encoding="utf-8")
    else:
        print(diagram(), end="")

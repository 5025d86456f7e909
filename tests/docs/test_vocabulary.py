"""Help, errors and documentation use the field's words, and no others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from syntax import nodes, tree
from tables import each

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
AVOIDED = {
    r"cannot stand|stands? (?:for|at|in|before|after|behind|on)\b": "is at, refers to, is not allowed in",
    r"(?<!there )\bis no (?:valid |image |golden |platform|reference|rule|size|stage|regular|pattern)": "is not a",
    r"\bwants? (?:credentials|a password)": "requires authentication",
    r"declared? insecure|declare the registry": "configured as insecure",
    r"\bheld back\b": "held",
    r"\bis heard\b|\bnot heard\b": "is ignored",
    r"nothing left|left to give": "no tags to publish",
    r"\bmend(?:s|ed)?\b": "fix",
    r"\bengine'?s? settings\b": "Docker or containers configuration",
    r"\bcannot be told\b|\bis told\b|\bare told\b": "cannot be resolved, is reported",
    r"\bfloats\b": "floating tags",
    r"\bmade anew\b|\bbegun anew\b|\bagain and again\b": "recreated, repeatedly",
    r"\blet pass\b": "passes",
    r"\bjudge[sd]\b": "check",
}

ANY_AVOIDED = re.compile("|".join(AVOIDED), re.IGNORECASE)


def strings(module: ast.Module) -> Iterator[ast.Constant]:
    """Yield the strings of a module that are not docstrings."""
    lone = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    names = {
        id(item)
        for node in ast.walk(module)
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == "__all__" for to in node.targets)
        for item in ast.walk(node.value)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in lone | names:
            yield node


def avoided(where: str, text: str) -> Iterator[str]:
    if not ANY_AVOIDED.search(text):
        return
    for pattern, instead in AVOIDED.items():
        for found in re.finditer(pattern, text, re.IGNORECASE):
            yield f"{where}: {found[0]!r}; write: {instead}"


def test_strings_of_the_code_avoid_odd_words() -> None:
    found: list[str] = []
    for path in sorted((ROOT / "imgref").rglob("*.py")):
        for node in strings(tree(path)):
            found += avoided(f"{path.relative_to(ROOT)}:{node.lineno}", str(node.value))
    assert found == []


def test_help_avoids_odd_words() -> None:
    found: list[str] = []
    for path in sorted((ROOT / "imgref" / "cli").glob("*.py")):
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef) and node.name == "command":
                found += avoided(f"{path.name}:{node.lineno}", ast.get_docstring(node) or "")
    assert found == []


@each("path", PAGES, ids=lambda path: path.name)
def test_pages_avoid_odd_words(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [problem for number, line in enumerate(lines, 1) for problem in avoided(f"{path.name}:{number}", line)] == []


def test_avoided_words_are_found() -> None:
    assert list(avoided("x", "'a' is no reference; a space is not allowed in a tag"))
    assert not list(avoided("x", "there is no tag; the registry holds it"))

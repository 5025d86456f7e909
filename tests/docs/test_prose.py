"""Docstrings and comments use the field's words: those that messages and pages avoid, and a few more."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from docs.test_vocabulary import AVOIDED
from syntax import nodes

ROOT = Path(__file__).parents[2]
IN_CODE = AVOIDED | {
    r"\bsays?\b(?!`)|\bsaid\b": "has, reports, means",
    r"\btold\b|\btells\b": "reported, known, passed",
    r"\bhears?\b|\bheard\b": "receives, is called with",
    r"\bstands?\b": "is at, means",
    r"\bgives\b(?! up)": "returns, yields",
    r"\bnobody\b|\bwhoever\b": "a concrete subject",
    r"\bjudg\w+": "check",
    r"\banew\b": "again",
    r"(?<!there )\b(?:is|are) no (?!longer|more)": "is not a",
    r"\bno such\b": "does not exist",
    r"\bput in\b": "substitute, add",
}
"""What not to write, and what to write instead."""

ANY = re.compile("|".join(IN_CODE), re.IGNORECASE)
FIRST_WORDS = re.compile(r"(?:Give|Tell|Say|Hear|Hold|Hand)s?\b")


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of docstrings and comments with their numbers, without the examples."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                if not lines[number - 1].lstrip().startswith((">>>", "...")):
                    yield number, lines[number - 1]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def odd_words(line: str) -> list[str]:
    """Return the words of a line that should not be there, each with what to write instead."""
    if not ANY.search(line):
        return []
    return [
        f"{found[0]!r}; write: {instead}"
        for pattern, instead in IN_CODE.items()
        for found in re.finditer(pattern, line, re.IGNORECASE)
    ]


def test_docstrings_and_comments_avoid_odd_words() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {word}"
        for path in sorted((ROOT / "imgref").rglob("*.py"))
        for number, line in prose(path.read_text(encoding="utf-8"))
        for word in odd_words(line)
    ]
    assert found == []


def test_docstrings_begin_with_a_plain_word() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {docstring}"
        for path in sorted((ROOT / "imgref").rglob("*.py"))
        for node in nodes(path)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and FIRST_WORDS.match(docstring := ast.get_docstring(node) or "")
    ]
    assert found == []


def test_odd_words_of_prose_are_found() -> None:
    assert odd_words("what the file says") == ["'says'; write: has, reports, means"]
    assert odd_words("a thread gives up; this is no longer true") == []
    assert [line for _, line in prose('"""A.\n\n>>> b\n"""\nc = 1  # d\n')] == ['"""A.', "", '"""', "# d"]
    assert FIRST_WORDS.match("Give the tag.")

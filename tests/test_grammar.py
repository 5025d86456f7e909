"""The EBNF in the docstring of the grammar is not decoration: it is translated here, and must be the pattern."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each
from vectors import rows

from imgref import _grammar

TERMINALS = {
    "alnum": "[A-Za-z0-9]",
    "low": "[a-z0-9]",
    "hex": "[0-9A-Fa-f]",
    "decimal": "[0-9]",
    "word": "[A-Za-z0-9_]",
    "rest": "[A-Za-z0-9_.-]{1,127}",
    "hex64": "[0-9a-f]{64}",
    "hex96": "[0-9a-f]{96}",
    "hex128": "[0-9a-f]{128}",
}


def written_grammar() -> dict[str, str]:
    """Return the right side of every rule that the docstring writes."""
    lines = re.findall(r"^ {4}(\w+) += (.+)$", _grammar.__doc__ or "", re.MULTILINE)
    return dict(lines)


def translated(rule: str, grammar: dict[str, str]) -> str:
    """Return the regular expression of a rule."""
    brackets = {"[": "(?:", "]": ")?", "{": "(?:", "}": ")*", "(": "(?:", ")": ")", "|": "|"}
    pieces = []
    for token in re.findall(r'"[^"]*"|[\[\]{}()|]|\w+', grammar[rule]):
        if token in brackets:
            pieces.append(brackets[token])
        elif token.startswith('"'):
            pieces.append(re.escape(token[1:-1]))
        else:
            pieces.append(TERMINALS.get(token) or translated(token, grammar))
    return f"(?:{''.join(pieces)})"


WRITTEN = written_grammar()
REFERENCE = re.compile(translated("reference", WRITTEN), re.ASCII)


def admitted_by_docstring(text: str) -> bool:
    """Read a text by the EBNF and the one rule beside it, that a first component which looks like a registry is one."""
    if re.match(r"localhost/|[^/]*[.:A-Z][^/]*/", text):
        registry, _, rest = text.partition("/")
        without = {**WRITTEN, "reference": WRITTEN["reference"].removeprefix('[ registry "/" ] ')}
        return bool(
            re.fullmatch(translated("registry", WRITTEN), registry, re.ASCII)
            and re.fullmatch(translated("reference", without), rest, re.ASCII)
        )
    return REFERENCE.fullmatch(text) is not None


PIECES = st.sampled_from(
    [
        "a",
        "B",
        "0",
        ".",
        "-",
        "_",
        "__",
        "/",
        ":",
        "@",
        "foo",
        "localhost",
        "[::1]",
        "ghcr.io",
        "sha256:" + "0" * 64,
        "é",
        "\n",
    ]
)


def test_every_rule_of_the_docstring_is_there() -> None:
    assert set(WRITTEN) == {
        "reference", "registry", "host", "label", "address", "port", "path", "component", "separator", "tag", "digest",
    }  # fmt: skip


@each("fact", rows("references.jsonl"), ids=lambda fact: ascii(fact["input"])[:60])
def test_docstring_and_pattern_agree_on_the_measured_facts(fact: dict[str, str]) -> None:
    assert admitted_by_docstring(fact["input"]) == (_grammar.REFERENCE.fullmatch(fact["input"]) is not None)


@given(st.lists(PIECES, max_size=9).map("".join))
def test_docstring_and_pattern_agree(text: str) -> None:
    assert admitted_by_docstring(text) == (_grammar.REFERENCE.fullmatch(text) is not None)


@pytest.mark.parametrize("rule", ["registry", "host", "label", "address", "path", "component", "tag", "digest"])
@given(text=st.lists(PIECES, max_size=6).map("".join))
def test_each_named_part_is_its_rule(rule: str, text: str) -> None:
    pattern = getattr(_grammar, rule.upper())
    if rule == "address":
        text = f"[{text}]"
        assert _grammar.is_a(pattern, text) == bool(re.fullmatch(rf"\[{translated(rule, WRITTEN)}\]", text, re.ASCII))
    else:
        assert _grammar.is_a(pattern, text) == bool(re.fullmatch(translated(rule, WRITTEN), text, re.ASCII))


@each(
    "text",
    [
        "a--b", "a_b", "a__b", "a-----b.c", "a1/b2_c3", "a-B.c/x", "A-b.C-d:1/x", "a.b-9Z:65535/x", "x:_a.B-9",
        "x:" + "a" * 128, *(f"x@{name}:{'0' * length}" for name, length in (("sha384", 96), ("sha512", 128))),
    ],
)  # fmt: skip
def test_reference_of_every_form_matches(text: str) -> None:
    assert _grammar.REFERENCE.fullmatch(text)


@each(
    "text",
    [
        "a___b", "a..b", "a_.b", "a-", "-a", "_a", "a.b-/x", "a.-b/x", "a_b.c/x", "x:-a", "x:.a", "x:" + "a" * 129,
        *(f"x@{name}:{'0' * length}" for name, length in (("sha384", 95), ("sha384", 97), ("sha512", 127))),
        "x@sha256:" + "A" * 64,
    ],
)  # fmt: skip
def test_reference_of_a_wrong_form_does_not_match(text: str) -> None:
    assert not _grammar.REFERENCE.fullmatch(text)

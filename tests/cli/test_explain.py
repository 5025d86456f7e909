from __future__ import annotations

import re

import pytest
from check_trees import run

from imgref.check.rules import RULES
from imgref.check.rules.pages import all_pages, page

Capsys = pytest.CaptureFixture[str]


@pytest.mark.parametrize("word", ["IMG301", "img301", "not-golden"])
def test_a_rule(capsys: Capsys, word: str) -> None:
    assert run(capsys, "explain", word) == (0, page(RULES["IMG301"]), "")


def test_all_rules(capsys: Capsys) -> None:
    assert run(capsys, "explain", "--all") == (0, all_pages(), "")


def test_a_list(capsys: Capsys) -> None:
    outcome = run(capsys, "explain")
    assert outcome.out.startswith("IMG101 implicit-latest: neither tag nor digest\n")
    assert outcome.out.count("\n") == len(RULES)


@pytest.mark.parametrize(
    ("word", "meant"), [("IMG310", "IMG301"), ("latest", "latest-tag"), ("img999", "IMG90"), ("golden", "not-golden")]
)
def test_a_rule_that_there_is_not(capsys: Capsys, word: str, meant: str) -> None:
    outcome = run(capsys, "explain", word)
    assert (outcome.code, outcome.out) == (2, "")
    assert f"no rule is called {word!r}; did you mean '{meant}" in outcome.err


def test_all_and_one(capsys: Capsys) -> None:
    assert run(capsys, "explain", "--all", "IMG101").code == 2


def test_explain_of_a_prefix_lists_its_rules(capsys: Capsys) -> None:
    outcome = run(capsys, "explain", "IMG1")
    assert [line.split(" ")[0] for line in outcome.out.splitlines()] == [
        code for code in RULES if code.startswith("IMG1")
    ]
    assert run(capsys, "explain", "img10").out == outcome.out
    assert run(capsys, "explain", "IMG") == run(capsys, "explain")


def test_explain_of_a_prefix_of_one_rule_prints_its_page(capsys: Capsys) -> None:
    assert run(capsys, "explain", "IMG4").out == page(RULES["IMG401"])


def test_explain_of_several_prints_nothing_if_one_does_not_exist(capsys: Capsys) -> None:
    assert run(capsys, "explain", "IMG101", "IMG8")[:2] == (2, "")
    both = run(capsys, "explain", "IMG101", "IMG301").out
    assert both == page(RULES["IMG101"]) + "\n" + page(RULES["IMG301"])


@pytest.mark.parametrize("word", ["foo", "zzzzz", "i", ""])
def test_explain_of_what_is_like_no_rule_suggests_none(capsys: Capsys, word: str) -> None:
    outcome = run(capsys, "explain", word)
    assert (outcome.code, outcome.out) == (2, "")
    assert "did you mean" not in outcome.err
    assert "imgref explain lists all rules" in outcome.err


@pytest.mark.parametrize("columns", ["20", "40", "80", "200"])
def test_explain_on_a_terminal_draws_the_page_with_whole_words(
    capsys: Capsys, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("NO_COLOR", "1")
    for rule in RULES.values():
        out = run(capsys, "explain", rule.code).out
        assert out.startswith(f"{rule.code} {rule.name}\n")
        assert "##" not in out
        assert "```" not in out
        plain = re.sub("```[a-z]+", "", page(rule)).replace("`", "").replace("#", "")
        assert out.replace("#", "").split() == plain.split()
        prose = [line for line in out.splitlines() if " " in line and not line.startswith("    ")]
        assert all(len(line) <= int(columns) or len(max(line.split(), key=len)) > 8 for line in prose)


def test_explain_in_colour_colours_headings_and_code(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    out = run(capsys, "explain", "IMG101").out
    assert "\x1b[33m\x1b[1mIMG101 implicit-latest\x1b[0m\n" in out
    assert "\x1b[36m\x1b[1mlatest\x1b[0m" in out

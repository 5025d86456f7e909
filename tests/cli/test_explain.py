from __future__ import annotations

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

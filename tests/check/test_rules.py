from __future__ import annotations

from pathlib import Path

import pytest
from check_trees import run, write_tree
from tables import each

from imgref.check.rules import RULES, Example, Rule
from imgref.check.rules.pages import all_pages, page
from imgref.check.rules.tags import is_exact

DOCS = Path(__file__).parents[2] / "docs"


def codes(example: Example, tmp_path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    settings = {".imgref.toml": example.settings} if example.settings else {}
    write_tree(tmp_path, {example.file: example.text, **settings})
    return run(capsys, "check", "--format", "concise", *options, ".").codes()


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.online is None], ids=lambda rule: rule.code)
def test_examples_of_each_page_have_its_findings(
    rule: Rule, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert rule.code in codes(rule.page.bad, tmp_path, capsys)
    assert codes(rule.page.good, tmp_path, capsys) == []


def test_the_page_of_the_documentation_is_what_the_command_prints() -> None:
    assert (DOCS / "rules.md").read_text(encoding="utf-8") == all_pages(), "run: imgref explain --all > docs/rules.md"


def test_a_page_has_all_its_parts() -> None:
    headings = [line for line in page(RULES["IMG301"]).splitlines() if line.startswith("#")]
    assert headings == [
        "## IMG301 not-golden",
        "### What it does",
        "### Why this is bad",
        "### Example",
        "### How to fix",
        "### Settings",
    ]


def test_codes_and_names_are_unique() -> None:
    assert list(RULES) == sorted(RULES)
    assert len({rule.name for rule in RULES.values()}) == len(RULES)


@each(
    "tag",
    [
        "1.2.3",
        "v1.2.3",
        "1.2.3-rc.1",
        "8.0.9-apache",
        "1.2.3.4",
        "php8.0.9",
        "alpine-3.19.1",
        "alpine_3.19.1",
        "alpine.v3.19.1_r2",
        "20240131",
        "jammy-20240111",
        "2024-01-31",
        "RELEASE.2024-01-31T16-07-38Z",
        "bookworm-20240110-slim",
        "sha-1a2b3c4",
        "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d",
        "1_2_3",
    ],
)
def test_exact_tags(tag: str) -> None:
    assert is_exact(tag)


@each(
    "tag",
    [
        "1",
        "1.2",
        "v1",
        "v1.2",
        "22.04",
        "3.19-alpine",
        "stable",
        "edge",
        "latest",
        "main",
        "nightly",
        "lts-alpine",
        "2024",
        "2024-01",
        "8-jdk-slim",
        "2024-13-45",
        "deadbeef",
        "x" * 128,
        "1." + "1" * 126,
    ],
)
def test_floating_tags(tag: str) -> None:
    assert not is_exact(tag)


def test_enforced_rules_are_those_that_a_tree_must_not_switch_off() -> None:
    assert [code for code, rule in RULES.items() if rule.enforced] == ["IMG501", "IMG503", "IMG901"]

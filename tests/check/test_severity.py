from __future__ import annotations

from pathlib import Path

import pytest
from check_trees import run, write_tree

from imgref.check import load_policy
from imgref.check.rules import RULES
from imgref.check.severity import severity_of

Capsys = pytest.CaptureFixture[str]

SETTINGS = """\
[check]
golden = ["docker.io/library/nginx"]
[check.severity]
IMG1 = "warning"
IMG101 = "error"
IMG102 = "off"
IMG104 = "warning"
IMG301 = "warning"
"""


@pytest.fixture(autouse=True)
def _tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {".imgref.toml": SETTINGS, "Dockerfile": "FROM redis AS a\nFROM mysql:latest\n"})
    monkeypatch.chdir(tmp_path)


def test_severity_of_each_rule_follows_the_policy_in_every_format(capsys: Capsys) -> None:
    expected = [("IMG101", "error"), ("IMG104", "warning"), ("IMG104", "warning"), ("IMG301", "warning")]
    data = run(capsys, "check", "--format", "json").data
    assert [(found["code"], found["severity"]) for found in data] == expected
    sarif = run(capsys, "check", "--format", "sarif").data["runs"][0]["results"]
    assert [(found["ruleId"], found["level"]) for found in sarif] == expected
    gitlab = run(capsys, "check", "--format", "gitlab").data
    words = {"error": "major", "warning": "minor"}
    assert [(found["check_name"], found["severity"]) for found in gitlab] == [
        (code, words[severity]) for code, severity in expected
    ]
    github = run(capsys, "check", "--format", "github").out.splitlines()
    assert [line.split(" ")[0] for line in github] == [f"::{severity}" for _, severity in expected]


def test_severity_of_a_whole_code_turns_the_rule_on_and_that_of_a_prefix_does_not(tmp_path: Path) -> None:
    enabled = load_policy(tmp_path).enabled
    assert "IMG104" in enabled
    assert "IMG102" not in enabled
    assert "IMG103" not in enabled
    assert "IMG102" in load_policy(tmp_path, select=("IMG102",)).enabled


@pytest.mark.parametrize(
    ("file", "options", "code"),
    [
        ("FROM redis\n", [], 1),
        ("FROM redis\n", ["--fail-on", "error"], 1),
        ("FROM redis:7\n", [], 1),
        ("FROM redis:7\n", ["--fail-on", "warning"], 1),
        ("FROM redis:7\n", ["--fail-on", "error"], 0),
    ],
)
def test_fail_on_decides_which_findings_fail_the_check(
    tmp_path: Path, capsys: Capsys, file: str, options: list[str], code: int
) -> None:
    write_tree(tmp_path, {"Dockerfile": file})
    outcome = run(capsys, "check", *options)
    assert outcome.code == code
    assert "IMG104" in outcome.codes()


def test_fail_on_error_counts_the_errors(tmp_path: Path, capsys: Capsys) -> None:
    assert run(capsys, "check", "--fail-on", "error").err == "4 findings in 1 file (1 file, 2 references, 1 error)\n"
    write_tree(tmp_path, {"Dockerfile": b"\0"})
    assert run(capsys, "check", "--fail-on", "error").code == 1


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('IMG7 = "error"', "error: .imgref.toml:2: no rule's code begins with 'IMG7'"),
        (
            'IMG101 = "eror"',
            "the severity of 'IMG101' must be 'error', 'warning' or 'off', not 'eror'; did you mean 'error'?",
        ),
        ("IMG101 = true", "the severity of 'IMG101' must be 'error', 'warning' or 'off', not True"),
    ],
)
def test_severity_that_is_not_valid_is_an_error(tmp_path: Path, capsys: Capsys, table: str, message: str) -> None:
    write_tree(tmp_path, {".imgref.toml": f"[check]\nseverity = {{ {table} }}\n"})
    outcome = run(capsys, "check")
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


def test_enforce_cannot_be_weakened_by_severities_or_baselines_of_the_tree(tmp_path: Path, capsys: Capsys) -> None:
    (tmp_path / "policy").mkdir()
    write_tree(
        tmp_path, {"policy/policy.toml": '[check]\nbaseline = "known.json"\n', "tree/Dockerfile": "FROM redis\n"}
    )
    write_tree(tmp_path, {"tree/.imgref.toml": '[check]\nbaseline = "known.json"\nseverity = { ALL = "off" }\n'})
    for place in ("policy", "tree"):
        known = tmp_path / place / "known.json"
        assert run(capsys, "check", "--select", "IMG101", "--write-baseline", str(known), "tree").code == 0
    assert run(capsys, "check", "--select", "ALL", "tree", "--ignore", "IMG104,IMG203").code == 0
    enforced = run(capsys, "check", "--enforce", "policy/policy.toml", "tree")
    assert (enforced.code, enforced.codes()) == (1, ["IMG101"])
    refused = run(capsys, "check", "--enforce", "policy/policy.toml", "--fail-on", "error")
    assert refused.code == 2
    assert "--fail-on cannot be combined with --enforce" in refused.err


def test_severity_of_a_finding_without_one_is_that_of_its_rule() -> None:
    from imgref.check.finding import Finding

    for rule in RULES.values():
        assert severity_of(Finding("a", 1, 1, 2, rule.code, "x")) == rule.level

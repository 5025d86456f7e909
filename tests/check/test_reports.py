from __future__ import annotations

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest

from imgref.check.finding import Finding
from imgref.check.reports import FORMATS, report
from imgref.check.reports.text import Drawing, full
from imgref.check.rules import RULES
from imgref.cli._console import underlined

SCHEMA = json.loads((Path(__file__).parents[1] / "data" / "sarif-2.1.0-parts.json").read_text(encoding="utf-8"))

FINDINGS = [
    Finding("a/Dockerfile", 2, 6, 11, "IMG101", "'nginx' has no tag", "write nginx:<version>", "nginx"),
    Finding("a/Dockerfile", 9, 6, 11, "IMG101", "'nginx' has no tag", "write nginx:<version>", "nginx"),
    Finding("b c/50%,x:y.yaml", 1, 1, 2, "IMG901", "it is\nno YAML: 100%", None, None),
    Finding(os.fsdecode(b"\xff.Dockerfile"), 1, 1, 2, "IMG901", "\udcff", None, None),
]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_something_to_say_of_nothing(name: str) -> None:
    text = report(name)([])
    assert text == "" or json.loads(text) is not None


def test_concise() -> None:
    assert report("concise")(FINDINGS) == (
        "a/Dockerfile:2:6: IMG101 'nginx' has no tag\n"
        "a/Dockerfile:9:6: IMG101 'nginx' has no tag\n"
        "b c/50%,x:y.yaml:1:1: IMG901 it is\\nno YAML: 100%\n"
        "\\xff.Dockerfile:1:1: IMG901 \\xff\n"
    )


def test_json() -> None:
    first, *_ = json.loads(report("json")(FINDINGS))
    assert first == {
        "path": "a/Dockerfile",
        "line": 2,
        "column": 6,
        "end_column": 11,
        "code": "IMG101",
        "name": "implicit-latest",
        "message": "'nginx' has no tag",
        "hint": "write nginx:<version>",
        "text": "nginx",
    }


def test_github() -> None:
    first, _, third, _ = report("github")(FINDINGS).splitlines()
    assert first == (
        "::warning file=a/Dockerfile,line=2,col=6,endColumn=10,title=IMG101 implicit-latest::"
        "'nginx' has no tag%0Awrite nginx:<version>"
    )
    assert third == (
        "::error file=b c/50%25%2Cx%3Ay.yaml,line=1,col=1,endColumn=1,title=IMG901 unreadable::it is%0Ano YAML: 100%25"
    )


def test_gitlab() -> None:
    issues = json.loads(report("gitlab")(FINDINGS))
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
    assert issues[0]["location"] == {"path": "a/Dockerfile", "lines": {"begin": 2}}
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


def test_a_finding_that_moves_keeps_its_fingerprint() -> None:
    moved = [Finding("a/Dockerfile", 7, 1, 6, "IMG101", "said otherwise", None, "nginx")]
    (before, *_), (after,) = (json.loads(report("gitlab")(findings)) for findings in (FINDINGS, moved))
    assert before["fingerprint"] == after["fingerprint"]


def test_sarif_is_valid() -> None:
    log = json.loads(report("sarif")(FINDINGS))
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.Draft7Validator(SCHEMA).validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULES)
    assert all(rule["help"]["text"] and rule["help"]["markdown"] for rule in rules)
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    physical = run["results"][0]["locations"][0]["physicalLocation"]
    assert physical["region"] == {"startLine": 2, "startColumn": 6, "endLine": 2, "endColumn": 11}


def test_the_schema_of_the_tests_refuses_what_is_no_sarif() -> None:
    log = json.loads(report("sarif")(FINDINGS))
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(log, SCHEMA)


def test_sarif_locations_are_relative_uris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    outside = Finding(f"{tmp_path}/there/Dockerfile", 1, 1, 2, "IMG901", "x")
    log = json.loads(report("sarif")([*FINDINGS, outside]))
    locations = [result["locations"][0]["physicalLocation"]["artifactLocation"] for result in log["runs"][0]["results"]]
    uris = [location["uri"] for location in locations]
    assert uris[1:] == ["a/Dockerfile", "b%20c/50%25,x%3Ay.yaml", "%FF.Dockerfile", "../there/Dockerfile"]
    assert not any(re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|/", uri) for uri in uris)


def drawing(columns: int | None) -> Drawing:
    return Drawing(columns, lambda text, colour: text, lambda text, span: underlined(text, span, columns or 120))


LINES = {2: "\tFROM nginx\t# \x1b[31m"}


def test_full() -> None:
    assert full(FINDINGS[:1], LINES, drawing(None)) == (
        "a/Dockerfile:2:6: IMG101 'nginx' has no tag\n"
        "  FROM nginx # \\x1b[31m\n"
        "      ^^^^^\n"
        "help: write nginx:<version>\n"
        "\n"
    )


def test_full_without_a_line_or_a_hint() -> None:
    assert full(FINDINGS[2:3], {}, drawing(80)) == "b c/50%,x:y.yaml:1:1: IMG901 it is\\nno YAML: 100%\n\n"


def test_full_on_a_narrow_terminal() -> None:
    long = Finding("Dockerfile", 2, 6, 11, "IMG101", "a message of rather many words, as some are", "x " * 30)
    text = full([long], {2: "RUN  nginx " + "x" * 200}, drawing(40))
    assert max(map(len, text.splitlines())) <= 40
    assert "\n    " in text


def test_full_in_colour_colours_the_code_and_not_the_path() -> None:
    found = Finding("IMG101/Dockerfile", 1, 1, 2, "IMG101", "x")
    coloured = Drawing(None, lambda text, colour: f"<{text}>", lambda text, span: underlined(text, span, 80))
    assert full([found], {}, coloured) == "IMG101/Dockerfile:1:1: <IMG101> x\n\n"


@pytest.mark.parametrize("name", ["concise", "json", "github", "gitlab", "sarif"])
def test_report_of_a_finding_with_credentials_has_none(name: str) -> None:
    text = "u:S3cr3t@host/app"
    finding = Finding("a", 1, 1, 2, "IMG101", f"{text} is wrong", f"not https://{text}", text)
    assert finding.text == "***@host/app"
    assert "S3cr3t" not in report(name)([finding]) + repr(finding)

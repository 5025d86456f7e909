from __future__ import annotations

import dataclasses
import json
import os
import re
from pathlib import Path

import jsonschema
import pytest

from imgref.check.finding import Finding
from imgref.check.reports import FORMATS, report
from imgref.check.reports.grouped import grouped
from imgref.check.reports.text import Drawing, Repeated, full, full_end
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
def test_every_format_has_a_report_without_findings(name: str) -> None:
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
        "severity": "warning",
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


def test_schema_of_the_tests_refuses_invalid_sarif() -> None:
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


def test_full_prints_a_line_once_with_all_its_findings() -> None:
    line = {1: "FROM a:latest AS b:1"}
    found = [
        Finding("f", 1, 6, 14, "IMG102", "moves", "say which", "a:latest"),
        Finding("f", 1, 6, 14, "IMG203", "no registry", "say which", "a:latest"),
        Finding("f", 1, 18, 21, "IMG105", "no name", "write b", "b:1"),
    ]
    assert full(found, line, drawing(None)) == (
        "f:1:6: IMG102 moves\n"
        "f:1:6: IMG203 no registry\n"
        "f:1:18: IMG105 no name\n"
        "  FROM a:latest AS b:1\n"
        "       ^^^^^^^^\n"
        "                   ^^^\n"
        "help: say which\n"
        "help: write b\n"
        "\n"
    )


def test_full_prints_a_repeated_finding_once() -> None:
    repeated = Repeated()
    texts = []
    for number in range(8):
        found = [Finding(f"{number}/Dockerfile", 1, 6, 7, "IMG101", "no tag", "write it", "a")]
        texts.append(full(found, {1: "FROM a"}, drawing(None), repeated))
    other = [
        Finding("8/Dockerfile", 1, 6, 7, "IMG104", "no digest"),
        Finding("8/Dockerfile", 2, 6, 7, "IMG101", "no tag"),
    ]
    texts.append(full(other, {}, drawing(None), repeated))
    assert texts[0].startswith("0/Dockerfile:1:6: IMG101 no tag\n  FROM a\n")
    assert texts[1:8] == [""] * 7
    assert texts[8] == "8/Dockerfile:1:6: IMG104 no digest\n\n"
    assert full_end(repeated, drawing(None)) == (
        "IMG101 no tag\n"
        "  the same at 8 places:\n"
        "    1/Dockerfile:1:6\n"
        "    2/Dockerfile:1:6\n"
        "    3/Dockerfile:1:6\n"
        "    4/Dockerfile:1:6\n"
        "    5/Dockerfile:1:6\n"
        "    and 3 more; --format concise lists all\n"
        "\n"
        "More about this rule: imgref explain IMG101\n"
    )


def test_full_end_of_no_findings_is_empty() -> None:
    assert full_end(Repeated(), drawing(None)) == ""


@pytest.mark.parametrize("by", ["image", "rule", "file"])
def test_grouped_has_every_location_once(by: str) -> None:
    found = [
        Finding("b", 2, 6, 11, "IMG101", "'nginx' has no tag", "write one", "nginx"),
        Finding("b", 3, 6, 20, "IMG101", "'docker.io/nginx' has no tag", None, "docker.io/nginx"),
        Finding("a", 4, 6, 20, "IMG102", "'redis:latest' moves", None, "redis:latest"),
        Finding("a", 5, 1, 20, "IMG901", "not YAML"),
        Finding("a", 6, 1, 20, "IMG105", "'A' is not valid", None, "A"),
    ]
    lines = grouped(found, by).splitlines()
    places = [line.strip() for line in lines if line.startswith("    ") and "help" not in line]
    assert sorted(places) == sorted(f"{one.path}:{one.line}:{one.column}" for one in found)
    heads = [line for line in lines if line and not line.startswith(" ")]
    assert (
        heads
        == {
            "image": [
                "docker.io/library/nginx: 2 findings",
                "(no image): 1 finding",
                "A: 1 finding",
                "docker.io/library/redis:latest: 1 finding",
            ],
            "rule": [
                "IMG101 implicit-latest: 2 findings",
                "IMG102 latest-tag: 1 finding",
                "IMG105 invalid-reference: 1 finding",
                "IMG901 unreadable: 1 finding",
            ],
            "file": ["a: 3 findings", "b: 2 findings"],
        }[by]
    )


@pytest.mark.parametrize("name", ["concise", "json", "github", "gitlab", "sarif"])
def test_report_of_a_finding_with_credentials_has_none(name: str) -> None:
    text = "u:S3cr3t@host/app"
    finding = Finding("a", 1, 1, 2, "IMG101", f"{text} is wrong", f"not https://{text}", text)
    assert finding.text == "***@host/app"
    assert "S3cr3t" not in report(name)([finding]) + repr(finding)


def test_sarif_links_the_documentation_of_the_project_and_each_rule() -> None:
    driver = json.loads(report("sarif")(FINDINGS))["runs"][0]["tool"]["driver"]
    assert re.fullmatch(r"https://\S+/imgref", driver["informationUri"])
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    for rule in driver["rules"]:
        site, _, anchor = rule["helpUri"].partition("#")
        assert site.endswith("/docs/rules.md")
        assert f"](#{anchor})" in page


def test_sarif_fingerprints_stay_when_lines_move() -> None:
    moved = [dataclasses.replace(finding, line=finding.line + 7, column=1, end_column=6) for finding in FINDINGS]
    before, after = (json.loads(report("sarif")(findings))["runs"][0]["results"] for findings in (FINDINGS, moved))
    marks = [result["partialFingerprints"]["imgref/v1"] for result in before]
    assert marks == [result["partialFingerprints"]["imgref/v1"] for result in after]
    assert len(set(marks)) == len(FINDINGS)


def test_concise_lines_are_what_an_error_format_of_reviewdog_reads() -> None:
    for line in report("concise")(FINDINGS).splitlines():
        assert re.fullmatch(r"[^:]+(?:,[^:]+:[^:]+)?:\d+:\d+: IMG\d+ .+", line)

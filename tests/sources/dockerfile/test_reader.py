"""Dockerfiles: each row of the table is a file, and what is found in it, at which place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tables import each
from vectors import ROOT

from imgref.errors import InvalidReference
from imgref.reference import parse
from imgref.sources.dockerfile.reader import read_dockerfile

if TYPE_CHECKING:
    from imgref.sources.occurrence import Occurrence, Problem

TABLE = ROOT / "tests" / "data" / "dockerfiles.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in TABLE.read_text(encoding="utf-8").splitlines()]


def _ref(one: Occurrence) -> str:
    value = "" if one.resolved == one.text else f" = {one.resolved}"
    return f"{one.line}:{one.column} {one.construct} {one.role} {one.text}{value}{' *' if one.final else ''}"


def _hint(hint: str | None) -> str:
    return f" -> {hint}" if hint else ""


def _problem(one: Problem) -> str:
    assert one.code == "IMG901"
    return f"{one.line}:{one.column}-{one.end_column} {one.message}{_hint(one.hint)}"


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_the_table(row: dict[str, Any]) -> None:
    options = {name: row[name] for name in ("build_args", "platform") if name in row}
    reading = read_dockerfile(row["file"], **options)
    assert reading.kind == "dockerfile"
    assert [_ref(one) for one in reading.occurrences] == row["refs"]
    assert [_problem(one) for one in reading.problems] == row.get("problems", [])
    unresolved = [one for one in reading.occurrences if one.role == "unresolved"]
    assert [f"{one.line}: {one.reason}" for one in unresolved] == row.get("why", [])
    assert [f"{one.line}:{one.column} {one.text}" for one in reading.comments] == row.get("comments", [])
    assert not any(one.trailing for one in reading.comments)


def test_names_of_the_table_are_unique() -> None:
    assert len({row["name"] for row in ROWS}) == len(ROWS) > 50


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_positions_are_those_of_the_values(row: dict[str, Any]) -> None:
    lines = row["file"].split("\n")
    for one in read_dockerfile(row["file"]).occurrences:
        written = lines[one.line - 1][one.column - 1 :]
        assert written.startswith(one.text) or (written.endswith(("\\", "`")) and one.text.startswith(written[:-1]))


def test_invalid_reference_has_the_reason_of_the_parser() -> None:
    (one,) = read_dockerfile("FROM Acme/App:1\n").occurrences
    with pytest.raises(InvalidReference) as error:
        parse("Acme/App:1")
    assert (one.role, one.reason, one.hint) == ("invalid", error.value.reason, error.value.hint)


def test_a_stage_in_another_case_is_probably_meant() -> None:
    _, one = read_dockerfile("FROM a AS Builder\nFROM Builder\n").occurrences
    assert (one.role, one.hint) == ("invalid", "builder")
    assert "lower case" in str(one.reason)


def test_a_line_that_is_too_long_for_buildkit_costs_only_itself() -> None:
    reading = read_dockerfile(f"FROM a\nENV x={'y' * 65536}\nCOPY --from=b:1 c d\n")
    assert [one.text for one in reading.occurrences] == ["a", "b:1"]
    assert [(one.line, one.column) for one in reading.problems] == [(2, 1)]
    assert "65535 bytes" in reading.problems[0].message
    assert not read_dockerfile(f"FROM a\nENV x={'y' * 65529}\n").problems


def test_values_that_grow_exponentially_are_unresolved() -> None:
    doubling = "".join(f"ARG A{n + 1}=$A{n}$A{n}\n" for n in range(64))
    reading = read_dockerfile(f"ARG A0=x\n{doubling}FROM a:$A64\nFROM a:$A3\n")
    assert [one.resolved for one in reading.occurrences] == [None, "a:xxxxxxxx"]
    assert "4096" in str(reading.occurrences[0].reason)


def test_variables_nest_only_so_deep() -> None:
    reading = read_dockerfile(f"FROM {'${A:-' * 5000}x{'}' * 5000}\nFROM b\n")
    assert [one.text for one in reading.occurrences] == ["b"]
    assert "nest more than" in reading.problems[0].message


@each(
    ("platform", "expected"),
    [
        ("linux/amd64", "linux/amd64|amd64|"),
        ("linux/amd64/v3", "linux/amd64/v3|amd64|v3"),
        ("linux/arm64", "linux/arm64|arm64|"),
        ("linux/arm64/v8", "linux/arm64|arm64|"),
        ("Linux/aarch64", "linux/arm64|arm64|"),
        ("linux/x86_64", "linux/amd64|amd64|"),
        ("linux/arm", "linux/arm/v7|arm|v7"),
        ("linux/arm/6", "linux/arm/v6|arm|v6"),
        ("linux/armel", "linux/arm/v6|arm|v6"),
        ("s390x", "linux/s390x|s390x|"),
        ("windows/amd64", "windows/amd64|amd64|"),
    ],
)
def test_platforms(platform: str, expected: str) -> None:
    text = 'FROM "$TARGETPLATFORM|$TARGETARCH|$TARGETVARIANT"\nFROM "$BUILDPLATFORM|$BUILDARCH|$BUILDVARIANT"\n'
    assert [one.resolved for one in read_dockerfile(text, platform=platform).occurrences] == [expected, expected]

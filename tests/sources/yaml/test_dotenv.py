"""The ``.env`` file of Compose: its syntax, and what becomes of references whose variables it sets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref.sources import Reading, find_references
from imgref.sources.contract import Context
from imgref.sources.yaml.dotenv import DotenvError, parse_dotenv
from imgref.sources.yaml.reader import read_yaml


def values(text: str) -> dict[str, str | None]:
    return {name: value.text for name, value in parse_dotenv(text).items()}


@each(
    ("text", "expected"),
    [
        ("", {}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("  A = 1  \nB: 2", {"A": "1", "B": "2"}),
        ("# A=1\n\n  # x\nA=2 # current\nB=x#y", {"A": "2", "B": "x#y"}),
        ("A=\nB=2", {"A": "", "B": "2"}),
        ("A=# x", {"A": "# x"}),
        ("A= # either a comment or a value", {"A": None}),
        ("export A=1\nexport  B='2'\nexport=3", {"A": "1", "B": "2", "export": "3"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A='x # $B \\n' # comment\nB=1", {"A": "x # $B \\n", "B": "1"}),
        ("A='it\\'s'", {"A": "it's"}),
        ('A="a\\tb\\"c\\\\d\\101\\0101\\q" # comment', {"A": 'a\tb"c\\d\\101A\\q'}),
        ('A="two\nlines"\nB=1', {"A": "two\nlines", "B": "1"}),
        ("A=1\nB=$A\nC=${A}-x\nD=\"$A\"\nE='$A'", {"A": "1", "B": "1", "C": "1-x", "D": "1", "E": "$A"}),
        ("A=1\nB=$A\nA=2", {"A": "2", "B": "1"}),
        ('A=${B:-1}\nC=${A:+x}\nD=$$A\nE="\\$A"', {"A": "1", "C": "x", "D": "$A", "E": "$A"}),
        ("A=$OUTSIDE\nB=$A\nC=${A:-1}", {"A": None, "B": None, "C": None}),
        ("A=p$%w\nB=1", {"A": None, "B": "1"}),
        ("A=1\nA\nB\n", {"A": "1"}),
        ("B", {}),
    ],
)
def test_parse_dotenv_reads_as_compose_does(text: str, expected: dict[str, str | None]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A=1\nB='x\ny\n", "line 2: the closing quotation mark is missing"),
        ('A="x\\"', "line 1: the closing quotation mark is missing"),
        ("A=1\n\nsecret!\n", "line 3: not a valid variable name"),
        ("A B=1", "line 1: not a valid variable name"),
        ("{}", "line 1: not a valid variable name"),
    ],
)
def test_parse_dotenv_names_the_line_that_compose_rejects_and_repeats_nothing(text: str, message: str) -> None:
    with pytest.raises(DotenvError) as caught:
        parse_dotenv(text)
    assert str(caught.value) == message


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True).filter(lambda name: name != "export")
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_characters="\x7f"), max_size=20)
PIECES = st.sampled_from(
    ["A", "B", "=", ":", "\n", "\r", " ", "#", "'", '"', "\\", "$", "{", "}", "export ", "é", "\udcff"]
)


@given(st.dictionaries(NAMES, PRINTABLE), st.booleans())
def test_quoted_values_read_back(table: dict[str, str], double: bool) -> None:
    def quoted(text: str) -> str:
        if double:
            return '"' + "".join("\\" + one if one in '\\"$' else one for one in text) + '"'
        return f"'{text}'"

    written = {name: text if double else text.translate({39: None, 92: None}) for name, text in table.items()}
    text = "".join(f"export {name}={quoted(value)} # x\n" for name, value in written.items())
    assert values(text) == written


@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_input_has_values_or_an_error_with_a_line(text: str) -> None:
    line, found = 1, {}
    try:
        found = parse_dotenv(text)
    except DotenvError as error:
        line = int(str(error).split(":")[0].removeprefix("line "))
    assert 1 <= line <= text.count("\n") + 1
    assert all((value.text is None) == bool(value.reason) for value in found.values())


def test_reason_of_a_chain_names_its_first_variable_and_does_not_grow() -> None:
    text = "V0=$OUTSIDE\n" + "".join(f"V{number}=$V{number - 1}\n" for number in range(1, 500))
    reasons = {value.reason for value in parse_dotenv(text).values()}
    assert reasons == {".env does not determine the value of V0: the variable OUTSIDE has no value and no default"}


def compose(image: str, env: str | None, directory: Path) -> Reading:
    if env is not None:
        (directory / ".env").write_text(env, encoding="utf-8")
    return find_references(f"services:\n  web:\n    image: {image}\n", path=directory / "compose.yaml")


@pytest.mark.parametrize(
    ("image", "env", "role", "resolved"),
    [
        ("nginx:$TAG", "TAG=1.27 # current\n", "external", "nginx:1.27"),
        ("nginx:${TAG:-1}", "export TAG='2'\n", "external", "nginx:2"),
        ("nginx:${TAG:-1}", "TAG=\n", "external", "nginx:1"),
        ("nginx:${TAG:-1}", "OTHER=2\n", "external", "nginx:1"),
        ("nginx:${TAG:-1}", "TAG=$OUTSIDE\n", "unresolved", None),
        ("nginx:${TAG}", "OTHER=2\n", "unresolved", None),
        ("nginx:${TAG}", None, "unresolved", None),
        ("${IMAGE}", "R=ghcr.io/acme\nIMAGE=$R/web:1\n", "external", "ghcr.io/acme/web:1"),
    ],
)
def test_image_of_a_service_has_the_values_of_the_file_beside_it(
    image: str, env: str | None, role: str, resolved: str | None, tmp_path: Path
) -> None:
    reading = compose(image, env, tmp_path)
    (found,) = reading.occurrences
    assert (found.line, found.column, found.text, found.role, found.resolved) == (3, 12, image, role, resolved)
    assert reading.problems == ()


def test_environment_of_the_process_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAG", "secret")
    assert compose("nginx:$TAG", "IMAGE=$TAG\nTAG\n", tmp_path).occurrences[0].resolved is None


def test_only_compose_files_use_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TAG=1\n")
    reading = find_references("a: {image: 'nginx:$TAG'}\n", path=tmp_path / ".gitlab-ci.yml")
    assert [found.resolved for found in reading.occurrences] == [None]


def test_file_that_compose_rejects_is_a_problem_and_its_variables_are_not_known(tmp_path: Path) -> None:
    reading = compose("nginx:${TAG:-1}", "TAG=1\nPASSWORD='secret\n", tmp_path)
    assert [(found.role, found.resolved) for found in reading.occurrences] == [("unresolved", None)]
    assert [problem.message for problem in reading.problems] == [".env: line 2: the closing quotation mark is missing"]


def test_path_that_is_not_a_file_is_a_problem(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")
    reading = compose("nginx:${TAG:-1}", None, tmp_path)
    assert [problem.message for problem in reading.problems] == ["the file .env is not a regular file"]
    assert reading.occurrences[0].reason == "the file .env beside it could not be read"


def test_file_is_opened_only_for_a_variable_and_once() -> None:
    asked: list[str] = []

    def beside(name: str) -> str:
        asked.append(name)
        return "A=1\nB=2\n"

    read_yaml("services: {a: {image: nginx}}", kind="compose", context=Context(beside=beside))
    assert asked == []
    read_yaml("services: {a: {image: 'a:$A'}, b: {image: 'b:$B'}}", kind="compose", context=Context(beside=beside))
    assert asked == [".env"]

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import Any, SupportsIndex

import pytest
from check_trees import run, write_tree

from imgref.check import comments
from imgref.check.comments import Ignores
from imgref.check.finding import Finding
from imgref.sources.dockerfile.reader import read_dockerfile
from imgref.sources.kinds import syntax_of
from imgref.sources.occurrence import Comment, Reading

Findings = Callable[..., list[str]]


@pytest.fixture
def findings(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Findings:
    monkeypatch.chdir(tmp_path)

    def check(name: str, text: str, *options: str) -> list[str]:
        write_tree(tmp_path, {name: text})
        out = run(capsys, "check", "--format", "concise", name, *options).out
        return [line.removeprefix(f"{name}:") for line in out.splitlines()]

    return check


def short(lines: list[str]) -> list[str]:
    return [" ".join(line.split(" ")[:2]) for line in lines]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# imgref: ignore[IMG101] reason\nFROM nginx\n", []),
        ("# imgref: ignore[IMG101, IMG102]\nFROM nginx\n", ["1:1: IMG902"]),
        ("# imgref: ignore[IMG1] all of them\nFROM nginx\n", []),
        ("#imgref:ignore[IMG101]\nFROM nginx\n", []),
        ("# imgref: ignore[IMG102]\nFROM nginx\n", ["1:1: IMG902", "2:6: IMG101"]),
        ("# imgref: ignore[IMG101]\n# why: because\nFROM nginx\n", []),
        ("# imgref: ignore[IMG101]\n# imgref: ignore[IMG102]\nFROM nginx\n", ["2:1: IMG902"]),
        ("# imgref: ignore[IMG101]\n\nFROM nginx\n", ["1:1: IMG902", "3:6: IMG101"]),
        ("# imgref: ignore[IMG101]\nFROM nginx AS a\nFROM redis\n", ["3:6: IMG101"]),
        (
            """\
FROM nginx:1.27.3
# imgref: ignore[IMG101,IMG502]
RUN --mount=type=cache,target=/x \\
  # a comment

  --mount=from=alpine,target=/y \\
  ls
""",
            [],
        ),
        (
            """\
# escape=`
FROM nginx:1.27.3
# imgref: ignore[IMG101,IMG502]
RUN `
  --mount=from=alpine,target=/y ls
RUN dir C:\\
COPY --from=redis a b
""",
            ["7:13: IMG101", "7:13: IMG502"],
        ),
        ("# imgref: ignore-file[IMG101] old\nFROM nginx\nFROM redis\n", []),
        ("# syntax=docker/dockerfile\n# imgref: ignore-file[IMG101] old\nFROM nginx\n", []),
        ("# imgref: ignore-file[IMG102]\nFROM nginx\n", ["1:1: IMG902", "2:6: IMG101"]),
        ("FROM nginx\n# imgref: ignore-file[IMG101]\n", ["1:6: IMG101", "2:1: IMG902"]),
        ("# imgref: ignore[IMG777]\nFROM nginx:1.27.3\n", ["1:1: IMG902"]),
        ("# imgref: ignore[]\nFROM nginx:1.27.3\n", ["1:1: IMG902"]),
        ("# imgref: ignore nginx\nFROM nginx:1.27.3\n", ["1:1: IMG902"]),
        ("# imgref: ignore[IMG101\nFROM nginx\n", ["1:1: IMG902", "2:6: IMG101"]),
        ("# imgref: disable\nFROM nginx:1.27.3\n", ["1:1: IMG902"]),
        ("# imgref: ignore-file[IMG902]\n# imgref: ignore[IMG101]\nFROM nginx:1.27.3\n", []),
        ("# imgref: ignore[IMG901]\nCOPPY a b\nFROM nginx:1.27.3\n", []),
        ("RUN <<E\n# imgref: ignore[IMG101]\nE\nFROM nginx\n", ["1:1: IMG901", "4:6: IMG101"]),
    ],
)
def test_in_dockerfiles(findings: Findings, text: str, expected: list[str]) -> None:
    assert short(findings("Dockerfile", text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("services:\n  a:\n    image: nginx  # imgref: ignore[IMG101] reason\n", []),
        ("services:\n  a:\n    # imgref: ignore[IMG101] reason\n    image: nginx\n", []),
        ("services:\n  a:  # imgref: ignore[IMG101] reason\n    image: nginx\n", ["2:7: IMG902", "3:12: IMG101"]),
        ("# imgref: ignore-file[IMG101]\nservices:\n  a:\n    image: nginx\n", []),
        ("---\n# imgref: ignore-file[IMG101]\nservices:\n  a:\n    image: nginx\n", []),
        ("services:\n  a:\n    image: '# imgref: ignore[IMG105]'\n", ["3:13: IMG105"]),
    ],
)
def test_in_yaml(findings: Findings, text: str, expected: list[str]) -> None:
    assert short(findings("compose.yaml", text)) == expected


def test_what_is_said_of_an_unused_comment(findings: Findings) -> None:
    assert findings("Dockerfile", "# imgref: ignore[IMG102] reason\nFROM nginx:1.27.3\n") == [
        "1:1: IMG902 IMG102 is ignored here, but finds nothing"
    ]
    assert findings("Dockerfile", "# imgref: ingore[IMG102]\nFROM nginx:1.27.3\n") == [
        "1:1: IMG902 the comment ignores nothing: 'ingore[IMG102]' is not a comment that imgref knows"
    ]


def test_a_comment_for_a_rule_that_is_off_is_checked_by_what_the_rule_would_find(findings: Findings) -> None:
    text = "# imgref: ignore[IMG103]\nFROM nginx:1.27\n"
    assert findings("Dockerfile", text) == []
    assert short(findings("Dockerfile", text.replace("1.27", "1.27.3"))) == ["1:1: IMG902"]
    assert findings("Dockerfile", "# imgref: ignore[IMG102]\nFROM nginx:latest\n", "--ignore", "IMG102") == []
    assert findings("Dockerfile", "# imgref: ignore[IMG301]\nFROM nginx:1.27.3\n") == []


class Counting(list[str]):
    """Lines that count how often one of them is looked at."""

    looks = 0

    def __getitem__(self, index: SupportsIndex) -> str:  # type: ignore[override]
        Counting.looks += 1
        return super().__getitem__(index)


SHAPES = {
    "each before its own line": lambda number: ["# imgref: ignore[IMG101] x", f"FROM a{number}"] * number,
    "all before one line": lambda number: [*["# imgref: ignore[IMG101] x"] * number, *["FROM a"] * number],
    "for the file": lambda number: [*["# imgref: ignore-file[IMG101] x"] * number, *["FROM a"] * number],
    "in one instruction": lambda number: ["RUN a \\", *["# imgref: ignore[IMG101] x", " b \\"] * number],
    "of use to nothing": lambda number: ["# imgref: ignore[IMG102] x", "FROM a:1"] * number,
}


def operations(lines: list[str], kind: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Count what a check of these comments does: looks at lines, and searches in sorted lists."""
    numbered = list(enumerate(lines, 1))
    found = tuple(Comment(number, 1, line[10:], False) for number, line in numbered if line.startswith("#"))
    findings = [Finding("f", number, 6, 9, "IMG101", "x") for number, line in numbered if not line.startswith("#")]
    continued = read_dockerfile("\n".join(lines)).continued if kind == "dockerfile" else ()
    counted = 0

    def counting(function: Callable[..., int]) -> Callable[..., int]:
        def count(*arguments: object) -> int:
            nonlocal counted
            counted += 1
            return function(*arguments)

        return count

    with monkeypatch.context() as patch:
        patch.setattr(comments, "bisect_left", counting(bisect_left))
        patch.setattr(comments, "bisect_right", counting(bisect_right))
        Counting.looks = 0
        looked_at: Any = Counting(lines)
        ignores = Ignores(Reading(kind, comments=found, continued=continued), looked_at, syntax_of(kind))
        covered = [finding for finding in findings if ignores.covers(finding)]
        unused = list(ignores.unused(frozenset()))
    assert len(covered) + len(unused) > 0
    return counted + Counting.looks


@pytest.mark.parametrize("kind", ["dockerfile", "compose"])
@pytest.mark.parametrize("shape", SHAPES)
def test_ignore_comments_take_linear_time(shape: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (operations(SHAPES[shape](number), kind, monkeypatch) for number in (500, 5_000))
    assert many <= 10 * few + 100
    assert many <= 8 * 5_000


@pytest.mark.parametrize(
    ("comment", "has_reason"),
    [
        ("reason", True),
        ("7", True),
        ("— siehe Ticket", True),
        ("", False),
        (" - ", False),
        (":", False),
        ("...", False),
    ],
)
def test_a_reason_has_a_letter_or_a_digit(findings: Findings, tmp_path: Path, comment: str, has_reason: bool) -> None:
    write_tree(tmp_path, {".imgref.toml": "[check]\nrequire-reason = true\n"})
    lines = short(findings("Dockerfile", f"# imgref: ignore[IMG101] {comment}\nFROM nginx\n"))
    assert lines == ([] if has_reason else ["1:1: IMG903"])


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Dockerfile", "# imgref: keep until the migration\nFROM nginx:1.27\n", []),
        ("Dockerfile", "# imgref: keep\nARG BASE=nginx:1.27\nFROM ${BASE}\n", []),
        ("Dockerfile", "# imgref: keep\nARG OTHER=nginx:1.27\nFROM nginx:1.27\n", ["1:1: IMG902"]),
        ("Dockerfile", "FROM nginx:1.27\n# imgref: keep why\nRUN true\n", ["2:1: IMG902"]),
        ("Dockerfile", "# imgref: keepsake\nFROM nginx:1.27\n", ["1:1: IMG902"]),
        ("Dockerfile", "FROM nginx:1.27\n# imgref: keep why\nRUN --mount=from=a:1,target=/a true\n", []),
        ("compose.yaml", "services:\n  a:\n    image: nginx:1.27 # imgref: keep why\n", []),
        ("compose.yaml", "services:\n  a:\n    # imgref: keep why\n    image: nginx:1.27\n", []),
        ("compose.yaml", "services: # imgref: keep why\n  a:\n    image: nginx:1.27\n", ["1:11: IMG902"]),
    ],
)  # fmt: skip
def test_keep_comment_is_reported_only_where_it_keeps_nothing(
    name: str, text: str, expected: list[str], findings: Findings
) -> None:
    assert short(findings(name, text)) == expected


def test_keep_comment_without_reason_is_reported_where_reasons_are_required(findings: Findings) -> None:
    text = "# imgref: keep\nFROM nginx:1.27\n# imgref: keep why\nFROM nginx:1.28\n"
    assert findings("Dockerfile", text) == []
    Path(".imgref.toml").write_text("[check]\nrequire-reason = true\n")
    assert short(findings("Dockerfile", text)) == ["1:1: IMG903"]

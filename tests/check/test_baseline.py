from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imgref import ConfigError
from imgref.check.baseline import Baseline
from imgref.check.finding import Finding

ONE = Finding("a/Dockerfile", 2, 6, 11, "IMG101", "no tag", None, "nginx")


def test_known_findings_wait_wherever_they_have_moved_to() -> None:
    text = Baseline("b.json").written([ONE])
    assert Baseline.read("b.json", text).new([replace(ONE, line=9, message="in other words")]) == []


def test_one_more_of_a_kind_is_new() -> None:
    text = Baseline("b.json").written([ONE, replace(ONE, line=3)])
    third = replace(ONE, line=4)
    assert Baseline.read("b.json", text).new([ONE, replace(ONE, line=3), third]) == [third]


@pytest.mark.parametrize("changed", [{"path": "b/Dockerfile"}, {"code": "IMG102"}, {"text": "redis"}])
def test_what_differs_is_new(changed: dict[str, str]) -> None:
    baseline = Baseline.read("b.json", Baseline("b.json").written([ONE]))
    other = replace(ONE, **changed)  # type: ignore[arg-type]
    assert baseline.new([other]) == [other]
    assert baseline.gone == 1


def test_paths_are_relative_to_the_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path)
    text = Baseline("b.json").written([ONE])
    monkeypatch.chdir(tmp_path / "a")
    assert Baseline.read("../b.json", text).new([replace(ONE, path="Dockerfile")]) == []
    assert Baseline.read("../b.json", text).new([replace(ONE, path=f"{tmp_path}/a/Dockerfile")]) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"version": 1}',
        '{"version": 1, "findings": 7}',
        '{"version": 1, "findings": [{}]}',
        '{"version": 1, "findings": [{"path": "a", "code": "b", "text": "c", "count": "x"}]}',
        '{"version": 2, "findings": []}',
        "[" * 100_000,
    ],
)
def test_what_is_no_baseline(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is no baseline|is a baseline of version 2"):
        Baseline.read("b.json", text)


def test_baseline_with_credentials_written_before_they_were_masked_still_counts() -> None:
    finding = Finding("Dockerfile", 1, 1, 2, "IMG105", "message", text="u:S3cr3t@host/app")
    written = Baseline("base.json").written([finding])
    assert "S3cr3t" not in written
    for text in (written, written.replace("***@", "u:S3cr3t@")):
        baseline = Baseline.read("base.json", text)
        assert baseline.new([finding]) == []
        assert baseline.gone == 0

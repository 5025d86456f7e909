from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tables import each

from imgref import ConfigError
from imgref.check.baseline import Baseline, Examined
from imgref.check.finding import Finding

ONE = Finding("a/Dockerfile", 2, 6, 11, "IMG101", "no tag", None, "nginx")


def everywhere(root: Path, *paths: str) -> Examined:
    examined = Examined([str(root)])
    for path in paths:
        examined.add(path, frozenset({"IMG101"}))
    return examined


def test_known_findings_wait_wherever_they_have_moved_to() -> None:
    text = Baseline("b.json").written([ONE])
    assert Baseline.read("b.json", text).new([replace(ONE, line=9, message="in other words")]) == []


def test_one_more_of_a_kind_is_new() -> None:
    text = Baseline("b.json").written([ONE, replace(ONE, line=3)])
    third = replace(ONE, line=4)
    assert Baseline.read("b.json", text).new([ONE, replace(ONE, line=3), third]) == [third]


@pytest.mark.parametrize("changed", [{"path": "b/Dockerfile"}, {"code": "IMG102"}, {"text": "redis"}])
def test_what_differs_is_new(changed: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    baseline = Baseline.read("b.json", Baseline("b.json").written([ONE]))
    other = replace(ONE, **changed)  # type: ignore[arg-type]
    assert baseline.new([other]) == [other]
    assert baseline.gone(everywhere(tmp_path, "a/Dockerfile")) == 1


def test_paths_are_relative_to_the_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path)
    text = Baseline("b.json").written([ONE])
    monkeypatch.chdir(tmp_path / "a")
    assert Baseline.read("../b.json", text).new([replace(ONE, path="Dockerfile")]) == []
    assert Baseline.read("../b.json", text).new([replace(ONE, path=f"{tmp_path}/a/Dockerfile")]) == []


ENTRY = '"path": "a", "code": "b", "text": "c"'


@each(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "7",
        '{"version": 1}',
        '{"version": true, "findings": []}',
        '{"version": 1.0, "findings": []}',
        '{"version": "1", "findings": []}',
        '{"version": 2, "findings": []}',
        '{"version": 1, "findings": 7}',
        '{"version": 1, "findings": {}}',
        '{"version": 1, "findings": null}',
        '{"version": 1, "findings": "ab"}',
        '{"version": 1, "findings": [{}]}',
        '{"version": 1, "findings": [[]]}',
        '{"version": 1, "findings": ["ab"]}',
        '{"version": 1, "findings": [{"path": "a", "code": "b", "text": "c"}]}',
        '{"version": 1, "findings": [{"path": "a", "code": 1, "text": "c", "count": 1}]}',
        '{"version": 1, "findings": [{"path": ["a"], "code": "b", "text": "c", "count": 1}]}',
        *(
            f'{{"version": 1, "findings": [{{{ENTRY}, "count": {count}}}]}}'
            for count in ("1e999", "-1e999", "NaN", "1.0", "0", "-1", "true", '"1"', "null", "[]", "1" * 5_000)
        ),
        '{"version": 1, "findings": [' + "[" * 100_000,
        "[" * 100_000,
    ],
)
def test_a_baseline_that_is_malformed_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is not a baseline|is a baseline of version 2|must be"):
        Baseline.read("b.json", text)


def test_baseline_with_credentials_written_before_they_were_masked_still_counts() -> None:
    finding = Finding("Dockerfile", 1, 1, 2, "IMG105", "message", text="u:S3cr3t@host/app")
    written = Baseline("base.json").written([finding])
    assert "S3cr3t" not in written
    for text in (written, written.replace("***@", "u:S3cr3t@")):
        baseline = Baseline.read("base.json", text)
        assert baseline.new([finding]) == []
        assert baseline.gone(Examined()) == 0


def test_malformed_finding_is_reported_with_its_location() -> None:
    text = Baseline("b.json").written([ONE]).replace('"count": 1', '"count": 1e999')
    with pytest.raises(ConfigError, match=r"^b\.json: finding 1: count must be a whole number of 1 or more$"):
        Baseline.read("b.json", text)


def test_findings_that_were_not_looked_for_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "c", "elsewhere"):
        (tmp_path / name).touch()
    known = [replace(ONE, path=path, code=code) for path in ("a", "b", "deleted") for code in ("IMG101", "IMG102")]
    baseline = Baseline.read("b.json", Baseline("b.json").written(known))
    examined = everywhere(tmp_path, "a", "c")
    assert baseline.gone(examined) == 3
    text = baseline.written([replace(ONE, path="c")], examined)
    kept = {("a", "IMG102"), ("b", "IMG101"), ("b", "IMG102")}
    assert Baseline.read("b.json", text).new(known) == [one for one in known if (one.path, one.code) not in kept]
    assert Baseline.read("b.json", text).new([replace(ONE, path="c")]) == []
    assert baseline.gone(Examined()) == 0
    assert baseline.gone(Examined(["elsewhere"])) == 0

"""On every file of the test data: ``pin`` edits references only, changes nothing twice, and ``unpin`` undoes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tables import each
from update.round_trip import RoundTrip
from vectors import DATA

DOCKERFILES = [
    pytest.param(case["file"], id=case["name"])
    for case in map(json.loads, (DATA / "dockerfiles.jsonl").read_text(encoding="utf-8").splitlines())
]
FILES = [
    pytest.param(path, id=path.relative_to(DATA).as_posix())
    for path in sorted((DATA / "yaml").rglob("*"))
    if path.is_file()
]


@pytest.mark.parametrize("text", DOCKERFILES)
def test_round_trip_of_a_dockerfile(text: str, tmp_path: Path) -> None:
    path = str(tmp_path / "Dockerfile")
    assert list(RoundTrip.of(path, text.encode("utf-8", "surrogateescape")).problems(path)) == []


@each("path", FILES)
@each("helm_tag", [False, True])
def test_round_trip_of_a_yaml_file(path: Path, helm_tag: bool) -> None:
    trip = RoundTrip.of(str(path), path.read_bytes(), helm_tag=helm_tag)
    assert list(trip.problems(str(path), helm_tag=helm_tag)) == []


def test_round_trip_has_files_with_edits() -> None:
    files = [RoundTrip.of(str(path), path.read_bytes()) for path in (DATA / "yaml").rglob("*") if path.is_file()]
    assert sum(len(trip.plan.changes) for trip in files) > 30

"""What becomes of files, as tables in tests/data/update/*.toml: byte for byte, and there and back."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from update.fakes import FakeRegistry, result_of, source_of, spots_of, with_digests
from vectors import DATA

from imgref.sources.target import TextSpan
from imgref.update import plan as planning
from imgref.update.edits import Edit, Wanted, edited
from imgref.update.moving import plan_update
from imgref.update.pinning import plan_pin, plan_unpin
from imgref.update.plan import Plan
from imgref.update.policy import Rule
from imgref.update.source import Source

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CASES = [
    pytest.param(case, id=f"{table.stem}: {case['name']}")
    for table in sorted((DATA / "update").glob("*.toml"))
    for case in tomllib.loads(table.read_text(encoding="utf-8"))["case"]
]


class Case:
    """One case, in a directory of its own."""

    def __init__(self, case: dict[str, Any], directory: Path) -> None:
        self.case = case
        self.path = str(directory / case["file"])
        for name in case.get("beside", []):
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).touch()

    def text(self, key: str, default: str = "input") -> bytes:
        text = self.case.get(key, self.case[default])
        return with_digests(text).encode(self.case.get("encoding", "utf-8"))

    def pin(self, data: bytes, *, refresh: bool = False) -> Plan:
        found = spots_of(source_of(self.path, data))
        return plan_pin(*found, FakeRegistry(), helm_tag=self.case.get("helm_tag", False), refresh=refresh)


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    return Case(request.param, tmp_path)


def reasons(plan: Plan) -> list[str]:
    return [left.reason for left in plan.left if left.why != "not-needed"]


def test_pin_of_a_file_writes_these_bytes_and_leaves_these_alone(case: Case) -> None:
    plan = case.pin(case.text("input"))
    assert result_of(plan, case.text("input")) == case.text("pin")
    assert reasons(plan) == case.case.get("left", [])


def test_pin_of_a_pinned_file_changes_nothing(case: Case) -> None:
    pinned = case.text("pin")
    assert not case.pin(pinned).files
    assert not case.pin(pinned, refresh=True).files


def test_unpin_after_pin_restores_the_bytes(case: Case) -> None:
    plan = plan_unpin(*spots_of(source_of(case.path, case.text("pin"))))
    expected = case.text("unpin") if "unpin" in case.case or "pin" in case.case else case.text("input")
    assert result_of(plan, case.text("pin")) == expected
    assert [reason for reason in case.case.get("unpin_left", []) if reason not in reasons(plan)] == []


def test_update_of_a_file_writes_these_bytes(case: Case) -> None:
    if "update" not in case.case:
        return
    registry = FakeRegistry(tuple(case.case["tags"]))
    plan = plan_update(*spots_of(source_of(case.path, case.text("input"))), registry, lambda spot: Rule(), NOW)
    assert result_of(plan, case.text("input")) == case.text("update")


def test_edits_of_a_file_change_their_spans_only(case: Case) -> None:
    before = case.text("input")
    plan = case.pin(before)
    at = 0
    rebuilt = b""
    encoding = case.case.get("encoding", "utf-8").replace("utf-8-sig", "utf-8").replace("utf-16", "utf-16-le")
    for edit in (edit for file in plan.files for edit in file.edits):
        assert before[edit.start : edit.end] == edit.old.encode(encoding)
        rebuilt += before[at : edit.start] + edit.new.encode(encoding)
        at = edit.end
    assert rebuilt + before[at:] == result_of(plan, before)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("@", "line 1 would be 'nginx:1.27@' instead of"),
        (" # ", "the edited file has other references"),
        ("\nFROM redis:7\n", "the edited file has other references"),
        (" AS x\nFROM x", "the edited file has other references"),
        ("\nBOGUS x", "the edited file has other errors"),
        ("\n# imgref: keep x", "the edited file has other comments"),
    ],
)
def test_plan_whose_result_reads_otherwise_edits_nothing_and_is_a_bug(
    wrong: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"FROM nginx:1.27\nRUN true\n"

    def texts_for(source: Source, index: int, wanted: Wanted, *, helm_tag: bool) -> dict[TextSpan, str]:
        return {TextSpan(15, 15): wrong}

    found = spots_of(source_of("Dockerfile", data))
    monkeypatch.setattr(planning, "texts_for", texts_for)
    plan = plan_pin(*found, FakeRegistry())
    assert not plan.files
    assert [left.why for left in plan.left] == ["bug"]
    assert plan.bugs[0].startswith("Dockerfile: left alone because of a bug in imgref: ")
    assert problem in plan.bugs[0]


def test_plan_with_an_edit_of_other_bytes_is_refused() -> None:
    source = source_of("Dockerfile", b"FROM nginx:1.27\n")
    assert source is not None
    with pytest.raises(ValueError, match="are not"):
        edited(source, [Edit("Dockerfile", 5, 10, "redis", "x", "")])
    with pytest.raises(ValueError, match="are not"):
        edited(source, [Edit("Dockerfile", 5, 10, "nginx", "x", ""), Edit("Dockerfile", 8, 10, "nx", "y", "")])


@pytest.mark.parametrize("image", ["nginx:$TAG", "nginx:${TAG:-1.27}", "${IMAGE:-nginx:1.27}", "$IMAGE"])
def test_reference_whose_variable_the_env_file_sets_is_left_alone(image: str, tmp_path: Path) -> None:
    # The value equals the default: an edit of the default would have no effect.
    (tmp_path / ".env").write_text("TAG=1.27\nIMAGE=nginx:1.27\n")
    data = f"services:\n  web:\n    image: {image}\n  db:\n    image: redis:7.0\n".encode()
    found = spots_of(source_of(str(tmp_path / "compose.yaml"), data))
    for plan in (
        plan_pin(*found, FakeRegistry()),
        plan_update(*found, FakeRegistry(("1.27", "1.28", "7.0", "7.1")), lambda _: Rule(), NOW),
    ):
        assert not plan.bugs
        assert [change.old for change in plan.changes] == ["redis:7.0"]
        assert [(left.reference, left.reason) for left in plan.left] == [
            ("docker.io/library/nginx:1.27", "the value of its variable is set in the file .env")
        ]

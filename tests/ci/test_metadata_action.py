"""The test cases of docker/metadata-action: the same tags, or a reason why not."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from vectors import DATA, ROOT

from imgref import ImgrefError, TagPolicy
from imgref.ci import Build, BuildPolicy, TagRule, adjusted_build, detect, matched_build, plan_build

TABLE = tomllib.loads((DATA / "metadata_action.toml").read_text(encoding="utf-8"))
CASES: dict[str, dict[str, Any]] = TABLE["cases"]
REASONS: dict[str, str] = TABLE["reasons"]

BRANCHES = {
    "dev": ("push", "860c1904a1ce19322e91ac35af1ab07466440c37", "dev"),
    "master": ("push", "266574110acf203503badf966df2ea24b5d732d7", "master"),
    "dispatch": ("workflow_dispatch", "860c1904a1ce19322e91ac35af1ab07466440c37", "master"),
    "invalid": ("push", "983315b5e8d46e46fc4c49869e85e7ee5fb289ba", "feature#1245"),
    "schedule": ("schedule", "860c1904a1ce19322e91ac35af1ab07466440c37", "master"),
}
HEAD, MERGE = "3370e228f2209994d57af4427fe64e71bb79ac96", "a9c8c5828b91be19d9728548b24759e352367ef1"
NOW = datetime(2020, 1, 10, 0, 30, tzinfo=UTC)
FIELDS = ("scheme", "suffix", "v", "floating")


def build_of(event: str, folder: Path) -> Build:
    """Detect the build of an event of GitHub."""
    name, sha, branch = BRANCHES.get(event, ("push", "860c1904a1ce19322e91ac35af1ab07466440c37", ""))
    ref = f"refs/heads/{branch}" if branch else f"refs/tags/{event}"
    if event in ("pr", "head", "target"):
        name, sha, ref = "pull_request", MERGE, "refs/pull/15/merge"
        if event == "target":
            name, sha, ref = "pull_request_target", BRANCHES["master"][1], "refs/heads/master"
    path = folder / "event.json"
    pull = {"number": 15, "head": {"sha": HEAD}, "base": {"ref": "master"}}
    path.write_text(json.dumps({"repository": {"default_branch": "master"}, "number": 15, "pull_request": pull}))
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(path)}
    if event != "none":
        environ |= {"GITHUB_EVENT_NAME": name, "GITHUB_SHA": sha, "GITHUB_REF": ref}
    build = detect(environ)
    return adjusted_build(build, sha=HEAD) if event == "head" else build


def tags_of(case: dict[str, Any], folder: Path) -> set[str]:
    """Return the tags that imgref makes for a case, or none if it is an error."""
    policy = TagPolicy(**{field: case[field] for field in FIELDS if field in case})
    try:
        build = build_of(case["event"], folder)
        if "match" in case:
            build, _ = matched_build(build, case["match"])
        how = BuildPolicy(
            policy=policy,
            rules=[TagRule(template) for template in case.get("rules", ())],
            default_tags=case.get("default_tags", True),
            any_tag=case.get("any_tag", False),
            sha=case.get("sha", False),
            now=NOW,
            commit_time=lambda sha: int(NOW.timestamp()),
        )
        return {*plan_build(build, how).plan.tags}
    except ImgrefError:
        assert "reason" in case
        return {"error"}


@pytest.mark.parametrize("name", CASES)
def test_metadata_action_case_gets_the_same_tags_or_has_a_reason(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    same = tags_of(case, tmp_path) == {*case["tags"]}
    assert same is ("reason" not in case)


def test_every_reason_is_used_and_documented() -> None:
    assert {case["reason"] for case in CASES.values() if "reason" in case} == set(REASONS)
    page = (ROOT / "docs" / "metadata-action.md").read_text(encoding="utf-8")
    same = sum("reason" not in case for case in CASES.values())
    assert f"{same} of the {len(CASES)}" in page

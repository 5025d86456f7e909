"""Runs the scripts of the workflows and of the action as a CI would, and checks what the workflows may do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_trees import write_tree

import imgref

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def run(*command: str, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    return _run(command, cwd, environ)


def _run(command: Sequence[str], cwd: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    whole = {**os.environ, "PATH": path, **environ}
    return subprocess.run(command, cwd=cwd, env=whole, capture_output=True, text=True, check=False)


def script(
    name: str, *arguments: str, cwd: Path = ROOT, environ: dict[str, str] | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    return _run([str(ROOT / "scripts" / name), *arguments], cwd, {**(environ or {}), **more})


@pytest.mark.parametrize("path", [*WORKFLOWS, ROOT / "action.yml"], ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit_with_its_version(path: Path) -> None:
    uses = re.findall(r"uses: .*", path.read_text(encoding="utf-8"))
    assert uses
    assert [line for line in uses if not PINNED.fullmatch(line)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_grant_permissions_only_to_jobs_and_run_existing_scripts(path: Path) -> None:
    workflow: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert "timeout-minutes" in job
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
            for name in re.findall(r"(?:scripts|\.ci)/[\w-]+", step.get("run", "")):
                assert os.access(ROOT / name, os.X_OK), name


def test_changelog_section_prints_one_version_and_rejects_an_unknown_one(tmp_path: Path) -> None:
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text("# C\n\n## [Unreleased]\n\n## [1.0.1] - 2026-01-02\n\n- Fix b\n\n## [1.0.0]\n\n- Add a\n")
    assert script("changelog-section", "1.0.1", CHANGELOG=str(changelog)).stdout.strip() == "- Fix b"
    assert script("changelog-section", "1.0.0", CHANGELOG=str(changelog)).stdout.strip() == "- Add a"
    for version in ("1.0", "Unreleased", "2.0.0"):
        assert script("changelog-section", version, CHANGELOG=str(changelog)).returncode == 1


@pytest.mark.parametrize(
    ("owner", "base", "error"),
    [
        ("acme", "python:3.13-slim@sha256:" + 64 * "a", ""),
        ("OWNER", "python:3.13-slim@sha256:" + 64 * "a", "placeholder OWNER"),
        ("acme", "python:3.13-slim", "has 'FROM python:3.13-slim AS build' without a digest"),
        ("acme", "python:3.13-slim@sha256:" + 63 * "a", "without a digest"),
    ],
)
def test_check_release_requires_owner_and_pinned_base(owner: str, base: str, error: str, tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text(f"## [{imgref.__version__}]\n\n- Add all\n")
    (tmp_path / "pyproject.toml").write_text(f'Source = "https://github.com/{owner}/imgref"\n')
    (tmp_path / "Dockerfile").write_text(f"FROM {base} AS build\nCOPY . /\nFROM {base}\n")
    names = {"CHANGELOG": "CHANGELOG.md", "PYPROJECT": "pyproject.toml", "DOCKERFILE": "Dockerfile"}
    environ = {variable: str(tmp_path / name) for variable, name in names.items()}
    ended = script("check-release", f"v{imgref.__version__}", environ=environ)
    assert (ended.returncode, error in ended.stderr) == (1 if error else 0, True), ended.stderr


def test_check_release_rejects_a_tag_of_another_version() -> None:
    assert "expected 'v" in script("check-release", "v99.0.0").stderr


def test_action_check_prints_annotations_and_writes_sarif(tmp_path: Path) -> None:
    write_tree(tmp_path, {"Dockerfile": "FROM nginx\n"})
    ended = script("action", "check", cwd=tmp_path, INPUT_CHECK=".", INPUT_SARIF="out.sarif")
    assert ended.returncode == 1
    assert ended.stdout.startswith("::warning file=Dockerfile,line=1,")
    assert '"2.1.0"' in (tmp_path / "out.sarif").read_text()


def test_action_install_adds_to_path_and_rejects_what_is_not_a_version(tmp_path: Path) -> None:
    environ = {"RUNNER_TEMP": str(tmp_path), "GITHUB_PATH": str(tmp_path / "path"), "GITHUB_ACTION_PATH": str(ROOT)}
    assert script("action", "install", environ=environ, INPUT_VERSION="1; id").returncode == 2
    program = tmp_path / "imgref" / "bin" / "imgref"
    assert not (tmp_path / "imgref").exists()
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert script("action", "install", environ=environ, INPUT_VERSION="").returncode == 0
    assert (tmp_path / "path").read_text() == f"{program.parent}\n"


def test_the_image_runs_as_a_user_without_privileges() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"(?m)^USER [1-9]\d*:[1-9]\d*$", text)


def test_action_tags_writes_the_plan_of_the_build_to_the_output(tmp_path: Path) -> None:
    run("git", "init", "--quiet", cwd=tmp_path)
    run("git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x", "--allow-empty", cwd=tmp_path)
    run("git", "tag", "v1.2.3", cwd=tmp_path)
    output = tmp_path / "output"
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/tags/v1.2.3"}
    environ |= {"GITHUB_OUTPUT": str(output), "INPUT_TAGS": "ghcr.io/acme/app", "GITHUB_REF_NAME": "v1.2.3"}
    ended = script("action", "tags", cwd=tmp_path, environ=environ)
    assert ended.returncode == 0, ended.stderr
    assert "ghcr.io/acme/app:1.2.3" in output.read_text()

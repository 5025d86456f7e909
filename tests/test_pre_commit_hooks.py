"""Runs the hook as pre-commit would: its entry, with the files that its patterns choose."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_trees import write_tree
from vectors import imgref

HOOKS = Path(__file__).parents[1] / ".pre-commit-hooks.yaml"


@pytest.fixture
def hook() -> dict[str, Any]:
    return all_hooks()["imgref-check"]


def all_hooks() -> dict[str, dict[str, Any]]:
    return {hook["id"]: hook for hook in yaml.safe_load(HOOKS.read_text(encoding="utf-8"))}


def chosen(hook: dict[str, Any], *names: str) -> list[str]:
    return [name for name in names if re.search(hook["files"], name) and not re.search(hook["exclude"], name)]


def test_the_hook_has_what_pre_commit_needs(hook: dict[str, Any]) -> None:
    assert {"id", "name", "entry", "language"} <= set(hook)
    assert (hook["id"], hook["language"]) == ("imgref-check", "python")


def test_hook_receives_the_files_that_a_check_would_find(hook: dict[str, Any]) -> None:
    wanted = ["Dockerfile", "a/Dockerfile.dev", "a/x.dockerfile", "Containerfile", "Dockerfile-x", "a/b.yml", "c.yaml"]
    others = ["README.md", "Dockerfile.md", "a/Dockerfile.j2", "Dockerfile.orig", "a.json", "MyDockerfile"]
    unsure = ["Dockerfile.php", "dockerfile.lua", "Dockerfile-x.yaml"]  # content decides
    settings = ["etc/docker/daemon.json", "registries.conf"]
    assert chosen(hook, *wanted, *others, *unsure, *settings) == [*wanted, *unsure, *settings]


def test_the_hook_by_hand(hook: dict[str, Any], tmp_path: Path) -> None:
    write_tree(tmp_path, {"Dockerfile": "FROM nginx\n", "b.yaml": "x: 1\n", "README.md": "FROM x\n"})
    program, *arguments = hook["entry"].split()
    assert program == "imgref"
    names = chosen(hook, "Dockerfile", "b.yaml", "README.md")
    ended = imgref(*arguments, *names, cwd=tmp_path)
    assert ended.exit == 1
    assert ended.stdout.startswith("Dockerfile:1:6: IMG101 ")
    assert ended.stdout.count("\n") == 1
    write_tree(tmp_path, {"Dockerfile": "FROM nginx:1.27.3\n"})
    assert imgref(*arguments, *names, cwd=tmp_path).exit == 0


def test_the_hook_leaves_out_what_the_policy_excludes_and_files_of_unknown_kinds(
    hook: dict[str, Any], tmp_path: Path
) -> None:
    write_tree(
        tmp_path,
        {
            ".imgref.toml": '[check]\nexclude = ["vendor/**"]\n',
            "vendor/Dockerfile": "FROM nginx\n",
            "notes.txt": "nothing\n",
            "logo.png": b"\0",
            "sub/b.yaml": "a: 1\n",
        },
    )
    program, *arguments = hook["entry"].split()
    assert program == "imgref"
    names = ("vendor/Dockerfile", "notes.txt", "logo.png", "sub/b.yaml")
    assert imgref(*arguments, *names, cwd=tmp_path)[::2] == ("", 0)
    write_tree(tmp_path, {"sub/Dockerfile": "FROM nginx\n"})
    assert imgref(*arguments, *names, "sub/Dockerfile", cwd=tmp_path).exit == 1


@pytest.mark.parametrize("name", ["pin", "update"])
def test_the_editing_hooks_run_on_the_tree_when_a_file_of_a_check_changed(
    name: str, hook: dict[str, Any], tmp_path: Path
) -> None:
    editing = all_hooks()[f"imgref-{name}"]
    assert (editing["files"], editing["exclude"]) == (hook["files"], hook["exclude"])
    assert editing["pass_filenames"] is False
    assert "urllib3>=2.2,<3" in editing["additional_dependencies"]
    write_tree(tmp_path, {"Dockerfile": "FROM scratch\n"})
    program, *arguments = editing["entry"].split()
    assert program == "imgref"
    ended = imgref(*arguments, cwd=tmp_path)
    assert ended.exit == 0, ended.stderr


def test_hooks_of_this_project_use_installed_tools_and_find_nothing() -> None:
    root = HOOKS.parent
    text = (root / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    ((_, hooks),) = ((repo["repo"], repo["hooks"]) for repo in yaml.safe_load(text)["repos"])
    entries = {hook["id"]: hook["entry"].split() for hook in hooks}
    assert {words[0] for words in entries.values()} == {".venv/bin/ruff", ".venv/bin/mypy", ".venv/bin/imgref"}
    assert imgref(*entries["imgref-check"][1:], cwd=root)[::2] == ("", 0)
    pattern = re.compile(next(hook["files"] for hook in hooks if hook["id"] == "imgref-check"))
    assert pattern.search("Dockerfile")
    assert pattern.search(".github/workflows/release.yml")
    assert not pattern.search("tests/data/Dockerfile")

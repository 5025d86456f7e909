from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from check_trees import write_tree
from isolation.environment import require

from imgref.sources.recognition import is_candidate
from imgref.sources.walk import Listing, shown_path

Listed = Callable[..., tuple[list[str], list[str]]]


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listed:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))

    def names(root: str = ".", **environ: str) -> tuple[list[str], list[str]]:
        listing = Listing(is_candidate, {**os.environ, **environ})
        files = listing.files(root)
        return files, [*listing.warnings, *(f"{path}: {reason}" for path, reason, _, _ in listing.unlisted)]

    return names


def git(*command: str, at: str = ".") -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run([require("git"), "-C", at, *identity, *command], check=True, capture_output=True)


FILES = {
    "Dockerfile": "",
    "b/compose.yaml": "",
    "b/README.md": "",
    "ignored/Dockerfile": "",
    "kept/skip.yaml": "",
    "kept/keep.yaml": "",
    ".gitignore": "ignored\n",
    "kept/.gitignore": "*.yaml\n!keep.yaml\n",
}
WANTED = ["Dockerfile", "b/compose.yaml", "kept/keep.yaml"]


@pytest.mark.parametrize("repository", [True, False])
def test_what_git_ignores_is_left_out(tmp_path: Path, listed: Listed, repository: bool) -> None:
    require("git")
    write_tree(tmp_path, FILES)
    if repository:
        git("init", "--quiet")
    assert listed() == (WANTED, [])
    assert listed(str(tmp_path)) == ([f"{tmp_path}/{name}" for name in WANTED], [])
    assert listed("kept/") == (["kept/keep.yaml"], [])


@pytest.mark.parametrize("repository", [True, False])
def test_an_ignored_directory_that_is_named_is_looked_at(tmp_path: Path, listed: Listed, repository: bool) -> None:
    write_tree(tmp_path, FILES)
    if repository:
        git("init", "--quiet")
    assert listed("ignored") == (["ignored/Dockerfile"], [])


def test_what_git_tracks_counts_though_it_is_ignored(tmp_path: Path, listed: Listed) -> None:
    write_tree(tmp_path, FILES)
    git("init", "--quiet")
    git("add", "--force", "ignored/Dockerfile", "b/compose.yaml")
    (tmp_path / "b" / "compose.yaml").unlink()
    assert listed() == (["Dockerfile", "ignored/Dockerfile", "kept/keep.yaml"], [])


@pytest.mark.parametrize("outer", [True, False])
def test_repositories_in_repositories(tmp_path: Path, listed: Listed, outer: bool) -> None:
    write_tree(tmp_path, {"Dockerfile": "", "in/Dockerfile": "", "in/x.yaml": "", "in/.gitignore": "x.yaml\n"})
    git("init", "--quiet", at="in")
    if outer:
        git("init", "--quiet")
    assert listed() == (["Dockerfile", "in/Dockerfile"], [])


def test_a_submodule_is_looked_at(tmp_path: Path, listed: Listed) -> None:
    write_tree(tmp_path, {"lib/Dockerfile": "", "Dockerfile": ""})
    git("init", "--quiet", at="lib")
    git("add", ".", at="lib")
    git("commit", "--quiet", "-m", "x", at="lib")
    git("init", "--quiet")
    git("add", ".")
    assert listed() == (["Dockerfile", "lib/Dockerfile"], [])


def test_a_repository_that_is_broken_is_looked_at_all_the_same(tmp_path: Path, listed: Listed) -> None:
    require("git")
    write_tree(tmp_path, {**FILES, ".git": "gitdir: /nowhere\n"})
    assert listed() == (WANTED, [])


def test_check_without_git_ignores_nothing_with_a_warning(tmp_path: Path, listed: Listed) -> None:
    write_tree(tmp_path, {**FILES, ".git/Dockerfile": ""})
    files, warnings = listed(PATH="")
    assert files == ["Dockerfile", "b/compose.yaml", "ignored/Dockerfile", "kept/keep.yaml", "kept/skip.yaml"]
    assert warnings == [".: git is not installed, so .gitignore is ignored"]


def test_variables_of_a_calling_git_are_ignored(tmp_path: Path, listed: Listed) -> None:
    write_tree(tmp_path, FILES)
    git("init", "--quiet")
    assert listed(GIT_DIR="/nowhere", GIT_WORK_TREE="/nowhere", GIT_INDEX_FILE="/nowhere") == (WANTED, [])


def test_a_tree_cannot_have_anything_run(tmp_path: Path, listed: Listed) -> None:
    write_tree(tmp_path, {"Dockerfile": "", "hook": "#!/bin/sh\ntouch ran\n"})
    (tmp_path / "hook").chmod(0o755)
    git("init", "--quiet")
    git("config", "core.fsmonitor", str(tmp_path / "hook"))
    assert listed() == (["Dockerfile"], [])
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("path", ["git", ""])
def test_links(tmp_path: Path, listed: Listed, path: str) -> None:
    write_tree(tmp_path, {"a/real.yaml": "", "b/x": "", "outside/Dockerfile": ""})
    for link, target in {
        "a/up": "..",
        "a/self.yaml": "self.yaml",
        "a/Dockerfile": "real.yaml",
        "a/Dockerfile.gone": "nowhere",
        "a/gone": "nowhere",
        "a/inside": "../a/b",
        "a/outside": "../outside",
    }.items():
        (tmp_path / link).symlink_to(target)
    (tmp_path / "a" / "b").mkdir()
    files, warnings = listed("a", **({} if path else {"PATH": ""}))
    assert files == ["a/Dockerfile", "a/real.yaml"]
    assert sorted(warnings) == [
        "a/Dockerfile.gone: is a link to a file that does not exist",
        "a/outside: is a link to a directory outside of a",
        "a/self.yaml: cannot be read: Too many levels of symbolic links",
        "a/up: is a link to a directory outside of a",
    ]


def test_special_file_is_not_read(tmp_path: Path, listed: Listed) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    files, warnings = listed(PATH="")
    assert (files, warnings) == ([], ["pipe.yaml: is not a regular file"])


def test_names_that_are_not_unicode_are_escaped(tmp_path: Path, listed: Listed) -> None:
    name = os.fsdecode(b"\xff\n.Dockerfile")
    write_tree(tmp_path, {name: ""})
    assert listed() == ([name], [])


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("a/b", "a/b"),
        ("./a/b", "a/b"),
        ("a/./b//c", "a/b/c"),
        ("a/../b", "b"),
        ("../b", "../b"),
        ("{here}/a/b", "a/b"),
        ("/else/where", "/else/where"),
    ],
)
def test_paths_are_shown_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, shown: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_path(path.format(here=tmp_path)) == shown

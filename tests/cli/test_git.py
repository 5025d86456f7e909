"""``--existing git`` and ``--ci`` in real repositories, full, shallow, and without a remote that answers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from isolation.environment import require
from vectors import clean_environ, imgref


def git(where: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "protocol.file.allow=always")
    subprocess.run(
        [require("git"), *identity, *arguments], cwd=where, check=True, capture_output=True, env=clean_environ()
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Give a repository with releases on two lines."""
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init", "-q", "-b", "main")
    for name in ("v1.9.6", "v2.0.0", "v2.1.0-rc.1", "lib-v9.0.0"):
        git(origin, "commit", "-q", "--allow-empty", "-m", name)
        git(origin, "tag", name)
    return origin


def test_a_full_clone_knows_its_tags(repository: Path) -> None:
    done = imgref("tags", "v1.9.7", "--existing", "git", cwd=repository)
    assert done == ("1.9.7\n1.9\n1\n", "existing: git, 3 versions\nheld: latest (v2.0.0 is newer)\n", 0)
    nested = repository / "a" / "b"
    nested.mkdir(parents=True)
    assert imgref("tags", "v1.9.7", "--existing", "git", cwd=nested) == done


def test_columns_in_gits_settings_change_nothing(repository: Path) -> None:
    git(repository, "config", "column.ui", "always")
    assert imgref("tags", "v1.9.7", "--existing", "git", cwd=repository).stdout == "1.9.7\n1.9\n1\n"


def test_a_shallow_clone_asks_its_remote(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), "shallow")
    done = imgref("tags", "v1.9.7", "--existing", "git", cwd=tmp_path / "shallow")
    assert done.stdout == "1.9.7\n1.9\n1\n"
    assert "this clone is shallow, so its remote 'origin' was asked" in done.stderr
    assert done.exit == 0


def test_a_shallow_clone_without_its_remote_says_how_to_mend_it(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), "shallow")
    shutil.rmtree(repository)
    done = imgref("tags", "v1.9.7", "--existing", "git", cwd=tmp_path / "shallow")
    assert (done.stdout, done.exit) == ("", 2)
    for remedy in ("git fetch --unshallow --tags", "fetch-depth: 0", "GIT_DEPTH: 0"):
        assert remedy in done.stderr
    git(tmp_path / "shallow", "remote", "remove", "origin")
    assert "no remote to ask" in imgref("tags", "v1.9.7", "--existing", "git", cwd=tmp_path / "shallow").stderr


def test_a_repository_without_tags_is_told_apart_from_one_whose_tags_are_older(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    done = imgref("tags", "1.0.0", "--existing", "git", cwd=tmp_path)
    assert (done.stdout, done.exit) == ("", 2)
    assert "this repository has no tags; fetch them with `git fetch --tags`" in done.stderr


def test_the_prefix_is_asked_of_git_tags(repository: Path) -> None:
    done = imgref("tags", "lib-v1.0.0", "--prefix", "lib-", "--existing", "git", cwd=repository)
    assert done.stdout == "1.0.0\n1.0\n1\n"
    done = imgref("tags", "app-v1.0.0", "--prefix", "app-", "--existing", "git", cwd=repository)
    assert "warning: git has 4 names, but no version on the line of this release" in done.stderr


def test_the_default_branch_of_the_remote_gets_edge(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", repository.as_uri(), "clone")
    environ = clean_environ(CIRCLECI="true", CIRCLE_BRANCH="main")
    done = imgref("tags", "--ci", cwd=tmp_path / "clone", environ=environ)
    assert done == ("main\nedge\n", "", 0)
    elsewhere = imgref("tags", "--ci", cwd=tmp_path, environ=environ)
    assert elsewhere == ("main\n", "no edge: no default branch is known (--default-branch names it)\n", 0)


@pytest.mark.parametrize("order", [("v1.9.7", "v2.0.1"), ("v2.0.1", "v1.9.7")])
def test_two_lines_released_in_either_order_end_with_the_same_tags(repository: Path, order: tuple[str, str]) -> None:
    named: dict[str, str] = {}
    for version in order:
        git(repository, "tag", version)
        environ = clean_environ(GITHUB_ACTIONS="true", GITHUB_REF=f"refs/tags/{version}")
        done = imgref("tags", "--ci", "--existing", "git", cwd=repository, environ=environ)
        named.update(dict.fromkeys(done.stdout.split(), version))
    assert named == {
        "1.9.7": "v1.9.7", "1.9": "v1.9.7", "1": "v1.9.7", "2.0.1": "v2.0.1", "2.0": "v2.0.1",
        "2": "v2.0.1", "latest": "v2.0.1",
    }  # fmt: skip
